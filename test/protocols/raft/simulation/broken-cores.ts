/** Copies of the cores with one deliberate fault each, to show that the simulation's checks bite. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Cores } from "../group/member.ts";
import type { Weather } from "./weather.ts";

export interface Fault {
  readonly name: string;
  readonly changes: readonly Change[];
  /** Weather in which it shows soonest; any when not said. */
  readonly weather?: Partial<Weather>;
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

/** No fault either: a follower as boards of the first version have it, which knows nothing of pre-votes, live leaders and read rounds. */
export const firstVersionFollower: readonly Change[] = [
  { file: "follower.ts", correct: 'message.purpose === "pre-vote"', broken: "false" },
  { file: "follower.ts", correct: "!this.#isContentWithLeader(message, nowMs)", broken: "true" },
  { file: "follower.ts", correct: "readRound: request.readRound", broken: "readRound: 0" },
];

/** The protocol of the paper: many elections, few reasons to refuse a vote. */
const plain: Partial<Weather> = { preVote: false, checkQuorum: false };

/** Voters change all the time. */
const restless: Partial<Weather> = {
  preVote: false,
  jointShare: 0.9,
  changeShare: 0.5,
  crashShare: 0.1,
  faultMsMax: 60,
  slow: 0.3,
  slowMsMax: 400,
  losesHosts: true,
};

export const faults: readonly Fault[] = [
  {
    name: "votes twice in a term (5.2)",
    weather: plain,
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
    weather: plain,
    changes: [
      {
        file: "follower.ts",
        correct: "      this.#isUpToDate(request);",
        broken: "true;",
      },
    ],
  },
  {
    name: "does not make its vote durable (figure 2, persistent state)",
    weather: plain,
    changes: [
      { file: "follower.ts", correct: "hardState = { term: this.#term, vote: request.from };", broken: "" },
    ],
  },
  {
    name: "takes entries without comparing what comes before them (5.3)",
    weather: plain,
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
    weather: plain,
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
    weather: plain,
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
    weather: plain,
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
    weather: plain,
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
    weather: plain,
    changes: [
      {
        file: "quorum.ts",
        correct: "return Math.floor(voters / 2) + 1;",
        broken: "return Math.ceil(voters / 2);",
      },
    ],
  },
  {
    name: "takes the promise of a vote for a vote (thesis 9.6)",
    changes: [{ file: "node.ts", correct: "!message.isPreVote && this.#role", broken: "this.#role" }],
  },
  {
    name: "commits by the incoming voters alone while they change (thesis 4.3)",
    weather: restless,
    changes: [
      {
        file: "quorum.ts",
        correct: "Math.min(committedIndex(voters, matchIndexOf), committedIndex(outgoing, matchIndexOf))",
        broken: "(outgoing, committedIndex(voters, matchIndexOf))",
      },
    ],
  },
  {
    name: "is elected by the incoming voters alone while they change (thesis 4.3)",
    weather: restless,
    changes: [
      {
        file: "quorum.ts",
        correct: "const outgoingResult = voteResult(outgoing, voteOf);",
        broken: "const outgoingResult = (outgoing, incomingResult);",
      },
    ],
  },
  {
    name: "leaves a joint configuration that is not committed (thesis 4.3)",
    weather: restless,
    changes: [
      { file: "node.ts", correct: "if (this.#membership.index > this.commitIndex) return;", broken: "" },
    ],
  },
  {
    name: "changes many voters in one step (thesis 4.1)",
    weather: restless,
    changes: [
      {
        file: "node.ts",
        correct: "added + removed > 1 ? to :",
        broken: "added + removed > 1 ? leaveJoint(to) :",
      },
    ],
  },
  {
    name: "answers a read without asking whether it still leads (thesis 6.4)",
    changes: [
      {
        file: "replication.ts",
        correct: "const round = jointCommittedIndex(voters, (id) =>",
        broken: "const round = this.#round || jointCommittedIndex(voters, (id) =>",
      },
    ],
  },
  {
    name: "answers a read before it knows how far the log is committed (thesis 6.4)",
    changes: [
      {
        file: "node.ts",
        correct: "Math.max(this.commitIndex, this.#termStartIndex)",
        broken: "this.commitIndex",
      },
    ],
  },
];

/** Writes the changed copy to a temporary folder, loads it, and removes the folder. Throws when a text to change is not there exactly once. */
export async function changedCores(changes: readonly Change[]): Promise<Cores> {
  const folder = mkdtempSync(join(tmpdir(), "covey-changed-raft-"));
  try {
    cpSync(fileURLToPath(new URL("../../../../protocols", import.meta.url)), folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    for (const { file, correct, broken } of changes) {
      const path = join(folder, "raft", file);
      const parts = readFileSync(path, "utf8").split(correct);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${correct}`);
      writeFileSync(path, parts.join(broken));
    }
    const load = (name: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, "raft", name)).href);
    const { Follower } = await load("follower.ts");
    const { Node } = await load("node.ts");
    return { Follower, Node };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
