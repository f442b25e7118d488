// A turn as the person sees it.

import { button, h, link } from "./dom";
import type { Choice, Citation, Reply, Turn, Words } from "./types";

export interface Acts {
  words: (language: Turn["language"]) => Words;
  choose: (choice: Choice) => void;
  rate: (turn: number, helpful: boolean, reason?: string) => void;
}

const REASONS = ["not_asked", "unclear", "too_long", "wrong", "other"];
let notes = 0;

export function said(words: Words, text: string, language: string, at: Date, waiting = false): HTMLElement {
  return h(
    "div",
    { class: waiting ? "said waiting" : "said", lang: language },
    h("p", { class: "who" }, words.you, " ", time(at, language)),
    h("p", { class: "text" }, text),
    waiting && h("p", { class: "state" }, words.waiting),
  );
}

export function turn(shown: Turn, acts: Acts): HTMLElement {
  const words = acts.words(shown.language);
  const at = new Date(shown.at);
  const numbers = numbered(shown.replies);
  return h(
    "div",
    { class: "turn", lang: shown.language },
    said(words, shown.said, shown.language, at),
    h(
      "div",
      { class: "answer", tabindex: "-1" },
      h("p", { class: "who" }, words.assistant, " ", time(at, shown.language)),
      ...shown.replies.map((each) => reply(each, numbers, words, acts)),
      shown.decision === "answer" && shown.id !== null && rating(shown.id, words, acts),
    ),
  );
}

export function reply(shown: Reply, numbers: Map<string, number>, words: Words, acts: Acts): HTMLElement {
  const links = shown.buttons.filter((each) => !each.payload.startsWith("/"));
  const choices = shown.buttons.filter((each) => each.payload.startsWith("/"));
  const calls = links.map((each) => link(each.title, each.payload, { class: "big" }));
  return h(
    "div",
    { class: shown.urgent ? "reply urgent" : "reply" },
    h("p", { class: "text" }, shown.text),
    ...(shown.urgent ? calls : []),
    shown.claims.length > 0 &&
      h(
        shown.urgent ? "ol" : "ul",
        {},
        ...shown.claims.map((claim) =>
          h("li", {}, claim.text, ...claim.citations.flatMap((each) => source(each, numbers.get(each.key) ?? 0, words))),
        ),
      ),
    !!shown.unknown && h("p", {}, h("strong", {}, `${words.unknown_label}: `), shown.unknown),
    !!shown.evidence && h("p", {}, h("strong", {}, `${words.evidence_label}: `), `${shown.evidence}.`),
    ...shown.notes.map((each) => h("p", { class: "small" }, each)),
    ...(shown.urgent ? [] : calls),
    choices.length > 0 &&
      h(
        "ol",
        { class: "choices" },
        ...choices.map((each) => h("li", {}, button(each.title, () => acts.choose(each), { class: "big" }))),
      ),
  );
}

/** The sources of a turn, numbered in the order in which they are named. */
export function numbered(replies: Reply[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const each of replies)
    for (const claim of each.claims)
      for (const { key } of claim.citations) if (!found.has(key)) found.set(key, found.size + 1);
  return found;
}

/** A footnote that opens in place. */
function source(citation: Citation, number: number, words: Words): HTMLElement[] {
  const id = `note-${++notes}`;
  const year = citation.year ? ` (${citation.year})` : "";
  const note = h(
    "div",
    { class: "note", id, hidden: true },
    h("p", {}, `[${number}] ${citation.title}${year}. ${citation.kind}.`),
    citation.url && h("p", {}, link(words.open_source ?? "", citation.url)),
  );
  const opener = button(`${words.source} ${number}`, toggle, { class: "source", "aria-expanded": "false", "aria-controls": id });
  function toggle(): void {
    note.hidden = !note.hidden;
    opener.setAttribute("aria-expanded", String(!note.hidden));
    if (!note.hidden) note.scrollIntoView({ block: "nearest" });
  }
  return [h("span", { class: "open" }, opener), note];
}

function rating(turn: number, words: Words, acts: Acts): HTMLElement {
  const box = h("div", { class: "rating", role: "group" });
  const done = (reason?: string): void => {
    acts.rate(turn, false, reason);
    thank();
  };
  const thank = (): void => {
    const thanks = h("p", { class: "small", tabindex: "-1" }, words.thanks);
    box.replaceChildren(thanks);
    thanks.focus();
  };
  const ask = (): void => {
    acts.rate(turn, false);
    const why = h("p", { tabindex: "-1" }, words.why);
    box.replaceChildren(why, ...REASONS.map((each) => button(words[each] ?? each, () => done(each), { class: "quiet" })));
    why.focus();
  };
  const helped = (): void => {
    acts.rate(turn, true);
    thank();
  };
  box.append(
    button(words.helpful ?? "", helped, { class: "quiet" }),
    button(words.not_helpful ?? "", ask, { class: "quiet" }),
  );
  return box;
}

function time(at: Date, language: string): HTMLElement {
  const shown = at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
  return h("time", { datetime: at.toISOString() }, shown);
}

/** What is read aloud of a turn. */
export function spoken(shown: Turn): string {
  return shown.replies.flatMap((each) => [each.text, ...each.claims.map((claim) => claim.text)]).join(" ");
}

/** A turn as text, to copy. */
export function plain(shown: Turn, words: Words): string {
  const lines: string[] = [];
  const sources = new Map<number, string>();
  const numbers = numbered(shown.replies);
  for (const each of shown.replies) {
    lines.push(each.text);
    for (const claim of each.claims) {
      const marks = claim.citations.map((citation) => `[${numbers.get(citation.key)}]`).join("");
      lines.push(`• ${claim.text} ${marks}`);
      for (const { key, title, url } of claim.citations) sources.set(numbers.get(key) ?? 0, `${title}. ${url ?? ""}`);
    }
    if (each.unknown) lines.push(`${words.unknown_label}: ${each.unknown}`);
    if (each.evidence) lines.push(`${words.evidence_label}: ${each.evidence}.`);
    lines.push(...each.notes);
    for (const { title, payload } of each.buttons) if (!payload.startsWith("/")) lines.push(`${title}: ${payload}`);
  }
  for (const [number, text] of sources) lines.push(`[${number}] ${text}`);
  return `${words.you}: ${shown.said}\n${words.assistant}: ${lines.join("\n")}`;
}
