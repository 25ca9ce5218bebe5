/** What a step of a member gives to the outside, gathered while it goes on. */
import type { PaxosMessage } from "./messages.ts";
import type { Outcome } from "./types.ts";

export interface Outgoing {
  /** The name of a board. */
  readonly to: string;
  readonly message: PaxosMessage;
}

export class Outbox {
  #messages: Outgoing[] = [];
  #outcomes: Outcome[] = [];

  send(to: string, message: PaxosMessage): void {
    this.#messages.push({ to, message });
  }

  tell(outcome: Outcome): void {
    this.#outcomes.push(outcome);
  }

  /** All since the last time. */
  takeMessages(): readonly Outgoing[] {
    const messages = this.#messages;
    if (messages.length > 0) this.#messages = [];
    return messages;
  }

  /** All since the last time. */
  takeOutcomes(): readonly Outcome[] {
    const outcomes = this.#outcomes;
    if (outcomes.length > 0) this.#outcomes = [];
    return outcomes;
  }
}
