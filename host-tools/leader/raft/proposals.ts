/** The proposals of this host that wait to be committed: at most `uncommittedEntriesMax`, because the core takes no more. */

/** Another leader's entry stands where the proposed one was to be: it was not carried out, and may be proposed again. */
export class Superseded extends Error {
  override readonly name = "Superseded";
  readonly index: number;

  constructor(index: number) {
    super(`A new leader replaced entry ${index} before it was committed: propose it again.`);
    this.index = index;
  }
}

/**
 * This host led when the entry was proposed and leads no more, for want of a majority or because another does: whether the entry is carried out is not known here.
 */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
  readonly index: number;

  constructor(index: number) {
    super(
      `This host stopped leading before entry ${index} was agreed on; it may still be: look before you propose it again.`,
    );
    this.index = index;
  }
}

/** This host takes no part any more; what was proposed may or may not be committed by others. */
export class ReplicaStopped extends Error {
  override readonly name = "ReplicaStopped";
}

export interface Place {
  readonly index: number;
  readonly term: number;
}

export class Proposals {
  /** By index, in rising order. */
  readonly #waiting = new Map<number, Waiting>();

  add(index: number, term: number, resolve: (place: Place) => void, reject: (error: Error) => void): void {
    this.#waiting.set(index, { term, resolve, reject });
  }

  /** The entry at `index`, of `term`, is applied. */
  settle(index: number, term: number): void {
    const waiting = this.#waiting.get(index);
    if (waiting === undefined) return;
    this.#waiting.delete(index);
    if (waiting.term === term) waiting.resolve({ index, term });
    else waiting.reject(new Superseded(index));
  }

  /** The log lost `from` and all after it. */
  supersede(from: number): void {
    for (const [index, waiting] of this.#waiting) {
      if (index < from) continue;
      this.#waiting.delete(index);
      waiting.reject(new Superseded(index));
    }
  }

  /** This host leads no more. */
  leaveOpen(): void {
    for (const [index, waiting] of this.#waiting) waiting.reject(new OutcomeUnknown(index));
    this.#waiting.clear();
  }

  stop(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(this.stopped());
    this.#waiting.clear();
  }

  stopped(): ReplicaStopped {
    return new ReplicaStopped("This host is stopping: ask again when it, or another, leads.");
  }
}

interface Waiting {
  readonly term: number;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: Error) => void;
}
