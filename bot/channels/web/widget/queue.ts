// What was written is sent in order, each message once, however long the network is away.

import { Failed } from "./server";
import type { Outgoing, Turns } from "./types";

export interface Line {
  waiting: Outgoing[];
  /** Sends one message. */
  send: (message: Outgoing) => Promise<Turns>;
  /** It was answered. */
  answered: (message: Outgoing, told: Turns) => void;
  /** It did not get through; it is tried again. */
  delayed: () => void;
  /** The server does not take it, whatever is tried. */
  refused: (message: Outgoing) => void;
}

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

export class Queue {
  private running = false;
  private pause = FIRST_PAUSE;
  private wake: () => void = () => undefined;

  constructor(private readonly line: Line) {}

  get busy(): boolean {
    return this.running;
  }

  /** Tries at once instead of after the pause. */
  hurry(): void {
    this.pause = FIRST_PAUSE;
    this.wake();
  }

  async run(): Promise<void> {
    if (this.running) return this.hurry();
    this.running = true;
    for (let message; (message = this.line.waiting[0]); ) {
      try {
        const told = await this.line.send(message);
        this.pause = FIRST_PAUSE;
        if (this.drop(message)) this.line.answered(message, told);
      } catch (error) {
        if (error instanceof Failed && !error.passing) {
          if (this.drop(message)) this.line.refused(message);
          continue;
        }
        this.line.delayed();
        await new Promise<void>((resume) => {
          this.wake = resume;
          setTimeout(resume, this.pause);
        });
        this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
      }
    }
    this.running = false;
  }

  /** Takes a message off the list; false if it is no longer there, as the conversation was deleted. */
  private drop(message: Outgoing): boolean {
    const at = this.line.waiting.indexOf(message);
    if (at >= 0) this.line.waiting.splice(at, 1);
    return at >= 0;
  }
}
