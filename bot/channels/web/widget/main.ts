// <muse-chat>: a button on the page and a conversation behind it, or the conversation alone inside of a page.

import { button, h } from "./dom";
import * as keep from "./keep";
import { Queue } from "./queue";
import { Failed, Server } from "./server";
import * as show from "./show";
import { PRINTED, styled } from "./styles";
import type { Choice, Lang, Outgoing, Turn, Turns, Words } from "./types";
import * as voice from "./voice";

const HERE = new URL(import.meta.url);
const WORKING = 600; // milliseconds until it is said that the answer is being looked for
const SLOW = 5000; // ... and that it takes long, with the number to call
const LOOK = 5000; // milliseconds between two looks for new answers where streams do not work
const MOST_LETTERS = 4000;
const FIELDS: Record<string, [type: string, autocomplete: string]> = {
  name: ["text", "name"],
  phone: ["tel", "tel"],
  email: ["email", "email"],
  country: ["text", "country-name"],
};

class MuseChat extends HTMLElement {
  private readonly server = new Server(HERE.origin);
  private readonly root = this.attachShadow({ mode: "open" });
  private kept = keep.read(languageOf(this));
  private asking: string | null = null;
  private by: "phone" | "email" = "phone";
  private stopListening: (() => void) | null = null;
  private stream: AbortController | null = null;
  private gone = new AbortController();
  private early: Turns[] = []; // what the stream told while an answer was awaited
  private alarm: Element | null = null; // guidance in danger, in sight until something else is answered after it
  private readonly since = new Set<string>(); // messages that were written while it was
  private late = false; // the message that is on its way has been tried before
  private tabs: BroadcastChannel | null = null;
  private readonly launcher = button("", () => this.open(), { class: "launcher", "aria-haspopup": "dialog" });
  private readonly heading = h("h2", { id: "title" });
  private readonly language = button("", () => this.switchLanguage());
  private readonly opener = button("", () => this.toggleOptions(), { "aria-expanded": "false", "aria-controls": "options" });
  private readonly closer = button("", () => this.close());
  private readonly options = h("div", { class: "options", id: "options", hidden: true });
  private readonly about = h("p", { class: "small", id: "about" });
  private readonly greeting = h("div", { class: "turn" });
  private readonly log = h("div", { role: "log", "aria-live": "polite" }, this.about, this.greeting);
  private readonly view = h("div", { class: "scroll", tabindex: "0", role: "region" }, this.log);
  private readonly status = h("p", { class: "status", role: "status" });
  private readonly form = h("form", { submit: (event) => this.submitted(event) }, this.status);
  private readonly panel = h(
    "div",
    { class: "panel", tabindex: "-1", "aria-labelledby": "title" },
    h("div", { class: "top" }, this.heading, this.language, this.opener, this.closer),
    this.options,
    this.view,
    this.form,
  );
  private readonly queue = new Queue({
    waiting: this.kept.queue,
    send: (message) => this.send(message),
    answered: (message, told) => this.answered(message, told),
    delayed: () => this.delayed(),
    refused: (message) => this.refused(message),
  });

  private get words(): Words {
    return WORDS[this.kept.lang];
  }

  private get inline(): boolean {
    return this.classList.contains("inline");
  }

  connectedCallback(): void {
    if (this.panel.isConnected) return;
    styled(this.root);
    this.panel.setAttribute("role", this.inline ? "region" : "dialog");
    if (!this.inline) this.panel.setAttribute("aria-describedby", "about");
    this.panel.addEventListener("keydown", (event) => event.key === "Escape" && this.escaped());
    this.closer.hidden = this.inline;
    this.root.append(...(this.inline ? [this.panel] : [this.launcher, this.panel]));
    this.paint();
    this.label();
    this.fill();
    this.visible(this.inline || this.kept.open);
    this.gone = new AbortController();
    const until = { signal: this.gone.signal };
    addEventListener("pagehide", () => this.keep(), until);
    addEventListener("pageshow", (event) => event.persisted && this.returned(), until);
    addEventListener("online", () => this.queue.hurry(), until);
    document.addEventListener("visibilitychange", () => (document.hidden ? this.away() : this.catchUp()), until);
    this.meetOthers();
    if (this.inline || this.kept.open) this.catchUp();
    else void this.queue.run();
  }

  disconnectedCallback(): void {
    this.away();
    this.gone.abort();
    this.tabs?.close();
  }

  // --- what stands on the screen --------------------------------------------------------------------------------------

  /** All words of the frame, in the language of now. What was said stays as it is. */
  private label(): void {
    const words = this.words;
    this.panel.lang = this.launcher.lang = this.kept.lang;
    this.classList.toggle("large", this.kept.large);
    this.launcher.textContent = words.launcher ?? "";
    this.heading.textContent = words.title ?? "";
    this.language.textContent = words.other_language ?? "";
    this.language.lang = other(this.kept.lang);
    this.opener.textContent = words.options ?? "";
    this.closer.textContent = words.close ?? "";
    this.view.setAttribute("aria-label", words.conversation ?? "");
    this.about.textContent = words.subtitle ?? "";
    this.greet();
    if (!this.options.hidden) this.listOptions();
    this.compose();
  }

  private greet(): void {
    const { text, buttons } = this.words.greet;
    const shown = this.kept.turns.length || this.kept.queue.length ? [] : buttons;
    const greeting = { text, buttons: shown, claims: [], unknown: "", evidence: "", notes: [], urgent: false, by: "" };
    this.greeting.replaceChildren(h("div", {}, show.reply(greeting, new Map(), this.words, this.acts)));
  }

  /** What was said so far, and what waits. */
  private fill(): void {
    this.log.replaceChildren(this.about, this.greeting);
    this.greet();
    for (const turn of this.kept.turns) this.log.append(this.shown(turn));
    for (const message of this.kept.queue) this.log.append(this.bubble(message));
    this.settle();
  }

  /** The box in which a message is written: as the question wants it. */
  private compose(): void {
    const words = this.words;
    const focused = this.root.activeElement?.id === "message";
    const field = FIELDS[this.asking === "reach" ? this.by : (this.asking ?? "")];
    const box = field
      ? h("input", { id: "message", type: field[0], autocomplete: field[1], maxlength: "300" })
      : h("textarea", { id: "message", rows: "2", maxlength: String(MOST_LETTERS), autocomplete: "off" });
    box.value = this.kept.draft;
    box.addEventListener("input", () => (this.kept.draft = box.value));
    box.addEventListener("keydown", (event) => {
      const { key, shiftKey, isComposing } = event as KeyboardEvent;
      if (key === "Enter" && !shiftKey && !isComposing) this.submitted(event);
    });
    const dictate = button(this.stopListening ? words.dictate_stop : words.dictate, () => void this.dictate(), { id: "dictate" });
    const ways = (["phone", "email"] as const).map((way) =>
      button(words[`by_${way}`], () => this.reachBy(way), { "aria-pressed": String(this.by === way) }),
    );
    this.form.replaceChildren(
      this.status,
      ...(this.asking === "reach" ? [h("div", { class: "row" }, ...ways)] : []),
      h("label", { for: "message" }, words.message),
      h("div", { class: "row" }, box, voice.dictates && dictate, h("button", { class: "send" }, words.send)),
    );
    if (focused) box.focus();
  }

  private get box(): HTMLInputElement | HTMLTextAreaElement {
    return this.form.querySelector("#message") as HTMLInputElement;
  }

  private reachBy(way: "phone" | "email"): void {
    this.by = way;
    this.compose();
    this.box.focus();
  }

  private shown(turn: Turn): HTMLElement {
    const said = turn.said && show.said(WORDS[turn.language], turn.said, new Date(turn.at));
    const shown = h("div", { class: "turn", lang: turn.language }, said, ...show.answer(turn, this.acts));
    if (turn.id !== null) shown.dataset.turn = String(turn.id);
    return shown;
  }

  /** A message that is on its way, to which the answer is added when it comes. */
  private bubble(message: Outgoing): HTMLElement {
    const shown = h("div", { class: "turn", lang: this.kept.lang }, show.said(this.words, message.shown, new Date()));
    shown.dataset.message = message.id;
    return shown;
  }

  private find(name: "message" | "turn", value: string): HTMLElement | undefined {
    return Array.from(this.log.children, (each) => each as HTMLElement).find((each) => each.dataset[name] === value);
  }

  /** Only the newest choices can be chosen; what is new is in sight, and guidance in danger before all else. */
  private settle(): void {
    const answers = Array.from(this.log.querySelectorAll(".answer"));
    const last = this.log.lastElementChild;
    const newest = answers[answers.length - 1] ?? (last === this.greeting ? last : null);
    for (const each of Array.from(this.log.querySelectorAll(".choices"))) if (!newest?.contains(each)) each.remove();
    const seen = this.alarm ?? (last === this.greeting ? this.about : last);
    const scrolls = this.view.scrollHeight > this.view.clientHeight ? this.view : this.panel; // on low screens all of it
    if (seen) scrolls.scrollTop += seen.getBoundingClientRect().top - scrolls.getBoundingClientRect().top - 8;
  }

  private say(words: string | undefined): void {
    if (this.status.textContent !== (words ?? "")) this.status.textContent = words ?? "";
  }

  private readonly acts: show.Acts = {
    words: (language) => WORDS[language],
    choose: (choice) => this.choose(choice),
    rate: async (turn, helpful, reason) => {
      try {
        await this.server.feedback(this.kept.token, turn, helpful, reason);
        return true;
      } catch {
        this.say(this.words.not_now);
        return false;
      }
    },
  };

  // --- open and close -------------------------------------------------------------------------------------------------

  private visible(open: boolean): void {
    this.panel.hidden = !open;
    this.launcher.hidden = this.inline || open;
  }

  private open(): void {
    this.kept.open = true;
    this.visible(true);
    this.settle();
    this.catchUp();
    this.keep();
    this.box.focus();
  }

  private close(): void {
    this.kept.open = false;
    this.visible(false);
    this.launcher.focus();
    this.away();
    this.keep();
  }

  private escaped(): void {
    if (!this.options.hidden) this.toggleOptions();
    else if (!this.inline) this.close();
  }

  /** Nobody looks: nothing is listened to, said or followed any more. */
  private away(): void {
    this.stream?.abort();
    this.stream = null;
    this.stopListening?.();
    voice.hush();
    this.keep();
  }

  // --- messages -------------------------------------------------------------------------------------------------------

  private submitted(event: Event): void {
    event.preventDefault();
    const text = this.box.value.trim();
    this.box.focus();
    if (!text) return;
    this.box.value = this.kept.draft = "";
    this.post({ id: newId(), text, shown: text });
  }

  private choose(choice: Choice): void {
    this.post({ id: newId(), text: "", button: choice.payload, shown: choice.title });
    // The pressed button goes away, and the message box would open a keyboard; from here the next Tab leads to the answer.
    const said = this.log.lastElementChild?.querySelector<HTMLElement>(".said");
    if (said) said.tabIndex = -1;
    said?.focus({ preventScroll: true });
  }

  private post(message: Outgoing): void {
    if (this.kept.chosen) message.lang = this.kept.lang;
    this.kept.queue.push(message);
    if (this.alarm) this.since.add(message.id);
    this.log.append(this.bubble(message));
    this.settle();
    this.keep();
    if (!navigator.onLine) this.delayed();
    void this.queue.run();
  }

  private async send(message: Outgoing): Promise<Turns> {
    const timers = this.late ? [] : [setTimeout(() => this.say(this.words.working), WORKING)];
    timers.push(setTimeout(() => this.say(this.words.slow), SLOW));
    try {
      if (!this.kept.token) await this.renew();
      try {
        return await this.server.send(this.kept.token, message);
      } catch (error) {
        if (!(error instanceof Failed) || error.status !== 401) throw error;
        await this.renew();
        return await this.server.send(this.kept.token, message);
      }
    } finally {
      timers.forEach(clearTimeout);
    }
  }

  /** A new session, which goes on with the old conversation where the server still allows it. */
  private async renew(): Promise<void> {
    const had = this.kept.token;
    const { token, continued } = await this.server.session(this.kept.lang, had);
    if (this.kept.token !== had) return; // it was deleted meanwhile
    this.kept.token = token;
    if (had && !continued) {
      const waiting = this.find("message", this.kept.queue[0]?.id ?? "") ?? null;
      this.log.insertBefore(h("p", { class: "small" }, this.words.expired), waiting);
      this.kept.turns = [];
    }
    this.keep();
  }

  private answered(message: Outgoing, told: Turns): void {
    this.say("");
    this.late = false;
    this.kept.token = told.token;
    const bubble = this.find("message", message.id);
    if (this.since.delete(message.id)) this.alarm = null;
    for (const turn of told.turns) this.add(turn, bubble);
    this.take(told);
    for (const early of this.early.splice(0)) this.heard(early, true);
    this.settle();
    this.follow();
  }

  /** What came without having been asked for; while an answer is awaited it waits, too, as it may be the same. */
  private heard(told: Turns, old = false): void {
    if (this.queue.busy && this.kept.queue.length) return void this.early.push(told);
    this.kept.heard = Math.max(this.kept.heard, ...told.turns.map((turn) => turn.id ?? 0));
    const added = told.turns.filter((turn) => this.add(turn));
    if (!old) this.take(told);
    if (added.length) this.settle();
  }

  private take(told: Turns): void {
    if (told.asking !== this.asking) {
      this.asking = told.asking;
      this.compose();
    }
    setTimeout(() => this.keep()); // after the answer stands there
  }

  /** Shows a turn that is not there yet, below the message that it answers; false if it was there. */
  private add(turn: Turn, bubble?: HTMLElement): boolean {
    if (turn.id !== null && this.find("turn", String(turn.id))) {
      bubble?.remove();
      return false;
    }
    if (!this.kept.chosen && turn.language !== this.kept.lang) {
      this.kept.lang = turn.language; // the chat speaks as the person does
      this.label();
    }
    const urgent = turn.replies.some((each) => each.urgent);
    if (urgent && !this.inline && !this.kept.open) {
      this.kept.open = true; // guidance in danger is never hidden behind a button
      this.visible(true);
    }
    this.log.setAttribute("aria-live", urgent ? "assertive" : "polite");
    const shown = bubble?.isConnected ? bubble : this.shown(turn);
    if (shown === bubble) {
      delete shown.dataset.message;
      show.settled(shown);
      shown.lang = turn.language;
      if (turn.id !== null) shown.dataset.turn = String(turn.id);
      shown.append(...show.answer(turn, this.acts));
    } else {
      this.log.insertBefore(shown, this.find("message", this.kept.queue[0]?.id ?? "") ?? null);
    }
    this.kept.turns.push(turn);
    if (urgent) this.alarm = shown.querySelector(".urgent");
    if (this.kept.aloud && (urgent || bubble || turn.decision === "staff")) this.readAloud(turn, urgent);
    return true;
  }

  private delayed(): void {
    this.late = true;
    this.say(navigator.onLine ? this.words.again : this.words.offline);
    for (const { id } of this.kept.queue) show.mark(this.find("message", id), this.words.waiting);
    this.keep();
  }

  private refused(message: Outgoing): void {
    this.late = false;
    show.mark(this.find("message", message.id), this.words.refused);
    if (!this.kept.draft) this.box.value = this.kept.draft = message.text; // to be written in another way
    this.say("");
    this.keep();
  }

  // --- what others say: another tab, the clinic's staff ---------------------------------------------------------------

  private async catchUp(): Promise<void> {
    if (this.kept.queue.length) {
      this.queue.hurry();
      void this.queue.run();
    }
    const { token } = this.kept;
    if (!token) return;
    try {
      const told = await this.server.turns(token, this.last());
      if (this.kept.token !== token) return; // a newer answer has come, or it was deleted
      this.kept.token = told.token;
      this.heard(told);
    } catch (error) {
      if (error instanceof Failed && error.status === 401) await this.renew().catch(() => undefined);
    }
    this.follow();
  }

  /** Up to where all was heard. An answer to a message tells nothing of what came before it. */
  private last(): number {
    return this.kept.heard;
  }

  private follow(): void {
    if (this.stream || !this.kept.token || document.hidden || !this.isConnected || this.panel.hidden) return;
    const stop = (this.stream = new AbortController());
    const again = (): void => {
      if (stop.signal.aborted) return;
      this.stream = null;
      setTimeout(() => !this.stream && !this.panel.hidden && !document.hidden && this.isConnected && void this.catchUp(), LOOK);
    };
    this.server.stream(this.kept.token, this.last(), (told) => this.heard(told), stop.signal).then(again, again);
  }

  /** What is deleted in one tab must not stay in another. */
  private meetOthers(): void {
    if (!("BroadcastChannel" in window)) return;
    this.tabs = new BroadcastChannel("muse-chat-deleted");
    this.tabs.onmessage = ({ data }) => {
      if (Array.isArray(data) && this.kept.turns.some((turn) => data.includes(turn.id))) this.empty();
    };
  }

  /** The page comes back as it was left; meanwhile the conversation may have been deleted. */
  private returned(): void {
    const now = keep.read(this.kept.lang);
    if (now.token === this.kept.token) return;
    this.empty();
    Object.assign(this.kept, { ...now, queue: this.kept.queue });
    this.fill();
    this.catchUp();
  }

  // --- options --------------------------------------------------------------------------------------------------------

  private toggleOptions(): void {
    this.options.hidden = !this.options.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.options.hidden));
    if (this.options.hidden) return this.opener.focus();
    this.listOptions();
    (this.options.firstElementChild as HTMLElement).focus();
  }

  private listOptions(): void {
    const words = this.words;
    const { large, aloud, remembered } = this.kept;
    const list: [label: string | undefined, press: () => void, shown?: boolean][] = [
      [words.human, () => (this.toggleOptions(), this.choose({ title: words.human ?? "", payload: "/human" }))],
      [large ? words.text_size_back : words.text_size, () => this.set({ large: !large })],
      [aloud ? words.read_aloud_off : words.read_aloud, () => this.setAloud(!aloud), voice.reads],
      [words.copy, () => void this.copy()],
      [words.print, () => this.print()],
      [remembered ? words.remember_off : words.remember, () => this.remember(!remembered)],
      [words.delete, () => this.confirm(words.delete_sure, words.delete_yes, words.delete_no, () => void this.forget())],
    ];
    const shown = list.filter(([, , wanted]) => wanted !== false);
    this.options.replaceChildren(...shown.map(([label, press]) => button(label, press)));
  }

  private set(change: Partial<keep.Kept>): void {
    const at = Array.from(this.options.children).indexOf(this.root.activeElement as Element);
    Object.assign(this.kept, change);
    this.classList.toggle("large", this.kept.large);
    this.keep();
    this.listOptions();
    (this.options.children[at] as HTMLElement | undefined)?.focus();
    this.settle();
  }

  private setAloud(aloud: boolean): void {
    voice.hush();
    this.set({ aloud });
    const last = this.kept.turns[this.kept.turns.length - 1];
    if (aloud && last) this.readAloud(last, true); // a browser that wants a press before it speaks has had it
  }

  private readAloud(turn: Turn, now: boolean): void {
    if (now) voice.hush();
    voice.speak(show.spoken(turn, WORDS[turn.language]), turn.language);
  }

  private confirm(question: string | undefined, yes: string | undefined, no: string | undefined, act: () => void): void {
    const back = (): void => this.toggleOptions();
    const ask = h("div", { class: "ask", role: "group", "aria-labelledby": "sure", tabindex: "-1" }, h("p", { id: "sure" }, question));
    ask.append(button(yes, () => (back(), act())), button(no, back));
    this.options.replaceChildren(ask);
    this.options.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    ask.focus();
  }

  private switchLanguage(): void {
    this.kept.lang = other(this.kept.lang);
    this.kept.chosen = true;
    this.say("");
    this.label();
    this.keep();
  }

  private remember(wanted: boolean): void {
    this.kept.remembered = wanted;
    if (!wanted) keep.forget();
    this.keep();
    this.toggleOptions();
    this.say(wanted ? this.words.remembered : this.words.forgotten);
  }

  private async copy(): Promise<void> {
    this.toggleOptions();
    const text = this.kept.turns.map((turn) => show.plain(turn, WORDS[turn.language])).join("\n\n");
    try {
      await navigator.clipboard.writeText(text);
      this.say(this.words.copied);
    } catch {
      this.say(this.words.not_copied);
    }
  }

  private print(): void {
    this.toggleOptions();
    const undo = styled(document, PRINTED);
    window.print();
    undo();
  }

  private async forget(): Promise<void> {
    this.say(this.words.working);
    try {
      if (this.kept.token) await this.server.delete(this.kept.token);
    } catch (error) {
      if (!(error instanceof Failed) || error.status !== 401) return this.say(this.words.not_deleted);
      try {
        await this.renew(); // an old token is renewed, to be deleted with
        await this.server.delete(this.kept.token);
      } catch {
        return this.say(this.words.not_deleted);
      }
    }
    this.tabs?.postMessage(this.kept.turns.map((turn) => turn.id));
    this.empty();
    this.say(this.words.deleted);
    this.box.focus();
  }

  /** Nothing of the conversation stays in this browser. */
  private empty(): void {
    this.away();
    if (this.kept.remembered) keep.forget();
    Object.assign(this.kept, { token: "", turns: [], draft: "", remembered: false });
    this.kept.queue.length = this.early.length = 0;
    this.asking = this.alarm = null;
    this.late = false;
    this.compose();
    this.fill();
    this.say("");
    this.keep();
  }

  // --- dictation ------------------------------------------------------------------------------------------------------

  private async dictate(): Promise<void> {
    if (this.stopListening) return this.stopListening();
    const local = await voice.isLocal(this.kept.lang);
    const { dictate_notice, dictate_yes, dictate_no } = this.words;
    if (local || this.kept.dictates) return this.listen(local);
    this.confirm(dictate_notice, dictate_yes, dictate_no, () => {
      this.kept.dictates = true;
      this.listen(false);
    });
  }

  private listen(local: boolean): void {
    const relabel = (): void => {
      const dictate = this.form.querySelector("#dictate");
      if (dictate) dictate.textContent = (this.stopListening ? this.words.dictate_stop : this.words.dictate) ?? "";
    };
    const done = (heard: string, denied = false): void => {
      this.stopListening = null;
      relabel();
      if (this.panel.hidden || document.hidden) return; // closed meanwhile: nobody would see what was written
      if (!heard) return this.say(denied ? this.words.dictate_denied : this.words.dictate_failed);
      this.box.value = this.kept.draft = `${this.box.value} ${heard}`.trim().slice(0, MOST_LETTERS);
      this.box.focus(); // it is read once more before it is sent
    };
    try {
      this.stopListening = voice.listen(this.kept.lang, local, done);
      relabel();
    } catch {
      done("");
    }
  }

  // --- the rest -------------------------------------------------------------------------------------------------------

  private keep(): void {
    keep.write(this.kept);
  }

  /** The clinic's colour, with letters on it that can be read; a colour that lets others shine through is none. */
  private paint(): void {
    const wanted = this.dataset.color ?? "";
    if (!wanted || !CSS.supports("color", wanted)) return;
    const probe = h("i");
    probe.style.color = wanted;
    this.panel.append(probe);
    const parts = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(getComputedStyle(probe).color)?.slice(1).map(Number);
    probe.remove();
    if (!parts || /inherit|var\(|currentcolor/i.test(wanted)) return;
    const [r = 0, g = 0, b = 0] = parts.map((each) => (each / 255 <= 0.04045 ? each / 3294.6 : ((each / 255 + 0.055) / 1.055) ** 2.4));
    const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    this.style.setProperty("--fill", wanted);
    this.style.setProperty("--on-fill", light > 0.179 ? "#000" : "#fff");
  }
}

function other(lang: Lang): Lang {
  return lang === "en" ? "es" : "en";
}

/** What the page says, else what the browser wants. */
function languageOf(element: HTMLElement): Lang {
  const said = [element.dataset.lang, element.lang, document.documentElement.lang, ...navigator.languages];
  const found = said.map((each) => (each ?? "").slice(0, 2).toLowerCase()).find((each) => each === "en" || each === "es");
  return (found as Lang | undefined) ?? "es";
}

function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");
}

if (!customElements.get("muse-chat")) customElements.define("muse-chat", MuseChat);

// One line on a page is enough: without an element of its own the button stands at the edge of the window.
const script = Array.from(document.scripts).find((each) => each.src === HERE.href);
if (!document.querySelector("muse-chat")) {
  const chat = document.createElement("muse-chat");
  Object.assign(chat.dataset, script?.dataset);
  document.body.append(chat);
}
