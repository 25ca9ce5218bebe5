/** The proposals of this host that wait to be committed: at most `uncommittedEntriesMax` entries, because the core takes no more, each with those who retried it. */
import type { Committed, Done } from "./outcomes.ts";
import { OutcomeUnknown, Superseded } from "./outcomes.ts";

export class Proposals {
  /** By index. */
  readonly #waiting = new Map<number, Waiting>();

  add(index: number, term: number, done: Done<Committed>): void {
    const waiting = this.#waiting.get(index);
    if (waiting?.term === term) waiting.done.push(done);
    else this.#waiting.set(index, { term, done: [done] });
  }

  /** The entry at `index`, of `term`, is applied. */
  settle(index: number, term: number): void {
    const waiting = this.#waiting.get(index);
    if (waiting === undefined) return;
    this.#waiting.delete(index);
    answer(waiting, waiting.term === term ? { index, term } : new Superseded(index));
  }

  /** The log lost `from` and all after it. */
  supersede(from: number): void {
    for (const [index, waiting] of this.#waiting) {
      if (index < from) continue;
      this.#waiting.delete(index);
      answer(waiting, new Superseded(index));
    }
  }

  /** This host leads no more. */
  leaveOpen(): void {
    if (this.#waiting.size === 0) return;
    const left = [...this.#waiting];
    this.#waiting.clear();
    for (const [index, waiting] of left) answer(waiting, new OutcomeUnknown(index));
  }

  rejectAll(error: Error): void {
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of left) answer(waiting, error);
  }
}

interface Waiting {
  readonly term: number;
  readonly done: Done<Committed>[];
}

function answer({ done }: Waiting, outcome: Committed | Error): void {
  for (const each of done) each(outcome);
}
