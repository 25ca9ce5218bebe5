/** Mistakes that somebody could make with the turn to be away, one change of the source each: the simulation must find every one. */
import type { Change } from "../changed-sources.ts";

export interface Fault {
  readonly name: string;
  readonly change: Change;
  /** A seed in which it showed when this was written; 1 when not said. */
  readonly seed?: number;
}

const claim = "protocols/turns/turn-claim.ts";
const desk = "protocols/turns/turn-desk.ts";
const turns = "host-tools/leader/turns/turns.ts";

export const faults: readonly Fault[] = [
  {
    name: "a turn lapses before a trial is over",
    change: { file: "protocols/turns/turn.ts", correct: "silentMs: 420_000", broken: "silentMs: 240_000" },
  },
  {
    name: "a turn lapses although its holder says that it is away",
    change: { file: desk, correct: "if (holder !== undefined) this.#heardMs = nowMs;", broken: "" },
  },
  {
    name: "a board leaves however long ago it asked",
    change: { file: claim, correct: "nowMs - this.#askedMs <= turnLimits.leaveMs", broken: "true" },
  },
  {
    name: "a board leaves by what it asked for before",
    change: {
      file: claim,
      correct: "holder.askedMs === this.#askedMs &&",
      broken: "this.#askedMs > -Infinity &&",
    },
  },
  {
    name: "a board leaves by what it asked for before it started anew",
    change: {
      file: claim,
      correct: "holder.startId === this.#startId &&\n      holder.askedMs === this.#askedMs &&",
      broken: "",
    },
  },
  {
    name: "a board that says that it is back leaves all the same",
    change: {
      file: claim,
      correct: 'else if (says === "back") this.#askedMs = -Infinity;',
      broken: "",
    },
  },
  {
    name: "what comes by way of another host, at any time, counts as said here",
    change: {
      file: turns,
      correct:
        'if (desk === undefined || turn === undefined || !(isHere || message.says === "away")) return;',
      broken: "if (desk === undefined || turn === undefined) return;",
    },
  },
];
