// What this browser keeps: for as long as the page is open, or longer if the person wants that.

import type { Lang, Outgoing, Turn } from "./types";

export interface Kept {
  token: string;
  lang: Lang;
  chosen: boolean;
  open: boolean;
  large: boolean;
  aloud: boolean;
  dictates: boolean;
  remembered: boolean;
  queue: Outgoing[];
  turns: Turn[];
  /** The newest turn up to which the server has told all. */
  heard: number;
  draft: string;
}

const KEY = "muse-chat";
const MOST_TURNS = 60;

/** What was kept, if it is of any use; `lang` is the language of a new conversation. */
export function read(lang: Lang): Kept {
  const no = { chosen: false, open: false, large: false, aloud: false, dictates: false, remembered: false };
  const anew: Kept = { token: "", lang, ...no, queue: [], turns: [], heard: 0, draft: "" };
  const [session, local] = stores().map(parsed);
  const found = session && holds(session) ? session : { ...session, ...local };
  const kept = { ...anew, ...found };
  return kept.chosen || holds(kept) ? kept : { ...kept, lang };
}

/** Keeps it in this tab; on the device only what the person has asked to be remembered, and never nothing over something. */
export function write(kept: Kept): void {
  const text = JSON.stringify({ ...kept, turns: kept.turns.slice(-MOST_TURNS) });
  const [session, local] = stores();
  put(session, text);
  if (kept.remembered && holds(kept)) put(local, text);
}

export function forget(): void {
  try {
    stores()[1]?.removeItem(KEY);
  } catch {
    // forbidden: then nothing was kept either
  }
}

function holds(kept: Partial<Kept>): boolean {
  return !!(kept.token || kept.turns?.length || kept.queue?.length);
}

function parsed(store: Storage): Partial<Kept> | undefined {
  try {
    const found = JSON.parse(store.getItem(KEY) ?? "null");
    return found && Array.isArray(found.turns) && Array.isArray(found.queue) ? found : undefined;
  } catch {
    return undefined; // not ours, or forbidden
  }
}

function put(store: Storage | undefined, text: string): void {
  try {
    store?.setItem(KEY, text);
  } catch {
    // full, or forbidden: the conversation goes on without it
  }
}

function stores(): Storage[] {
  try {
    return [sessionStorage, localStorage];
  } catch {
    return []; // forbidden by the browser
  }
}
