// A turn as the person sees it.

import { button, h, link } from "./dom";
import type { Choice, Citation, Reply, Turn, Words } from "./types";

export interface Acts {
  words: (language: Turn["language"]) => Words;
  choose: (choice: Choice) => void;
  /** Whether it was noted. */
  rate: (turn: number, helpful: boolean, reason?: string) => Promise<boolean>;
}

const REASONS = ["not_asked", "unclear", "too_long", "wrong", "other"];
let notes = 0;

/** What the person wrote. It is not read to them again: they know it. */
export function said(words: Words, text: string, at: Date): HTMLElement {
  return h(
    "div",
    { class: "said", "aria-live": "off" },
    h("p", { class: "who" }, words.you, " ", time(at, words)),
    h("p", { class: "text" }, text),
  );
}

/** Marks a message as not sent, or not taken; once, so that it is not read out at every try. */
export function mark(turn: HTMLElement | undefined, state: string | undefined): void {
  const said = turn?.querySelector(".said");
  if (!said || said.querySelector(".state")?.textContent === state) return;
  said.classList.add("waiting");
  said.querySelector(".state")?.remove();
  said.append(h("p", { class: "state" }, state));
}

export function settled(turn: HTMLElement): void {
  turn.querySelector(".said")?.classList.remove("waiting");
  turn.querySelector(".state")?.remove();
}

function who(shown: Turn, words: Words): string | undefined {
  if (shown.decision !== "staff") return words.assistant;
  const name = shown.replies[0]?.by;
  return name ? words.staff_name?.replace("{name}", name) : words.staff;
}

/** What was said to it: nothing where a person of the clinic reads it first. */
export function answer(shown: Turn, acts: Acts): HTMLElement[] {
  if (!shown.replies.length) return [];
  const words = acts.words(shown.language);
  const numbers = numbered(shown.replies);
  const told = h(
    "div",
    { class: shown.decision === "staff" ? "answer staff" : "answer" },
    h("p", { class: "who" }, who(shown, words), " ", time(new Date(shown.at), words)),
    ...shown.replies.map((each) => reply(each, numbers, words, acts)),
    shown.decision === "answer" && shown.id !== null && rating(shown.id, words, acts),
  );
  return [told];
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
          h("li", {}, claim.text, ...sources(claim.citations, numbers, words)),
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

/** Footnotes that open in place. */
function sources(citations: Citation[], numbers: Map<string, number>, words: Words): HTMLElement[] {
  const found = citations.map((each) => source(each, numbers.get(each.key) ?? 0, words));
  return [h("div", { class: "sources" }, ...found.map(([opener]) => opener)), ...found.map(([, note]) => note)];
}

function source(citation: Citation, number: number, words: Words): [opener: HTMLElement, note: HTMLElement] {
  const id = `note-${++notes}`;
  const year = citation.year ? ` (${citation.year})` : "";
  const note = h(
    "div",
    { class: "note", id, hidden: true },
    h("p", {}, `[${number}] ${citation.title}${year}. ${citation.kind}.`),
    citation.url && h("p", {}, link(words.open_source ?? "", citation.url)),
  );
  const toggle = (): void => {
    note.hidden = !note.hidden;
    opener.setAttribute("aria-expanded", String(!note.hidden));
    if (!note.hidden) note.scrollIntoView({ block: "nearest" });
  };
  const props = { class: "source", "aria-expanded": "false", "aria-controls": id };
  const opener = button(`${words.source} ${number}`, toggle, props);
  return [opener, note];
}

function rating(turn: number, words: Words, acts: Acts): HTMLElement {
  const box = h("div", { class: "rating", role: "group" });
  const thank = (): void => {
    const thanks = h("p", { class: "small", tabindex: "-1" }, words.thanks);
    box.replaceChildren(thanks);
    thanks.focus();
  };
  const give = async (helpful: boolean, reason?: string): Promise<void> => {
    if (await acts.rate(turn, helpful, reason)) thank();
  };
  const ask = async (): Promise<void> => {
    if (!(await acts.rate(turn, false))) return;
    const why = h("p", { tabindex: "-1" }, words.why);
    const reasons = REASONS.map((each) => button(words[each], () => void give(false, each), { class: "quiet" }));
    box.replaceChildren(why, ...reasons);
    why.focus();
  };
  box.append(
    button(words.helpful, () => void give(true), { class: "quiet" }),
    button(words.not_helpful, () => void ask(), { class: "quiet" }),
  );
  return box;
}

function time(at: Date, words: Words): HTMLElement {
  const language = words === WORDS.en ? "en" : "es";
  const shown = at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
  return h("time", { datetime: at.toISOString() }, shown);
}

/** What is read aloud of a turn: all that matters of it, also what is not known, and the choices. */
export function spoken(shown: Turn, words: Words): string {
  const parts = shown.replies.flatMap((each) => [
    each.text,
    ...each.claims.map((claim) => claim.text),
    each.unknown && `${words.unknown_label}: ${each.unknown}`,
    each.evidence && `${words.evidence_label}: ${each.evidence}.`,
    ...each.notes,
  ]);
  const choices = shown.replies.flatMap((each) => each.buttons).filter((each) => each.payload.startsWith("/"));
  return [...parts, ...choices.map((each, place) => `${place + 1}: ${each.title}.`)].filter(Boolean).join(" ");
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
  const said = shown.said ? [`${words.you}: ${shown.said}`] : [];
  return [...said, ...(lines.length ? [`${who(shown, words)}: ${lines.join("\n")}`] : [])].join("\n");
}
