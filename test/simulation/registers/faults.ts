/** Mistakes that somebody could make in registers, some of them made elsewhere before, one or a few changes of the source each: the simulation must find every one. */
import type { Change } from "../changed-sources.ts";

export interface Fault {
  readonly name: string;
  readonly changes: readonly Change[];
  /** Where the search begins: a seed in which it showed when this was written; 1 when not said. */
  readonly seed?: number;
}

const acceptor = "protocols/paxos/acceptor.ts";
const proposer = "protocols/paxos/proposer.ts";
const member = "protocols/paxos/member.ts";
const changes = "protocols/paxos/changes.ts";
const memory = "protocols/paxos/member-memory.ts";
const succession = "protocols/paxos/succession.ts";
const recording = "host-tools/leader/registers/recording.ts";
const board = "test/simulation/registers/simulated-member.ts";

function change(file: string, correct: string, broken: string): Change {
  return { file, correct, broken };
}

export const faults: readonly Fault[] = [
  {
    name: "an acceptor forgets a ballot that it promised",
    changes: [
      change(acceptor, "taken.isChanged = true;\n      memory.promised = ballot;", "taken.isChanged = true;"),
    ],
  },
  {
    name: "a promise is answered before it is durable",
    changes: [change(acceptor, "if (ballot > memory.promised) taken.isChanged = true;", "")],
  },
  {
    name: "an acceptance is answered before it is durable",
    seed: 27,
    changes: [change(acceptor, "taken.isChanged = true;\n    }", "}")],
  },
  {
    name: "what could not be kept goes out all the same",
    seed: 210,
    changes: [change(board, "&& !this.#keep(member, keep)) return;", "&& !this.#keep(member, keep)) {}")],
  },
  {
    name: "an acceptor accepts below its promise",
    changes: [
      change(
        acceptor,
        "if (ballot < memory.promised) {",
        'if (ballot < memory.promised && question.kind === "prepare") {',
      ),
    ],
  },
  {
    name: "to accept is no promise",
    seed: 116,
    changes: [
      change(
        acceptor,
        "memory.promised = ballot;\n    memory.accepted = ballot;",
        "memory.accepted = ballot;",
      ),
    ],
  },
  {
    name: "what was accepted in the lowest ballot counts",
    changes: [
      change(
        proposer,
        "if (accepted < this.#highest) return;\n    if (accepted > this.#highest) {",
        "if (this.#highest >= 0 && accepted > this.#highest) return;\n    if (accepted !== this.#highest) {",
      ),
    ],
  },
  {
    name: "a majority is one less",
    changes: [
      change(
        "protocols/paxos/types.ts",
        "return Math.floor(members / 2) + 1;",
        "return Math.floor(members / 2);",
      ),
    ],
  },
  {
    name: "a proposer uses a ballot again",
    changes: [
      change(
        changes,
        "nextBallot(Math.max(after, memory.acceptor!.promised(register)),",
        "nextBallot(after,",
      ),
    ],
  },
  {
    name: "two members have the same ballots",
    changes: [change("protocols/paxos/ballot.ts", "counter * places + place", "counter * places")],
  },
  {
    name: "a round that finds its own change makes it again",
    changes: [
      change(proposer, "if (value === undefined || this.isMine(found)) {", "if (value === undefined) {"),
      change(proposer, 'if (this.isMine(state)) this.end("done", state);\n    else this', "this"),
      change(proposer, "if (this.isMine(state) || this.change", "if (this.change"),
    ],
  },
  {
    name: "a request that is asked for again is another change",
    changes: [change(changes, "if (past !== undefined) outbox.tell(past);\n    else if", "if")],
  },
  {
    name: "a proposer builds on what may not be chosen",
    changes: [change(proposer, "if (!this.isFoundChosen()) return this.accept(ballot, found, nowMs);", "")],
  },
  {
    name: "a reading answers with what may not be chosen",
    changes: [change(proposer, "if (!this.isFoundChosen()) return this.prepare(nowMs);", "")],
  },
  {
    name: "an answer to an earlier ballot counts",
    seed: 111,
    changes: [
      change(
        proposer,
        'answer.kind === "seen" || answer.ballot !== question.ballot',
        'answer.kind === "seen"',
      ),
    ],
  },
  {
    name: "an answer that came twice counts twice",
    seed: 10,
    changes: [change(proposer, "if ((this.#answered & bit) !== 0) return undefined;", "")],
  },
  {
    name: "a change is made whatever the version",
    changes: [
      change(
        proposer,
        "if (ifVersion !== undefined && ifVersion !== found.version) {",
        "if (ifVersion === -1) {",
      ),
    ],
  },
  {
    name: "who gives up says that nothing happened",
    changes: [
      change(
        proposer,
        'this.end(this.#own === undefined ? "unreached" : "unknown", undefined);',
        'this.end("unreached", undefined);',
      ),
    ],
  },
  {
    name: "a change that may be past is made again",
    changes: [
      change(
        proposer,
        '// Its version was chosen and is past; by whom it was, nobody here knows.\n      this.end("unknown", undefined);\n      return undefined;',
        "",
      ),
    ],
  },
  {
    name: "a closing member still promises and accepts",
    changes: [change(acceptor, "if (this.#isClosed || question.epoch", "if (question.epoch")],
  },
  {
    name: "a closing member still says what it has",
    seed: 21,
    changes: [
      change(
        acceptor,
        "if (this.#isClosed || question.epoch",
        'if ((this.#isClosed && question.kind !== "look") || question.epoch',
      ),
    ],
  },
  {
    name: "that a member has closed is not durable",
    seed: 22,
    changes: [
      change(
        memory,
        "if (this.#acceptor?.close() === true) this.#isDirty = true;",
        "this.#acceptor?.close();",
      ),
    ],
  },
  {
    name: "the next epoch begins from what a minority tells",
    changes: [
      change(
        succession,
        "tellings.length >= majorityOf(group.members.length)",
        "tellings.length >= majorityOf(group.members.length) - 1",
      ),
    ],
  },
  {
    name: "the next epoch begins with what was told last",
    seed: 25,
    changes: [
      change(
        succession,
        "if (accepted[at]!.ballot <= ballot) continue;",
        "if (accepted[at]!.ballot < 1) continue;",
      ),
    ],
  },
  {
    name: "what was told of an earlier epoch counts",
    seed: 23,
    changes: [change(succession, "|| epoch !== group.epoch || !", "|| !")],
  },
  {
    name: "messages of an earlier epoch count",
    changes: [
      change(member, "|| message.epoch !== membership.group!.epoch) return", ") return"),
      change(acceptor, "|| question.epoch !== this.epoch ||", "||"),
      change(
        proposer,
        "if (answer.epoch !== question.epoch || answer.register !== question.register) return false;",
        "if (answer.register !== question.register) return false;",
      ),
    ],
  },
  {
    name: "what is told late becomes the log's copy",
    changes: [change(recording, "copy === undefined || copy.version < state.version", "copy !== null")],
  },
  {
    name: "who has lost its memory keeps its id",
    seed: 16,
    changes: [change(board, "this.#incarnation++;", "")],
  },
  {
    name: "a board that tells a state forgets those before it",
    seed: 109,
    changes: [
      change(
        "protocols/paxos/untold.ts",
        "const at = this.#states.findIndex((one) => isSame(one, register, epoch, version));",
        "const at = this.#states.findIndex((one) => one.register === register && one.state.version <= version);",
      ),
    ],
  },
];
