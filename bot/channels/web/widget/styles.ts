// As a style sheet of the shadow root: a strict content security policy allows it. Print: see main.ts.

export const STYLES = `
:host { --fill: #0b5567; --on-fill: #fff; --ink: #1b2430; --paper: #fff; --soft: #eef3f7; --line: #52606d; --alarm: #a3131f; --on-alarm: #fff;
  font: 1.0625rem/1.5 system-ui, sans-serif; color: var(--ink); color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :host { --ink: #edf1f5; --paper: #12181f; --soft: #1f2933; --line: #93a1b0; --alarm: #ff8a8f; --on-alarm: #2b0508; } }
:host(.large) { font-size: 1.4rem; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
button, a.big, textarea, input { font: inherit; color: inherit; min-height: 48px; border-radius: .5rem; }
button, a.big { padding: .6rem .9rem; border: 2px solid var(--line); background: var(--paper); cursor: pointer; text-align: start; overflow-wrap: anywhere; }
a { color: inherit; }
.launcher, .send { background: var(--fill); color: var(--on-fill); border-color: var(--fill); font-weight: 600; }
.launcher { position: fixed; inset-block-end: 1rem; inset-inline-end: 1rem; z-index: 2147483000; padding: .9rem 1.3rem; border-radius: 2rem; box-shadow: 0 2px 10px rgb(0 0 0 / .35); max-width: calc(100vw - 2rem); }
:host([data-position="left"]) .launcher { inset-inline: 1rem auto; }
.panel { display: flex; flex-direction: column; background: var(--paper); border: 2px solid var(--line); border-radius: .75rem; overflow: hidden; }
:host(:not(.inline)) .panel { position: fixed; inset-block-end: 1rem; inset-inline-end: 1rem; z-index: 2147483001; width: min(28rem, calc(100vw - 2rem)); height: min(44rem, calc(100vh - 2rem)); height: min(44rem, calc(100dvh - 2rem)); box-shadow: 0 4px 24px rgb(0 0 0 / .35); }
:host(.large:not(.inline)) .panel { width: min(40rem, calc(100vw - 2rem)); }
:host([data-position="left"]) .panel { inset-inline: 1rem auto; }
:host(.inline) .panel { height: 100%; }
@media (max-width: 30rem), (max-height: 34rem) { :host(:not(.inline)) .panel { inset: 0; width: 100%; height: 100vh; height: 100dvh; border: 0; border-radius: 0; } }
.top { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; padding: .5rem .75rem; border-bottom: 2px solid var(--line); }
h2 { font-size: 1.1em; margin: 0; flex: 1 1 8rem; }
.top button { padding: .4rem .6rem; }
.scroll { position: relative; flex: 1 1 0; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: .75rem; }
.options { display: grid; gap: .5rem; padding: .75rem; border-bottom: 2px solid var(--line); overflow-y: auto; max-height: 60%; flex: 0 1 auto; min-height: 0; }
@media (max-height: 22rem) { .panel { overflow-y: auto; } .scroll, .options { flex: none; overflow: visible; max-height: none; } }
p { margin: .35rem 0; }
.who, .small, .state { font-size: .9em; }
.who { margin-top: .9rem; font-weight: 600; }
time { font-weight: 400; }
.said .text, .reply { padding: .6rem .8rem; border-radius: .5rem; overflow-wrap: anywhere; white-space: pre-line; }
.said .text { background: var(--soft); margin-inline-start: 2rem; }
.said .who { text-align: end; }
.waiting .text { border: 2px dashed var(--line); }
.reply { border: 1px solid var(--line); margin-block: .4rem; }
.reply > .text { margin-top: 0; }
.urgent { border: 4px solid var(--alarm); font-size: 1.12em; }
.urgent > .text { font-weight: 700; }
.urgent a.big { background: var(--alarm); color: var(--on-alarm); border-color: var(--alarm); font-weight: 700; }
.reply ul, .reply ol { padding-inline-start: 1.3rem; margin: .4rem 0; }
.reply li { margin-block: .5rem; }
.choices { display: grid; gap: .5rem; }
.big { display: block; width: 100%; text-decoration: none; }
a.big { margin-block: .5rem; }
.open { display: inline-block; margin: .25rem .5rem .25rem 0; }
.source, .quiet { border-width: 1px; padding: .25rem .7rem; font-size: .9em; }
.note { padding: .4rem .7rem; border-inline-start: 4px solid var(--line); background: var(--soft); font-size: .95em; }
.note a { display: inline-flex; align-items: center; min-height: 48px; }
.rating, .row { display: flex; flex-wrap: wrap; gap: .5rem; margin: .5rem 0; align-items: center; }
.rating p { flex-basis: 100%; }
form { flex: none; padding: .6rem .75rem; border-top: 2px solid var(--line); }
label { font-weight: 600; }
.row textarea, .row input { flex: 1 1 12rem; min-width: 0; padding: .6rem; border: 2px solid var(--line); background: var(--paper); resize: none; field-sizing: content; max-height: 9rem; }
.status { margin: 0; font-size: .95em; }
.ask { border: 2px solid var(--line); border-radius: .5rem; padding: .6rem; display: grid; gap: .5rem; }
:focus-visible { outline: 4px solid var(--ink); outline-offset: 2px; box-shadow: 0 0 0 2px var(--paper); }
.answer:focus, .ask:focus, p:focus { outline: none; }
@media (forced-colors: active) { button, a.big, .reply, .said .text, .panel { border: 2px solid ButtonText; } .urgent { border-width: 4px; } }
@media (prefers-reduced-motion: no-preference) { .scroll { scroll-behavior: smooth; } }
@media print { .launcher, form, .options, .top button, .rating, .choices, .status { display: none !important; } :host(:not(.inline)) .panel, .panel { position: static !important; width: auto !important; height: auto !important; box-shadow: none; border: 0; overflow: visible; } .scroll { overflow: visible; } .note[hidden] { display: block !important; } }
`;

/** For the page around it while it is printed: only the conversation is. */
export const PRINTED = `@media print { body * { visibility: hidden; } muse-chat, muse-chat * { visibility: visible; } muse-chat { position: absolute; inset: 0 auto auto 0; width: 100%; height: auto !important; } }`;
