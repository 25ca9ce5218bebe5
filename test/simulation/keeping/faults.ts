/**
 * Mistakes that somebody could make in keeping readings, one change of the source each: the simulation must find every one. Two that random runs do not come upon (a block that is let
 * go without the leader's word, or for a ring that is no more) are in test/host-tools/leader/keeping/delivery.test.ts.
 */
import type { Change } from "../changed-sources.ts";

export interface Fault {
  readonly name: string;
  readonly change: Change;
  /** What is seen of it. */
  readonly says: RegExp;
  /** Where the search begins: a seed in which it showed when this was written; 1 when not said. */
  readonly seed?: number;
}

const delivery = "host-tools/leader/keeping/delivery.ts";
const mending = "host-tools/leader/keeping/mending.ts";
const outbox = "host-tools/leader/keeping/outbox.ts";
const placing = "host-tools/leader/keeping/placing.ts";
const lost = /on no board any more|is whole without/;

export const faults: readonly Fault[] = [
  {
    name: "a block is let go when one keeper has it",
    says: lost,
    change: {
      file: delivery,
      correct: "return keepers.every(({ board, ring })",
      broken: "return keepers.some(({ board, ring })",
    },
  },
  {
    name: "a copy counts as whole before it was looked at",
    says: lost,
    change: {
      file: mending,
      correct: "const isComplete = await this.#complete(keeper);",
      broken: "const isComplete = true;",
    },
  },
  {
    name: "a copy counts as whole though nobody who has everything was looked at",
    says: lost,
    change: {
      file: mending,
      correct: "if (isComplete && !keeper.isWhole && this.#isEverythingKnown(keeper)) whole.push(keeper);",
      broken: "if (isComplete && !keeper.isWhole) whole.push(keeper);",
    },
  },
  {
    name: "who had everything is forgotten when it is replaced",
    says: lost,
    change: {
      file: placing,
      correct: "const former = isWhole ? [] : formerOf(present, next, keepers);",
      broken: "const former: FormerKeeper[] = [];",
    },
  },
  {
    name: "a board that was reflashed is still taken to have what it had",
    says: lost,
    change: {
      file: placing,
      correct: "keeper : { board: keeper.board, ring, isWhole: false };",
      broken: "keeper : { board: keeper.board, ring, isWhole: keeper.isWhole };",
    },
  },
  {
    name: "copies share a zone",
    says: /is kept by/,
    change: {
      file: placing,
      correct: "!zones.has(zone) && !before",
      broken: "!before",
    },
  },
  {
    name: "numbers begin anew with each start of a host",
    says: /is two blocks/,
    change: {
      file: outbox,
      correct: "      this.#next.set(series, next);\n    }",
      broken: "      this.#next.delete(series + next);\n    }",
    },
  },
];
