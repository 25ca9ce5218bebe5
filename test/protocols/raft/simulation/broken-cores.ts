/** Copies of the cores with one deliberate fault each, to show that the simulation's checks bite. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Cores } from "../group/member.ts";

export interface Fault {
  readonly name: string;
  readonly changes: readonly Change[];
}

/** Source text that stands exactly once in the file, and what to put there. */
export interface Change {
  readonly file: string;
  readonly correct: string;
  readonly broken: string;
}

/** No fault by itself: an entry travels alone, so that a leader's own first entry comes well after those it inherited. */
export const lonelyEntries: readonly Change[] = [
  { file: "types.ts", correct: "appendEntriesMax: 16", broken: "appendEntriesMax: 1" },
  { file: "progress.ts", correct: "inflightAppendsMax = 4", broken: "inflightAppendsMax = 1" },
];

export const faults: readonly Fault[] = [
  {
    name: "votes twice in a term (5.2)",
    changes: [
      {
        file: "follower.ts",
        correct: "(this.#vote === undefined || this.#vote === request.from) &&",
        broken: "",
      },
    ],
  },
  {
    name: "votes for a candidate with an older log (5.4.1)",
    changes: [
      {
        file: "follower.ts",
        correct: "this.#isUpToDate(request.lastLogIndex, request.lastLogTerm);",
        broken: "true;",
      },
    ],
  },
  {
    name: "does not make its vote durable (figure 2, persistent state)",
    changes: [
      { file: "follower.ts", correct: "hardState = { term: this.#term, vote: request.from };", broken: "" },
    ],
  },
  {
    name: "takes entries without comparing what comes before them (5.3)",
    changes: [
      {
        file: "follower.ts",
        correct: "if (prevTerm !== request.prevLogTerm && !(prevTerm === undefined && isCommitted)) {",
        broken: "if (prevTerm === undefined && !isCommitted) {",
      },
    ],
  },
  {
    name: "lets a late append cut off what came after it (5.3)",
    changes: [
      {
        file: "follower.ts",
        correct: "if (term !== entry.term && entry.index >= this.#log.firstIndex) {",
        broken: "if (entry.index > this.#commitIndex || term !== entry.term) {",
      },
    ],
  },
  {
    name: "commits beyond what is known to match (5.3)",
    changes: [
      {
        file: "follower.ts",
        correct: "Math.min(request.commitIndex, lastMatch)",
        broken: "Math.min(request.commitIndex, Math.max(lastMatch, this.#log.lastIndex))",
      },
    ],
  },
  {
    name: "claims to match more than the append covered (5.3)",
    changes: [
      {
        file: "follower.ts",
        correct: "Math.max(lastMatch, this.#commitIndex)",
        broken: "Math.max(lastMatch, this.#log.lastIndex)",
      },
    ],
  },
  {
    name: "commits an older term's entry by counting (5.4.2, figure 8)",
    changes: [
      {
        file: "node.ts",
        correct: " || this.#log.termAt(index) !== this.term) return false;",
        broken: ") return false;",
      },
      ...lonelyEntries,
    ],
  },
  {
    name: "takes half of the voters for a majority (5.2)",
    changes: [
      {
        file: "quorum.ts",
        correct: "return Math.floor(voters / 2) + 1;",
        broken: "return Math.ceil(voters / 2);",
      },
    ],
  },
];

/** Writes the changed copy to a temporary folder, loads it, and removes the folder. Throws when a text to change is not there exactly once. */
export async function changedCores(changes: readonly Change[]): Promise<Cores> {
  const folder = mkdtempSync(join(tmpdir(), "covey-changed-raft-"));
  try {
    cpSync(fileURLToPath(new URL("../../../../protocols/raft", import.meta.url)), folder, {
      recursive: true,
    });
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    for (const { file, correct, broken } of changes) {
      const path = join(folder, file);
      const parts = readFileSync(path, "utf8").split(correct);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${correct}`);
      writeFileSync(path, parts.join(broken));
    }
    const load = (name: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, name)).href);
    const { Follower } = await load("follower.ts");
    const { Node } = await load("node.ts");
    return { Follower, Node };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
