/**
 * Notices two living devices with one identity. A board draws a new start id whenever its firmware starts, so those of one device follow each other: once
 * a later one was heard, an earlier one is over.
 *
 * ```
 * one device      1111111 2222 333333        two      1111111111111111
 *                                                         22222222222
 * ```
 *
 * A start that says hello here after a later one did proves it at once. What other hosts hear of a board comes late and out of order, so between them it
 * takes two starts that were both heard for longer than anything is on its way. Which of the two is the real one nobody can tell: whoever
 * runs the swarm revokes the identity.
 */
export const cloneLimits = {
  /** Starts remembered of each board. */
  startsMax: 8,
  /** Longer than a message of a board takes to all hosts: a link between hosts that is silent for 5 s is closed. */
  overlapMs: 15_000,
} as const;

/** For the operator. */
export function clonedSentence(board: string): string {
  return (
    `Two living devices have the identity of ${board}: one is a copy, and nobody can tell which. ` +
    `Revoke it with covey keys revoke ${board}, and issue a new one to the real board.`
  );
}

interface Start {
  readonly id: number;
  readonly firstMs: number;
  lastMs: number;
}

interface Watched {
  /** Starts that said hello here, in that order. */
  readonly greeted: number[];
  /** Starts that were heard here or elsewhere. */
  readonly heard: Start[];
}

export class CloneWatch {
  readonly #boards = new Map<string, Watched>();
  readonly #cloned = new Set<string>();
  readonly #onCloned: (board: string) => void;

  /** @param onCloned is called once for each board, until `forget`. */
  constructor(onCloned: (board: string) => void) {
    this.#onCloned = onCloned;
  }

  isCloned(board: string): boolean {
    return this.#cloned.has(board);
  }

  /** It said hello here, within a session of its own. `nowMs` is monotonic. */
  greeted(board: string, startId: number, nowMs: number): void {
    const { greeted } = this.#watched(board);
    if (greeted.at(-1) !== startId) {
      if (greeted.includes(startId)) this.#report(board);
      greeted.push(startId);
      if (greeted.length > cloneLimits.startsMax) greeted.shift();
    }
    this.heard(board, startId, nowMs);
  }

  /** It said something, here or at another host, in the start whose hello came before on the same connection. */
  heard(board: string, startId: number, nowMs: number): void {
    const { heard } = this.#watched(board);
    const found = heard.find(({ id }) => id === startId);
    if (found !== undefined) {
      found.lastMs = nowMs;
      if (heard.some((other) => other !== found && overlapMs(found, other) > cloneLimits.overlapMs))
        this.#report(board);
      return;
    }
    if (heard.length >= cloneLimits.startsMax) heard.shift();
    heard.push({ id: startId, firstMs: nowMs, lastMs: nowMs });
  }

  /** A new statement of the root: whoever is still there twice is noticed again. */
  forget(): void {
    this.#boards.clear();
    this.#cloned.clear();
  }

  #watched(board: string): Watched {
    const watched = this.#boards.get(board) ?? { greeted: [], heard: [] };
    this.#boards.set(board, watched);
    return watched;
  }

  #report(board: string): void {
    if (this.#cloned.has(board)) return;
    this.#cloned.add(board);
    this.#onCloned(board);
  }
}

/** For how long both were there. */
function overlapMs(a: Start, b: Start): number {
  return Math.min(a.lastMs, b.lastMs) - Math.max(a.firstMs, b.firstMs);
}
