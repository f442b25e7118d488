// A strict content security policy allows style sheets of this kind.

const STYLES = `
:host { --fill: #0b5567; --on-fill: #fff; --ink: #1b2430; --paper: #fff; --soft: #eef3f7; --line: #52606d; --alarm: #a3131f; --on-alarm: #fff; --r: max(1rem, 16px); }
@media (prefers-color-scheme: dark) { :host { --ink: #edf1f5; --paper: #12181f; --soft: #1f2933; --line: #93a1b0; --alarm: #ff8a8f; --on-alarm: #2b0508; } }
.launcher, .panel { all: initial; direction: ltr; color-scheme: light dark; font: calc(1.0625 * var(--r))/1.5 system-ui, sans-serif; color: var(--ink); }
:host(.large) .panel { font-size: calc(1.4 * var(--r)); }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
button, a.big, textarea, input { font: inherit; color: inherit; margin: 0; box-sizing: border-box; min-height: 48px; border-radius: calc(.5 * var(--r)); }
button, a.big { display: inline-block; padding: calc(.6 * var(--r)) calc(.9 * var(--r)); border: 2px solid var(--line); background: var(--paper); cursor: pointer; text-align: start; overflow-wrap: anywhere; }
a { color: inherit; }
.launcher, .send { background: var(--fill); color: var(--on-fill); border-color: var(--fill); font-weight: 600; }
.launcher { position: fixed; inset-block-end: calc(1 * var(--r)); inset-inline-end: calc(1 * var(--r)); z-index: 2147483000; padding: calc(.9 * var(--r)) calc(1.3 * var(--r)); border-radius: calc(2 * var(--r)); box-shadow: 0 2px 10px rgb(0 0 0 / .35); max-width: calc(100vw - calc(2 * var(--r))); }
:host([data-position="left"]) .launcher { inset-inline: calc(1 * var(--r)) auto; }
.panel { display: flex; flex-direction: column; background: var(--paper); border: 2px solid var(--line); border-radius: calc(.75 * var(--r)); overflow: hidden; }
:host(:not(.inline)) .panel { position: fixed; inset-block-end: calc(1 * var(--r)); inset-inline-end: calc(1 * var(--r)); z-index: 2147483001; width: min(calc(28 * var(--r)), calc(100vw - calc(2 * var(--r)))); height: min(calc(44 * var(--r)), calc(100vh - calc(2 * var(--r)))); height: min(calc(44 * var(--r)), calc(100dvh - calc(2 * var(--r)))); box-shadow: 0 4px 24px rgb(0 0 0 / .35); }
@media (min-width: 30rem) { :host(.large:not(.inline)) .panel { width: min(calc(40 * var(--r)), calc(100vw - calc(2 * var(--r)))); } }
:host([data-position="left"]) .panel { inset-inline: calc(1 * var(--r)) auto; }
:host(.inline) .panel { height: 100%; }
@media (max-width: 30rem), (max-height: 34rem) { :host(:not(.inline)) .panel { inset: 0; width: 100%; height: 100vh; height: 100dvh; border: 0; border-radius: 0; } }
.top { display: flex; flex-wrap: wrap; gap: calc(.5 * var(--r)); align-items: center; padding: calc(.5 * var(--r)) calc(.75 * var(--r)); border-bottom: 2px solid var(--line); }
h2 { font-size: 1.1em; margin: 0; flex: 1 1 calc(5 * var(--r)); }
.top button { padding: calc(.4 * var(--r)) calc(.6 * var(--r)); font-size: min(1em, calc(1.15 * var(--r))); }
.scroll { position: relative; flex: 1 1 0; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: calc(.75 * var(--r)); }
.options { display: grid; gap: calc(.5 * var(--r)); padding: calc(.75 * var(--r)); border-bottom: 2px solid var(--line); overflow-y: auto; max-height: 60%; flex: 0 1 auto; min-height: 0; }
@media (max-height: 22rem) { .panel { overflow-y: auto; } .scroll, .options { flex: none; overflow: visible; max-height: none; } }
@media (max-width: 30rem) { form button, .top button, label { padding: calc(.6 * var(--r)); font-size: min(1em, calc(1.0625 * var(--r))); } label { padding: 0; } h2 { flex-basis: 100%; font-size: calc(1 * var(--r)); } }
p { margin: calc(.35 * var(--r)) 0; }
.who, .small, .state { font-size: .9em; }
.who { margin-top: calc(.9 * var(--r)); font-weight: 600; }
time { font-weight: 400; }
.said .text, .reply { padding: calc(.6 * var(--r)) calc(.8 * var(--r)); border-radius: calc(.5 * var(--r)); overflow-wrap: anywhere; white-space: pre-line; }
.said .text { background: var(--soft); margin-inline-start: calc(2 * var(--r)); }
.said .who { text-align: end; }
.waiting .text { border: 2px dashed var(--line); }
.reply { border: 1px solid var(--line); margin-block: calc(.4 * var(--r)); }
.reply > .text { margin-top: 0; }
.staff .reply { border: 2px solid var(--fill); }
.urgent { border: 4px solid var(--alarm); font-size: 1.12em; }
.urgent > .text { font-weight: 700; }
.urgent a.big { background: var(--alarm); color: var(--on-alarm); border-color: var(--alarm); font-weight: 700; }
.reply ul, .reply ol { padding-inline-start: calc(1.3 * var(--r)); margin: calc(.4 * var(--r)) 0; }
.reply li { margin-block: calc(.5 * var(--r)); }
.choices { display: grid; gap: calc(.5 * var(--r)); }
.big { display: block; width: 100%; text-decoration: none; }
a.big { margin-block: calc(.5 * var(--r)); }
.sources { display: flex; flex-wrap: wrap; gap: calc(.5 * var(--r)); margin: calc(.3 * var(--r)) 0; }
.source, .quiet { border-width: 1px; padding: calc(.25 * var(--r)) calc(.7 * var(--r)); font-size: .9em; }
.note { padding: calc(.4 * var(--r)) calc(.7 * var(--r)); border-inline-start: 4px solid var(--line); background: var(--soft); font-size: .95em; }
.note a { display: inline-flex; align-items: center; min-height: 48px; }
.rating, .row { display: flex; flex-wrap: wrap; gap: calc(.5 * var(--r)); margin: calc(.5 * var(--r)) 0; align-items: center; }
.rating p { flex-basis: 100%; }
form { flex: none; padding: calc(.6 * var(--r)) calc(.75 * var(--r)); border-top: 2px solid var(--line); }
label { font-weight: 600; }
.row textarea, .row input { flex: 1 1 calc(7 * var(--r)); min-width: 0; padding: calc(.6 * var(--r)); border: 2px solid var(--line); background: var(--paper); resize: none; field-sizing: content; max-height: calc(9 * var(--r)); }
.status { margin: 0; font-size: .95em; }
.ask { border: 2px solid var(--line); border-radius: calc(.5 * var(--r)); padding: calc(.6 * var(--r)); display: grid; gap: calc(.5 * var(--r)); }
:focus-visible { outline: 4px solid var(--ink); outline-offset: 2px; box-shadow: 0 0 0 2px var(--paper); }
.answer:focus, .ask:focus, p:focus { outline: none; }
@media (forced-colors: active) { button, a.big, .reply, .said .text, .panel { border: 2px solid ButtonText; } .urgent { border-width: 4px; } }
@media (prefers-reduced-motion: no-preference) { .scroll { scroll-behavior: smooth; } }
@media print { .launcher, form, .options, .top button, .rating, .choices, .status { display: none !important; } :host(:not(.inline)) .panel, .panel { position: static !important; width: auto !important; height: auto !important; box-shadow: none; border: 0; overflow: visible; } .scroll { overflow: visible; } .note[hidden] { display: block !important; } }
`;

/** For the page around it while it is printed: only the conversation is. */
export const PRINTED = `@media print { body * { visibility: hidden; } muse-chat, muse-chat * { visibility: visible; } muse-chat { position: absolute; inset: 0 auto auto 0; width: 100%; height: auto !important; } }`;

/** Adds a style sheet to a root, in a way that a strict content security policy allows; returns what takes it away. */
export function styled(root: Document | ShadowRoot, css = STYLES): () => void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    return () => void (root.adoptedStyleSheets = root.adoptedStyleSheets.filter((each) => each !== sheet));
  } catch {
    const element = document.createElement("style"); // browsers of 2022 and before
    element.textContent = css;
    (root instanceof Document ? root.head : root).append(element);
    return () => element.remove();
  }
}
