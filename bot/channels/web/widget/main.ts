// <muse-chat>: a button on the page and a conversation behind it, or the conversation alone inside of a page.

import { button, h } from "./dom";
import * as keep from "./keep";
import { Queue } from "./queue";
import { Failed, Server } from "./server";
import * as show from "./show";
import { PRINTED, STYLES } from "./styles";
import type { Choice, Lang, Outgoing, Turn, Turns, Words } from "./types";
import * as voice from "./voice";

const HERE = new URL(import.meta.url);
const SLOW = 600; // milliseconds until it is said that the answer is being looked for
const LOOK = 5000; // milliseconds between two looks for new answers where streams do not work
const FIELDS: Record<string, [type: string, autocomplete: string]> = {
  name: ["text", "name"],
  phone: ["tel", "tel"],
  email: ["email", "email"],
  country: ["text", "country-name"],
};

class MuseChat extends HTMLElement {
  private readonly server = new Server(HERE.origin);
  private readonly root = this.attachShadow({ mode: "open" });
  private kept: keep.Kept = { ...empty(), lang: languageOf(this), ...keep.read() };
  private asking: string | null = null;
  private by: "phone" | "email" = "phone";
  private stopListening: (() => void) | null = null;
  private stream: AbortController | null = null;
  private early: Turns[] = []; // what the stream told while an answer was awaited
  private log = h("div");
  private view = h("div");
  private status = h("p");
  private options = h("div");
  private form = h("form");
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
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    this.root.adoptedStyleSheets = [sheet];
    this.paint();
    this.build();
    if (this.inline || this.kept.open) this.opened();
    addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.deaf() : this.follow()));
  }

  // --- what stands on the screen --------------------------------------------------------------------------------------

  private build(): void {
    const words = this.words;
    this.lang = this.kept.lang;
    this.classList.toggle("large", this.kept.large);
    const launcher = button(words.launcher ?? "", () => this.open(), { class: "launcher", "aria-haspopup": "dialog" });
    this.log = h("div", { role: "log", "aria-label": words.conversation, "aria-live": "polite" });
    this.view = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": words.conversation }, this.log);
    this.log.removeAttribute("aria-label");
    this.status = h("p", { class: "status", role: "status" });
    this.options = h("div", { class: "options", id: "options", hidden: true });
    this.form = h("form", { submit: (event) => this.submitted(event) });
    const more = button(words.options ?? "", () => this.toggleOptions(), { "aria-expanded": "false", "aria-controls": "options" });
    const panel = h(
      "div",
      this.inline
        ? { class: "panel", role: "region", "aria-labelledby": "title" }
        : { class: "panel", role: "dialog", "aria-labelledby": "title", "aria-describedby": "about", tabindex: "-1" },
      h(
        "div",
        { class: "top" },
        h("h2", { id: "title" }, words.title),
        button(words.other_language ?? "", () => this.switchLanguage(), { lang: other(this.kept.lang) }),
        more,
        !this.inline && button(words.close ?? "", () => this.close()),
      ),
      this.options,
      this.view,
      this.form,
    );
    panel.hidden = !this.inline && !this.kept.open;
    launcher.hidden = this.inline || this.kept.open;
    panel.addEventListener("keydown", (event) => event.key === "Escape" && this.escaped());
    this.root.replaceChildren(...(this.inline ? [panel] : [launcher, panel]));
    this.compose();
    this.greet();
    for (const turn of this.kept.turns) this.log.append(this.shown(turn));
    for (const message of this.kept.queue) this.log.append(this.bubble(message));
    this.settle();
  }

  private greet(): void {
    const { text, buttons } = this.words.greet;
    const greeting = { text, buttons, claims: [], unknown: "", evidence: "", notes: [], urgent: false };
    this.log.append(
      h("p", { class: "small", id: "about" }, this.words.subtitle),
      h("div", { class: "turn" }, h("div", { class: "answer" }, show.reply(greeting, new Map(), this.words, this.acts))),
    );
  }

  /** The box in which a message is written: as the question wants it. */
  private compose(): void {
    const words = this.words;
    const field = FIELDS[this.asking === "reach" ? this.by : (this.asking ?? "")];
    const box = field
      ? h("input", { id: "message", type: field[0], autocomplete: field[1], maxlength: "300" })
      : h("textarea", { id: "message", rows: "2", maxlength: "4000", autocomplete: "off" });
    box.value = this.kept.draft;
    box.addEventListener("input", () => (this.kept.draft = box.value));
    box.addEventListener("keydown", (event) => {
      const { key, shiftKey, isComposing } = event as KeyboardEvent;
      if (key !== "Enter" || shiftKey || isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    const dictate = button(words.dictate ?? "", () => this.dictate(), { id: "dictate" });
    const ways = (["phone", "email"] as const).map((way) =>
      button(words[`by_${way}`] ?? "", () => this.reachBy(way), { "aria-pressed": String(this.by === way) }),
    );
    this.form.replaceChildren(
      this.status,
      ...(this.asking === "reach" ? [h("div", { class: "row" }, ...ways)] : []),
      h("label", { for: "message" }, words.message),
      h("div", { class: "row" }, box, voice.dictates && dictate, h("button", { class: "send" }, words.send)),
    );
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
    const shown = show.turn(turn, this.acts);
    if (turn.id !== null) shown.dataset.turn = String(turn.id);
    return shown;
  }

  private bubble(message: Outgoing, waiting = true): HTMLElement {
    const shown = h("div", { class: "turn" }, show.said(this.words, message.shown, this.kept.lang, new Date(), waiting));
    shown.dataset.message = message.id;
    return shown;
  }

  private find(name: "message" | "turn", value: string): HTMLElement | undefined {
    return Array.from(this.log.children, (each) => each as HTMLElement).find((each) => each.dataset[name] === value);
  }

  /** Only the newest choices can be chosen; what is new is in sight. */
  private settle(): void {
    const choices = Array.from(this.log.querySelectorAll(".choices"));
    const last = this.log.lastElementChild;
    for (const each of choices) if (!last?.contains(each)) each.remove();
    const scrolls = this.view.scrollHeight > this.view.clientHeight ? this.view : this.panel(); // on low screens all of it
    if (last && scrolls) scrolls.scrollTop += last.getBoundingClientRect().top - scrolls.getBoundingClientRect().top - 8;
  }

  private say(words: string | undefined): void {
    if (this.status.textContent !== words) this.status.textContent = words ?? "";
  }

  private readonly acts: show.Acts = {
    words: (language) => WORDS[language],
    choose: (choice) => this.choose(choice),
    rate: (turn, helpful, reason) => void this.server.feedback(this.kept.token, turn, helpful, reason).catch(() => undefined),
  };

  // --- open and close -------------------------------------------------------------------------------------------------

  private open(): void {
    this.kept.open = true;
    this.panel().hidden = false;
    this.launcher().hidden = true;
    this.opened();
    this.box.focus();
  }

  private opened(): void {
    this.settle();
    this.catchUp();
    this.keep();
  }

  private close(): void {
    this.kept.open = false;
    this.panel().hidden = true;
    this.launcher().hidden = false;
    this.launcher().focus();
    this.deaf();
    voice.hush();
    this.keep();
  }

  private escaped(): void {
    if (!this.options.hidden) this.toggleOptions();
    else if (!this.inline) this.close();
  }

  private panel(): HTMLElement {
    return this.root.querySelector(".panel") as HTMLElement;
  }

  private launcher(): HTMLElement {
    return this.root.querySelector(".launcher") as HTMLElement;
  }

  // --- messages -------------------------------------------------------------------------------------------------------

  private submitted(event: Event): void {
    event.preventDefault();
    const text = this.box.value.trim();
    if (!text) return this.box.focus();
    this.box.value = this.kept.draft = "";
    this.post({ id: newId(), text, shown: text });
    this.box.focus();
  }

  private choose(choice: Choice): void {
    this.post({ id: newId(), text: "", button: choice.payload, shown: choice.title });
    this.focusSaid(this.log.lastElementChild); // the pressed button goes away; the message box would open a keyboard
  }

  private post(message: Outgoing): void {
    if (this.kept.chosen) message.lang = this.kept.lang;
    this.kept.queue.push(message);
    this.log.append(this.bubble(message, false));
    this.settle();
    this.keep();
    if (!navigator.onLine) this.delayed();
    void this.queue.run();
  }

  /** From here the next Tab leads into the answer. */
  private focusSaid(turn: Element | null | undefined): void {
    const said = turn?.querySelector<HTMLElement>(".said");
    if (!said) return;
    said.tabIndex = -1;
    said.focus({ preventScroll: true });
  }

  private async send(message: Outgoing): Promise<Turns> {
    const slow = setTimeout(() => this.say(this.words.working), SLOW);
    try {
      if (!this.kept.token) await this.renew();
      return await this.server.send(this.kept.token, message);
    } catch (error) {
      if (!(error instanceof Failed) || error.status !== 401) throw error;
      await this.renew();
      return await this.server.send(this.kept.token, message);
    } finally {
      clearTimeout(slow);
    }
  }

  /** A new session, which goes on with the old conversation where the server still allows it. */
  private async renew(): Promise<void> {
    const had = this.kept.token;
    const { token, continued } = await this.server.session(this.kept.lang, had);
    this.kept.token = token;
    if (had && !continued) {
      this.log.insertBefore(h("p", { class: "small" }, this.words.expired), this.find("message", this.kept.queue[0]?.id ?? "") ?? null);
      this.kept.turns = [];
    }
    this.keep();
  }

  private answered(message: Outgoing, told: Turns): void {
    this.say("");
    const bubble = this.find("message", message.id);
    const focused = !!bubble?.contains(this.root.activeElement);
    bubble?.remove();
    for (const turn of told.turns) this.add(turn);
    this.kept.token = told.token;
    this.take(told);
    const [first] = told.turns;
    if (focused && first) this.focusSaid(this.find("turn", String(first.id)));
    for (const early of this.early.splice(0)) this.heard(early);
    this.follow();
  }

  /** What came without having been asked for; while an answer is awaited it waits, too, as it may be the same. */
  private heard(told: Turns): void {
    if (this.queue.busy && this.kept.queue.length) return void this.early.push(told);
    for (const turn of told.turns) this.add(turn);
    this.take(told);
  }

  private take(told: Turns): void {
    if (told.asking !== this.asking) {
      const focused = this.root.activeElement === this.box;
      this.asking = told.asking;
      this.compose();
      if (focused) this.box.focus();
    }
    this.settle();
    this.keep();
  }

  private add(turn: Turn): void {
    if (turn.id !== null && this.find("turn", String(turn.id))) return;
    if (!this.kept.chosen && turn.language !== this.kept.lang) {
      this.kept.lang = turn.language; // the chat speaks as the person does
      this.rebuild();
    }
    const urgent = turn.replies.some((each) => each.urgent);
    this.log.setAttribute("aria-live", urgent ? "assertive" : "polite");
    this.log.insertBefore(this.shown(turn), this.find("message", this.kept.queue[0]?.id ?? "") ?? null);
    this.kept.turns.push(turn);
    if (this.kept.aloud) voice.speak(show.spoken(turn), turn.language);
  }

  private delayed(): void {
    this.say(navigator.onLine ? this.words.again : this.words.offline);
    for (const message of this.kept.queue) this.find("message", message.id)?.replaceWith(this.bubble(message));
    this.keep();
  }

  private refused(message: Outgoing): void {
    this.find("message", message.id)?.remove();
    if (!this.kept.draft) this.box.value = this.kept.draft = message.text; // nothing typed is lost
    this.say(this.words.refused);
    this.keep();
  }

  // --- what others say: another tab, the clinic's staff ---------------------------------------------------------------

  private async catchUp(): Promise<void> {
    if (this.kept.queue.length) void this.queue.run();
    if (!this.kept.token) return;
    try {
      const told = await this.server.turns(this.kept.token, this.last());
      this.kept.token = told.token;
      this.heard(told);
    } catch (error) {
      if (error instanceof Failed && error.status === 401) await this.renew().catch(() => undefined);
    }
    this.follow();
  }

  private last(): number {
    return Math.max(0, ...this.kept.turns.map((turn) => turn.id ?? 0));
  }

  private follow(): void {
    if (this.stream || !this.kept.token || document.hidden || !(this.inline || this.kept.open)) return;
    const stop = (this.stream = new AbortController());
    const again = (): void => {
      if (this.stream === stop) this.stream = null;
      if (!stop.signal.aborted) setTimeout(() => this.catchUp(), LOOK);
    };
    this.server.stream(this.kept.token, this.last(), (told) => this.heard(told), stop.signal).then(again, again);
  }

  private deaf(): void {
    this.stream?.abort();
    this.stream = null;
  }

  // --- options --------------------------------------------------------------------------------------------------------

  private toggleOptions(): void {
    const opener = this.root.querySelector("[aria-controls=options]") as HTMLElement;
    this.options.hidden = !this.options.hidden;
    opener.setAttribute("aria-expanded", String(!this.options.hidden));
    if (this.options.hidden) return opener.focus();
    this.listOptions();
    (this.options.firstElementChild as HTMLElement).focus();
  }

  private listOptions(): void {
    const words = this.words;
    const { large, aloud } = this.kept;
    const remembered = keep.remembers();
    const list: [label: string | undefined, press: () => void, shown?: boolean][] = [
      [words.human, () => (this.toggleOptions(), this.choose({ title: words.human ?? "", payload: "/human" }))],
      [large ? words.text_size_back : words.text_size, () => this.set({ large: !large })],
      [aloud ? words.read_aloud_off : words.read_aloud, () => (voice.hush(), this.set({ aloud: !aloud })), voice.reads],
      [words.copy, () => void this.copy()],
      [words.print, () => this.print()],
      [remembered ? words.remember_off : words.remember, () => this.remember(!remembered)],
      [words.delete, () => this.confirm(words.delete_sure, words.delete_yes, words.delete_no, () => void this.forget())],
    ];
    const shown = list.filter(([, , wanted]) => wanted !== false);
    this.options.replaceChildren(...shown.map(([label, press]) => button(label ?? "", press)));
  }

  private set(change: Partial<keep.Kept>): void {
    Object.assign(this.kept, change);
    this.classList.toggle("large", this.kept.large);
    this.keep();
    const at = Array.from(this.options.children).indexOf(this.root.activeElement as Element);
    this.listOptions();
    (this.options.children[at] as HTMLElement | undefined)?.focus();
  }

  private confirm(question: string | undefined, yes: string | undefined, no: string | undefined, act: () => void): void {
    const back = (): void => this.toggleOptions();
    const ask = h("div", { class: "ask", role: "group", "aria-labelledby": "sure", tabindex: "-1" }, h("p", { id: "sure" }, question));
    ask.append(button(yes ?? "", () => (back(), act())), button(no ?? "", back));
    this.options.replaceChildren(ask);
    this.options.hidden = false;
    ask.focus();
  }

  private switchLanguage(): void {
    this.kept.lang = other(this.kept.lang);
    this.kept.chosen = true;
    this.rebuild();
    (this.root.querySelector(".top button") as HTMLElement).focus();
  }

  private rebuild(): void {
    const focused = this.root.activeElement === this.box;
    this.build();
    if (focused) this.box.focus();
    this.keep();
  }

  private remember(wanted: boolean): void {
    keep.remember(this.kept, wanted);
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
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(PRINTED);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    window.print();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
  }

  private async forget(): Promise<void> {
    try {
      if (this.kept.token) await this.server.delete(this.kept.token);
    } catch {
      return this.say(this.words.again);
    }
    this.deaf();
    voice.hush();
    keep.remember(this.kept, false);
    Object.assign(this.kept, { token: "", turns: [], draft: "" });
    this.kept.queue.length = 0;
    this.asking = null;
    this.rebuild();
    this.say(this.words.deleted);
    this.box.focus();
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
    const words = this.words;
    const label = (text: string | undefined): void => {
      const dictate = this.form.querySelector("#dictate");
      if (dictate) dictate.textContent = text ?? "";
    };
    const done = (heard: string): void => {
      this.stopListening = null;
      label(words.dictate);
      if (!heard) return this.say(words.dictate_failed);
      this.box.value = this.kept.draft = `${this.box.value} ${heard}`.trim();
      this.box.focus(); // it is read once more before it is sent
    };
    try {
      this.stopListening = voice.listen(this.kept.lang, local, done);
      label(words.dictate_stop);
    } catch {
      done("");
    }
  }

  // --- the rest -------------------------------------------------------------------------------------------------------

  private keep(): void {
    keep.write(this.kept);
  }

  /** The clinic's colour, with letters on it that can be read. */
  private paint(): void {
    const wanted = this.dataset.color ?? "";
    if (!wanted || !CSS.supports("color", wanted)) return;
    const probe = h("i");
    probe.style.color = wanted;
    this.root.append(probe);
    const parts = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
    probe.remove();
    const [r = 0, g = 0, b = 0] = parts.map((each) => (each / 255 <= 0.04045 ? each / 3294.6 : ((each / 255 + 0.055) / 1.055) ** 2.4));
    const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    this.style.setProperty("--fill", wanted);
    this.style.setProperty("--on-fill", light > 0.179 ? "#000" : "#fff");
  }
}

function empty(): keep.Kept {
  const no = { chosen: false, open: false, large: false, aloud: false, dictates: false };
  return { token: "", lang: "es", ...no, queue: [], turns: [], draft: "" };
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
