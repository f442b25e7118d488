// Talks to the server that this file came from.

import type { Lang, Outgoing, Turns } from "./types";

/** The server's answer was an error; `status` 0: there was no answer. */
export class Failed extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
  /** Whether trying again may help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const SECONDS = 30;

export class Server {
  constructor(private readonly base: string) {}

  session(lang: Lang, token: string): Promise<{ token: string; language: Lang; continued: boolean }> {
    return this.call("POST", "/api/session", "", token ? { lang, token } : { lang });
  }

  send(token: string, message: Outgoing): Promise<Turns> {
    const { id, text, button, lang } = message;
    return this.call("POST", "/api/messages", token, { id, text, button, lang });
  }

  turns(token: string, after: number): Promise<Turns> {
    return this.call("GET", `/api/turns?after=${after}`, token);
  }

  feedback(token: string, turn: number, helpful: boolean, reason?: string): Promise<void> {
    return this.call("POST", "/api/feedback", token, { turn, helpful, reason });
  }

  delete(token: string): Promise<void> {
    return this.call("DELETE", "/api/conversation", token);
  }

  /** Hands over turns as they come, until the stream ends or `stop` is given. */
  async stream(token: string, after: number, take: (turns: Turns) => void, stop: AbortSignal): Promise<void> {
    const answer = await fetch(`${this.base}/api/stream?after=${after}`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: stop,
    });
    if (!answer.ok || !answer.body) throw new Failed(answer.status, "stream");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        const data = event.split("\n").find((line) => line.startsWith("data: "));
        if (data) take(JSON.parse(data.slice(6)));
      }
    }
  }

  private async call<T>(method: string, path: string, token: string, body?: object): Promise<T> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), SECONDS * 1000);
    try {
      const answer = await fetch(this.base + path, {
        method,
        headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) },
        signal: stop.signal,
        ...(body && { body: JSON.stringify(body) }),
      });
      const told = answer.status === 204 ? undefined : await answer.json();
      if (!answer.ok) throw new Failed(answer.status, told?.error ?? "");
      return told;
    } catch (error) {
      throw error instanceof Failed ? error : new Failed(0, "network");
    } finally {
      clearTimeout(timer);
    }
  }
}
