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
  queue: Outgoing[];
  turns: Turn[];
  draft: string;
}

const KEY = "muse-chat";
const MOST_TURNS = 60;

/** Reads what was kept; a browser that keeps nothing, or something broken, begins anew. */
export function read(): Partial<Kept> {
  for (const store of stores()) {
    try {
      const found = JSON.parse(store.getItem(KEY) ?? "null");
      if (found && typeof found === "object") return found;
    } catch {
      // not ours, or forbidden
    }
  }
  return {};
}

export function write(kept: Kept): void {
  const turns = kept.turns.slice(-MOST_TURNS);
  const [session, local] = stores();
  const text = JSON.stringify({ ...kept, turns });
  put(session, text);
  if (remembers()) put(local, text);
}

export function remembers(): boolean {
  return !!stores()[1]?.getItem(KEY);
}

export function remember(kept: Kept, wanted: boolean): void {
  const local = stores()[1];
  if (!wanted) local?.removeItem(KEY);
  else put(local, JSON.stringify(kept));
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
