// What the server sends; the same names as in /openapi.json.

export type Lang = "en" | "es";

export interface Citation {
  key: string;
  title: string;
  year: number | null;
  kind: string;
  url: string | null;
}

export interface Choice {
  title: string;
  payload: string;
}

export interface Reply {
  text: string;
  claims: { text: string; citations: Citation[] }[];
  unknown: string;
  evidence: string;
  notes: string[];
  buttons: Choice[];
  urgent: boolean;
  /** The first name of the person of the clinic who wrote it; empty for what the assistant says. */
  by: string;
}

export interface Turn {
  id: number | null;
  at: string;
  said: string;
  language: Lang;
  decision: string;
  replies: Reply[];
}

export interface Turns {
  turns: Turn[];
  asking: string | null;
  token: string;
}

/** A message of ours, from when it is written until it is answered. */
export interface Outgoing {
  id: string;
  text: string;
  button?: string;
  shown: string;
  lang?: Lang;
}

/** The words of content/widget.yml; the server puts them in front of this file. */
export type Words = Record<string, string> & { greet: { text: string; buttons: Choice[] } };
declare global {
  const WORDS: Record<Lang, Words>;
}
