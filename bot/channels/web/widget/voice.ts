// Dictation and reading aloud, by the browser's own means, and only when asked for.

import type { Lang } from "./types";

/** The parts of the browser's recogniser that we use; its types are not in TypeScript's library. */
interface Recogniser {
  lang: string;
  interimResults: boolean;
  continuous: boolean;
  processLocally?: boolean;
  onresult: ((event: { results: ArrayLike<ArrayLike<{ transcript: string }>> }) => void) | null;
  onerror: ((event: { error: string }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  stop(): void;
}
interface RecogniserKind {
  new (): Recogniser;
  available?(wanted: { langs: string[]; processLocally: boolean }): Promise<string>;
}

const KIND = (window as any).SpeechRecognition ?? (window as any).webkitSpeechRecognition;
const TAGS: Record<Lang, string> = { en: "en-US", es: "es-CO" };

export const dictates = typeof KIND === "function";
export const reads = "speechSynthesis" in window;

/** Whether the device itself can write down what is said, so that the sound stays on it. */
export async function isLocal(lang: Lang): Promise<boolean> {
  try {
    return (await (KIND as RecogniserKind).available?.({ langs: [TAGS[lang]], processLocally: true })) === "available";
  } catch {
    return false;
  }
}

/** Listens until somebody stops it. `done` gets the words, "" where there were none, and whether it was forbidden. */
export function listen(lang: Lang, local: boolean, done: (words: string, denied: boolean) => void): () => void {
  const recogniser = new (KIND as RecogniserKind)();
  let words = "";
  let denied = false;
  recogniser.lang = TAGS[lang];
  recogniser.interimResults = false;
  recogniser.continuous = true; // a pause for breath does not end it
  if (local) recogniser.processLocally = true;
  recogniser.onresult = ({ results }) => {
    words = Array.from(results, (each) => each[0]?.transcript ?? "").join(" ");
  };
  recogniser.onerror = ({ error }) => {
    denied = error === "not-allowed" || error === "service-not-allowed"; // it ends, too
  };
  recogniser.onend = () => done(words.trim(), denied);
  recogniser.start();
  return () => recogniser.stop();
}

export function speak(text: string, lang: Lang): void {
  const said = new SpeechSynthesisUtterance(text);
  said.lang = TAGS[lang];
  speechSynthesis.speak(said);
}

export function hush(): void {
  if (reads) speechSynthesis.cancel();
}
