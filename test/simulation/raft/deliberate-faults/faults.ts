/** Mistakes that somebody could make in Covey's Raft, one change of the source each: every one must be found by the simulation. */

import type { Change } from "../../changed-sources.ts";
import type { CoreWeather } from "../core/weather.ts";
import type { FullWeather } from "../full/weather.ts";

export interface Fault {
  readonly name: string;
  readonly changes: readonly Change[];
  /** Where it shows soonest. */
  readonly core?: Partial<CoreWeather>;
  readonly full?: Partial<FullWeather>;
  /** What must be found broken; anything when not said. */
  readonly property?: string;
  /** Where the search begins: a seed in which it showed when this was written; 1 when not said. */
  readonly seed?: number;
}

/** No fault by itself: an entry travels alone, so that a leader's own first entry comes well after those it inherited. */
export const lonelyEntries: readonly Change[] = [
  { file: "protocols/raft/types.ts", correct: "appendEntriesMax: 16", broken: "appendEntriesMax: 1" },
  { file: "protocols/raft/progress.ts", correct: "inflightAppendsMax: 4", broken: "inflightAppendsMax: 1" },
  {
    file: "protocols/raft/node-options.ts",
    correct: "appendEntriesMax: hostLimits.appendEntriesMax",
    broken: "appendEntriesMax: 1",
  },
  {
    file: "protocols/raft/node-options.ts",
    correct: "inflightAppendsMax: 16",
    broken: "inflightAppendsMax: 1",
  },
];

/** The protocol of the paper: many elections, few reasons to refuse a vote. */
const plain: Partial<CoreWeather> = {
  preVote: false,
  checkQuorum: false,
  noiseEveryMs: 500,
  crashEveryMs: 250,
};

/** Voters change all the time. */
const restless: Partial<CoreWeather> = {
  preVote: false,
  checkQuorum: false,
  voters: ["a", "b", "n"],
  losesHosts: true,
  jointShare: 0.9,
  changeEveryMs: 60,
  crashEveryMs: 100,
  leaderCrashShare: 0.9,
  downMsMax: 60,
  cutEveryMs: 400,
  noiseEveryMs: Infinity,
  blackoutEveryMs: Infinity,
  transferEveryMs: Infinity,
  compactEveryMs: Infinity,
  forgeEveryMs: Infinity,
  forgetEveryMs: Infinity,
  proposeEveryMs: 100,
};

/** Snapshots are taken and needed all the time. */
const compacting: Partial<CoreWeather> = { compactEveryMs: 50, proposeEveryMs: 10, noiseEveryMs: 500 };

const forging: Partial<CoreWeather> = { forgeEveryMs: 50, listens: true, proposeEveryMs: 10 };

/** Everybody belongs, says what is true, and is awake. */
const peaceful: Partial<FullWeather> = {
  hostilityEveryMs: Infinity,
  forgeEveryMs: Infinity,
  revokeEveryMs: Infinity,
  sleepers: [],
};

/** Hosts die and boards too, with clients who all want the same few keys. */
const busy: Partial<FullWeather> = {
  ...peaceful,
  keys: 1,
  clients: 6,
  operateEveryMs: 20,
  crashHostEveryMs: 2_000,
  noiseEveryMs: 2_000,
  leaderShare: 0.7,
};

const powerless: Partial<FullWeather> = {
  ...busy,
  powerShare: 0.8,
  crashBoardEveryMs: 1_000,
  blackoutEveryMs: 8_000,
};

/** Leaders change without having crashed. */
const divided: Partial<FullWeather> = {
  ...busy,
  crashHostEveryMs: Infinity,
  cutEveryMs: 1_500,
  transferEveryMs: 2_000,
  hosts: ["a", "b", "c"],
};

const compactingHosts: Partial<FullWeather> = { ...powerless, compactionEntries: 16, trailingEntries: 4 };

/** Hosts that live, a network that does not: answers are lost, and commands come again much later. */
const forgetful: Partial<FullWeather> = {
  ...peaceful,
  clients: 20,
  keys: 6,
  operateEveryMs: 10,
  rememberedEntries: 1,
  loss: 0.3,
  slow: 0,
  noiseEveryMs: 500,
  crashHostEveryMs: Infinity,
  crashBoardEveryMs: Infinity,
  blackoutEveryMs: Infinity,
  cutEveryMs: Infinity,
  slowDiskEveryMs: Infinity,
  transferEveryMs: Infinity,
  votersEveryMs: Infinity,
  loseFlashEveryMs: Infinity,
  loseDiskEveryMs: Infinity,
};

/** The same; and clients write by draft, several at a time, under the same keys. */
const drafting: Partial<FullWeather> = {
  ...forgetful,
  rememberedEntries: 65_536,
  clients: 6,
  keys: 1,
  operateEveryMs: 20,
  draftShare: 0.7,
};

/** Boards lose their power while they adopt a draft. */
const draftingPowerless: Partial<FullWeather> = {
  ...drafting,
  clients: 2,
  noiseEveryMs: Infinity,
  draftCutShare: 0.6,
};

/** Nothing fails; but whoever is between boards and hosts is hostile most of the time. */
const spiedUpon: Partial<FullWeather> = {
  ...forgetful,
  clients: 2,
  operateEveryMs: 200,
  noiseEveryMs: Infinity,
  hostilityEveryMs: 1_000,
  hostilityShare: 0.2,
};

/** One host speaks in the name of the other all the time. */
const slandered: Partial<FullWeather> = {
  ...spiedUpon,
  hostilityEveryMs: Infinity,
  forgeEveryMs: 300,
};

/** Members are revoked, early on. */
const purged: Partial<FullWeather> = {
  ...busy,
  crashHostEveryMs: 6_000,
  revokeEveryMs: 5_000,
};

/** A board sleeps, and loses its power at times. */
const sleepy: Partial<FullWeather> = {
  ...spiedUpon,
  hostilityEveryMs: Infinity,
  voters: ["n"],
  sleepers: ["x"],
  crashBoardEveryMs: 1_000,
};

/** A leader that is cut off, asked for reads while another takes over. */
const lonelyLeader: Partial<CoreWeather> = {
  preVote: true,
  checkQuorum: true,
  voters: ["a", "b", "n"],
  changeEveryMs: Infinity,
  crashEveryMs: Infinity,
  blackoutEveryMs: Infinity,
  compactEveryMs: Infinity,
  forgeEveryMs: Infinity,
  leaderCrashShare: 0.9,
  cutEveryMs: 300,
  proposeEveryMs: 30,
};

const follower = "protocols/raft/follower.ts";
const leadership = "protocols/raft/leadership.ts";
const quorum = "protocols/raft/quorum.ts";
const channel = "protocols/security/record/channel.ts";
const requests = "host-tools/leader/raft/client-requests.ts";
const hostMember = "host-tools/leader/raft/host-member.ts";
const draft = "protocols/state/draft.ts";
const adopting = "firmware/storage/adopting.ts";

/** A leader adopts a draft without looking whether the pieces are still its own. */
const careless: Change = { file: requests, correct: "[...puts, ...removals]", broken: "puts" };

/** Tasks move all the time, and little else is wrong: else they would mostly wait. */
const sharing: Partial<FullWeather> = {
  tasks: 3,
  drainEveryMs: 4_000,
  drift: 0.05,
  cutEveryMs: 8_000,
  transferEveryMs: Infinity,
  crashHostEveryMs: Infinity,
  crashBoardEveryMs: Infinity,
  blackoutEveryMs: Infinity,
  noiseEveryMs: Infinity,
  slowDiskEveryMs: Infinity,
  hostilityEveryMs: Infinity,
  votersEveryMs: Infinity,
  loseFlashEveryMs: Infinity,
  loseDiskEveryMs: Infinity,
  revokeEveryMs: Infinity,
  sleepers: [],
};

export const faults: readonly Fault[] = [
  {
    name: "votes twice in a term (5.2)",
    seed: 6,
    core: plain,
    changes: [
      {
        file: follower,
        correct: "(this.#vote === undefined || this.#vote === request.from) &&",
        broken: "",
      },
    ],
  },
  {
    name: "votes for a candidate with an older log (5.4.1)",
    seed: 4,
    core: plain,
    changes: [{ file: follower, correct: "      this.isUpToDate(request);", broken: "      true;" }],
  },
  {
    name: "does not make its vote durable (figure 2, persistent state)",
    seed: 58,
    core: plain,
    changes: [
      { file: follower, correct: "hardState = { term: this.#term, vote: request.from };", broken: "" },
    ],
  },
  {
    name: "takes entries without comparing what comes before them (5.3)",
    seed: 2,
    core: plain,
    changes: [
      {
        file: follower,
        correct:
          "!(prevTerm === undefined && isCommitted) && !this.isAt(prevLogIndex, prevLogTerm, prevHash)",
        broken: "prevTerm === undefined && !isCommitted",
      },
    ],
  },
  {
    name: "lets a late append cut off what came after it (5.3)",
    seed: 12,
    core: plain,
    changes: [
      {
        file: follower,
        correct: "const known = this.known(entries, request.prevHash);",
        broken:
          "const known = Math.min(this.known(entries, request.prevHash), Math.max(0, this.#commitIndex - prevLogIndex));",
      },
    ],
  },
  {
    name: "commits beyond what is known to match (5.3)",
    seed: 4,
    core: plain,
    changes: [
      {
        file: follower,
        correct: "Math.min(request.commitIndex, lastMatch)",
        broken: "Math.min(request.commitIndex, Math.max(lastMatch, this.#log.lastIndex))",
      },
    ],
  },
  {
    name: "claims to match more than the append covered (5.3)",
    seed: 4,
    core: plain,
    changes: [
      {
        file: follower,
        correct: "Math.max(lastMatch, this.#commitIndex)",
        broken: "Math.max(lastMatch, this.#log.lastIndex)",
      },
    ],
  },
  {
    name: "commits an older term's entry by counting (5.4.2, figure 8)",
    seed: 50,
    core: {
      ...plain,
      voters: ["a", "b", "c"],
      changeEveryMs: Infinity,
      transferEveryMs: Infinity,
      blackoutEveryMs: Infinity,
      forgetEveryMs: Infinity,
      compactEveryMs: Infinity,
      crashEveryMs: 250,
      leaderCrashShare: 0.9,
      downMsMax: 500,
      cutEveryMs: 300,
      proposeEveryMs: 60,
    },
    changes: [
      {
        file: leadership,
        correct: " || log.termAt(index) !== this.#term) return false;",
        broken: ") return false;",
      },
      ...lonelyEntries,
    ],
  },
  {
    name: "takes half of the voters for a majority (5.2)",
    seed: 6,
    core: plain,
    changes: [
      {
        file: quorum,
        correct: "return Math.floor(voters / 2) + 1;",
        broken: "return Math.ceil(voters / 2);",
      },
    ],
  },
  {
    name: "takes the promise of a vote for a vote (thesis 9.6)",
    seed: 6,
    core: { preVote: true, checkQuorum: false, noiseEveryMs: 500, slow: 0.3, slowMsMax: 400 },
    changes: [
      {
        file: "protocols/raft/candidacy.ts",
        correct: 'isPreVote === (election?.purpose === "pre-vote")',
        broken: "true",
      },
      {
        file: "protocols/raft/node.ts",
        correct: "if (term === this.term + 1 && this.#candidacy.takeVote(response)) this.#lead();",
        broken: "if (this.#candidacy.takeVote(response)) this.#lead();",
      },
    ],
  },
  {
    name: "commits by the incoming voters alone while they change (thesis 4.3)",
    seed: 39,
    core: { ...restless, changeEveryMs: 30, crashEveryMs: 1000, leaderCrashShare: 0, cutEveryMs: 200 },
    changes: [
      {
        file: quorum,
        correct: "Math.min(committedIndex(voters, matchIndexOf), committedIndex(outgoing, matchIndexOf))",
        broken: "(outgoing, committedIndex(voters, matchIndexOf))",
      },
    ],
  },
  {
    name: "is elected by the incoming voters alone while they change (thesis 4.3)",
    seed: 184,
    core: restless,
    changes: [
      {
        file: quorum,
        correct: "const outgoingResult = voteResult(outgoing, voteOf);",
        broken: "const outgoingResult = (outgoing, incomingResult);",
      },
    ],
  },
  {
    name: "leaves a joint configuration that is not committed (thesis 4.3)",
    seed: 118,
    core: restless,
    changes: [{ file: leadership, correct: "if (membership.index > commitIndex) return;", broken: "" }],
  },
  {
    name: "changes many voters in one step (thesis 4.1)",
    seed: 52,
    core: restless,
    changes: [
      {
        file: "protocols/raft/confchange.ts",
        correct: "return added + removed > 1 ? to :",
        broken: "return added + removed > 1 ? leaveJoint(to) :",
      },
    ],
  },
  {
    name: "answers a read without asking whether it still leads (thesis 6.4)",
    seed: 226,
    core: { checkQuorum: false, cutEveryMs: 100, proposeEveryMs: 10 },
    changes: [
      { file: leadership, correct: "if (this.rounds.isLeaseHeld(nowMs)) return 0;", broken: "return 0;" },
    ],
  },
  {
    name: "answers a read before it knows how far the log is committed (thesis 6.4)",
    core: { proposeEveryMs: 10 },
    changes: [
      {
        file: "protocols/raft/node.ts",
        correct: "Math.max(this.commitIndex, leadership.firstIndex)",
        broken: "this.commitIndex",
      },
    ],
  },
  {
    name: "drops what it has acknowledged when a snapshot comes late (section 7, rule 6)",
    seed: 4,
    core: { ...compacting, ...plain, slow: 0.3, slowMsMax: 400 },
    changes: [
      {
        file: follower,
        correct: "if (index <= this.#commitIndex || isSame) {",
        broken: "if (index <= this.#commitIndex) {",
      },
    ],
  },
  {
    name: "applies what the leader's hash does not cover (design, point 12)",
    seed: 5,
    core: forging,
    changes: [
      {
        file: follower,
        correct: "this.#log.termAt(index) === term && isSameHash(hash, this.#log.hashAt(index))",
        broken: "(hash, this.#log.termAt(index) === term)",
      },
    ],
  },
  {
    name: "takes a published entry for a committed one (design, point 12)",
    core: forging,
    changes: [
      {
        file: follower,
        correct: "const follows = prevLogIndex + known === this.#log.lastIndex;",
        broken:
          "const follows = prevLogIndex + known === this.#log.lastIndex;\nif (follows) this.commitTo(prevLogIndex + entries.length);",
      },
    ],
  },
  {
    name: "takes a part of a snapshot for all of it",
    seed: 4,
    core: { ...compacting, crashEveryMs: 250, paddingBytes: 400 },
    changes: [
      {
        file: follower,
        correct: "if (first !== wanted) {",
        broken: "chunk = { ...chunk, isLast: true };\nif (first !== wanted) {",
      },
      {
        file: follower,
        correct: "const { index, indexTerm, hash, first, items, isLast } = chunk;",
        broken: "const { index, indexTerm, hash, first, items } = chunk;\nconst isLast = true;",
      },
    ],
  },
  {
    name: "tells of a write before it is durable (figure 2, persistent state)",
    seed: 3,
    full: powerless,
    changes: [
      {
        file: "host-tools/leader/raft/log-writer.ts",
        correct: "    this.#disk.sync((error) => {",
        broken:
          "    this.#disk.sync(() => {});\n((told: (error?: Error) => void) => told(undefined))((error) => {",
      },
    ],
  },
  {
    name: "a board believes a record that the power cut short",
    seed: 18,
    full: { ...powerless, crashBoardEveryMs: 1_000 },
    changes: [
      {
        file: "firmware/storage/record.ts",
        correct: "  return crc32(bytes, start + recordHeadBytes, end, crc);",
        broken: "  return crc & 0;",
      },
    ],
  },
  {
    name: "a board's snapshot takes the state's place before all of it is there",
    seed: 12,
    full: { ...compactingHosts, loseFlashEveryMs: 6_000, drift: 0 },
    changes: [
      {
        file: "firmware/storage/board-store.ts",
        correct: "const isInstalled = snapshot?.isLast ?? false;",
        broken: "const isInstalled = snapshot !== undefined;",
      },
    ],
  },
  {
    name: "a host's snapshot counts before it is durable",
    seed: 211,
    full: compactingHosts,
    changes: [
      {
        file: "host-tools/leader/raft/log-writer.ts",
        correct: "this.#disk.write(unfinishedName, 0, encodeSnapshot(snapshot));\n    this.#sync(() => {",
        broken:
          "this.#disk.write(unfinishedName, 0, encodeSnapshot(snapshot));\n    ((now: () => void) => now())(() => {",
      },
    ],
  },
  {
    name: "forgets after a restart which commands its log holds",
    seed: 21,
    full: { ...busy, rememberedEntries: 65_536, powerShare: 0.2, noiseEveryMs: 2_000, loss: 0.4 },
    changes: [
      {
        file: hostMember,
        correct: "for (const entry of unapplied) this.#commands.append(entry);",
        broken: "",
      },
    ],
  },
  {
    name: "remembers commands only once they are applied",
    seed: 15,
    full: { ...divided, slowDiskEveryMs: 4_000, slowSyncMsMax: 1_500, noiseEveryMs: 2_000, loss: 0.4 },
    changes: [
      {
        file: requests,
        correct: "commands.find(id.random);\n",
        broken: "withinApplied(commands.find(id.random), applied.index);\n",
      },
      {
        file: requests,
        correct: "export class ClientRequests {",
        broken:
          "function withinApplied(index: number | undefined, applied: number): number | undefined {\n  return index !== undefined && index <= applied ? index : undefined;\n}\n\nexport class ClientRequests {",
      },
    ],
  },
  {
    name: "forgets that it has forgotten commands",
    seed: 6,
    full: forgetful,
    changes: [
      {
        file: requests,
        correct: "id !== undefined && id.after < commands.floor",
        broken: "id !== undefined && id.after < 0",
      },
    ],
  },
  {
    name: "decides a compare-and-set on what is applied alone",
    seed: 16,
    full: busy,
    changes: [
      {
        file: requests,
        correct: "this.#speculate().get(key);\n",
        broken: "this.#host.applied.state.get(key);\n",
      },
    ],
  },
  {
    name: "refuses a compare-and-set without asking whether it still leads",
    seed: 4,
    full: divided,
    changes: [
      {
        file: requests,
        correct: "this.read(this.#host.log.lastIndex, nowMs, (outcome) => {",
        broken: "((told: (outcome: number) => void) => told(nowMs))((outcome: number | Error) => {",
      },
    ],
  },
  {
    name: "acknowledges whatever stands where the command was to be",
    seed: 10,
    full: divided,
    changes: [
      {
        file: "host-tools/leader/raft/proposals.ts",
        correct: "waiting.term === term ?",
        broken: "term > 0 ?",
      },
      {
        file: "host-tools/leader/raft/proposals.ts",
        correct: "    for (const [index, waiting] of left) answer(waiting, new OutcomeUnknown(index));",
        broken: "    for (const [index, waiting] of left) this.#waiting.set(index, waiting);",
      },
      { file: requests, correct: "this.#proposals.supersede(from);", broken: "(from);" },
    ],
  },
  {
    name: "trusts its lease longer than a voter keeps silent (thesis 6.4.1)",
    seed: 5,
    core: lonelyLeader,
    changes: [
      {
        file: "protocols/raft/read-rounds.ts",
        correct: "nowMs < this.#confirmedMs + this.#leaseMs",
        broken: "nowMs < this.#confirmedMs + 4 * this.#leaseMs",
      },
    ],
  },
  {
    name: "keeps its lease while leadership passes on (thesis 6.4.1)",
    seed: 81,
    core: { ...lonelyLeader, transferEveryMs: 100, noiseEveryMs: 100, loss: 0.1, slow: 0.3, slowMsMax: 50 },
    changes: [{ file: leadership, correct: "this.rounds.giveUpLease();", broken: "" }],
  },
  {
    name: "moves the replay window before the record is opened (RFC 8613, 7.4)",
    full: spiedUpon,
    changes: [
      {
        file: channel,
        correct: 'return { fault: "replayed" };',
        broken: 'return { fault: "replayed" };\n    this.#window.accept(number);',
      },
    ],
  },
  {
    name: "opens a record twice",
    full: spiedUpon,
    changes: [{ file: channel, correct: "    this.#window.accept(number);", broken: "" }],
  },
  {
    name: "a board believes what is relayed while it has a session with whoever is said to speak",
    full: slandered,
    changes: [
      {
        file: "firmware/board/links.ts",
        correct: '&& !this.#links.some(({ state, host }) => state === "joined" && host.name === name)',
        broken: "",
      },
    ],
  },
  {
    name: "admits whoever was revoked",
    seed: 13,
    full: purged,
    changes: [
      {
        file: "protocols/security/identity/roster.ts",
        correct: "return identity.epoch >= statement.since && !holds(statement.references, kid);",
        broken: "return holds(statement.references, kid) || identity.epoch >= statement.since;",
      },
    ],
  },
  {
    name: "refreshes a session under a number that it has used, when it wakes again",
    full: sleepy,
    changes: [
      {
        file: "firmware/storage/board-store.ts",
        correct: "    this.replaceKept(RecordKind.kept, noData);\n    return bytes;",
        broken: "    return bytes;",
      },
      {
        file: "firmware/board/board.ts",
        correct: 'kept === undefined || this.#ports.system.startReason !== "sleep"',
        broken: "kept === undefined",
      },
    ],
  },
  {
    name: "appends several puts again that its log has, when they are retried",
    seed: 2,
    full: divided,
    changes: [
      {
        file: "host-tools/leader/raft/command-table.ts",
        correct: "return isSound ? keyOf(data, 1) : undefined;",
        broken: "return isSound ? undefined : keyOf(data, 1);",
      },
    ],
  },
  {
    name: "a board applies half of several puts",
    full: {},
    changes: [
      {
        file: "firmware/storage/applying.ts",
        correct: "  for (let i = 0; i < changes.length; i++) {\n    const { key, value } = changes[i]!;",
        broken: "  for (let i = 0; i < changes.length - 1; i++) {\n    const { key, value } = changes[i]!;",
      },
    ],
  },
  {
    name: "a board says that several puts are applied before their values are durable",
    seed: 36,
    full: {},
    changes: [
      {
        file: "firmware/storage/applying.ts",
        correct: "  entries.apply(record);\n  commitApplied(contents);",
        broken: "  entries.apply(record);",
      },
    ],
  },
  {
    name: "adopts a draft without looking whether the pieces are still its own",
    full: drafting,
    changes: [careless],
  },
  {
    name: "adopts a draft although a key has another value by now",
    full: drafting,
    property: "linearizability",
    changes: [
      {
        file: requests,
        correct: "[...puts, ...removals]",
        broken: "[...puts.map(({ key, value }) => ({ key, value })), ...removals]",
      },
    ],
  },
  {
    name: "appends an adoption again that its log has, when it is retried",
    full: drafting,
    property: "a command once",
    changes: [
      {
        file: "host-tools/leader/raft/command-table.ts",
        correct: "if (kind === EntryKind.puts || kind === EntryKind.adoption) {",
        broken: "if (kind === EntryKind.puts) {",
      },
    ],
  },
  {
    name: "decides on a state that knows nothing of an adoption in its log",
    seed: 8,
    full: drafting,
    changes: [
      {
        file: "host-tools/leader/raft/speculative-state.ts",
        correct: "of changesOf(entry, this)) {",
        broken: "of entry.kind === 5 ? [] : changesOf(entry, this)) {",
      },
    ],
  },
  {
    name: "adopts what is there although the adoption says otherwise",
    full: drafting,
    property: "an adoption",
    changes: [
      careless,
      {
        file: draft,
        correct: 'this.demand("the bytes", this.#adoption.bytes, this.#bytes);',
        broken: "",
      },
    ],
  },
  {
    name: "leaves the last piece of a draft when it is adopted",
    full: drafting,
    property: "an adoption",
    changes: [
      {
        file: "protocols/state/apply.ts",
        correct: "for (let i = 0; i < adoption.pieces; i++) changes.push(",
        broken: "for (let i = 0; i < adoption.pieces - 1; i++) changes.push(",
      },
    ],
  },
  {
    name: "a board adopts all of a draft but its last put",
    full: draftingPowerless,
    changes: [
      {
        file: adopting,
        correct: "put !== undefined; put = draft.next()) {",
        broken: 'put !== undefined && put.key !== "twin/2"; put = draft.next()) {',
      },
    ],
  },
  {
    name: "a board does not write down that the pieces of a draft are gone",
    full: draftingPowerless,
    property: "state-machine safety",
    changes: [
      {
        file: adopting,
        correct:
          "for (let piece = 0; piece < adoption.pieces; piece++) state.writeAbsent(draftKey(piece), index);",
        broken: "",
      },
    ],
  },
  {
    name: "a board's values of a draft count before the commit",
    full: draftingPowerless,
    changes: [
      {
        file: "firmware/storage/store-recovery.ts",
        correct: "if (index <= this.#appliedIndex) state.replayValue(tag, index, place);",
        broken: "state.replayValue(tag, index, place);",
      },
    ],
  },
  {
    name: "answers reads when it leads no more",
    full: divided,
    changes: [
      {
        file: requests,
        correct: 'return !this.#isStopped && this.#host.node.role === "leader";',
        broken: "return !this.#isStopped;",
      },
      {
        file: requests,
        correct: "const { term, round, index, output } = this.#host.node.read(nowMs);",
        broken:
          'if (this.#host.node.role !== "leader") {\n        done(this.#host.applied.index);\n        return;\n      }\n      const { term, round, index, output } = this.#host.node.read(nowMs);',
      },
    ],
  },
  {
    name: "a board goes on with a task when its lease has ended",
    seed: 2,
    full: sharing,
    changes: [
      {
        file: "protocols/tasks/tenure.ts",
        correct: "return nowMs < untilMs;",
        broken: "return untilMs > 0;",
      },
    ],
  },
  {
    name: "a board goes on with a task that was taken from it, until its lease ends",
    full: sharing,
    changes: [
      {
        file: "protocols/tasks/tenure.ts",
        correct: "if (at >= 0) this.#held.splice(at, 1);",
        broken: "if (at >= 0 && placement !== undefined) this.#held.splice(at, 1);",
      },
    ],
  },
  {
    name: "a new leader does not wait for what the one before it granted",
    full: { ...sharing, cutEveryMs: 3_000, transferEveryMs: 6_000 },
    changes: [
      {
        file: "protocols/tasks/steward.ts",
        correct: "return Math.max(this.#sinceMs, this.#heardMs.get(task) ?? this.#sinceMs);",
        broken: "return this.#heardMs.get(task) ?? -Infinity;",
      },
    ],
  },
];
