/**
 * The Raft core, driven by JSON: a group of members on a network and on disks in memory, where nothing happens unless an
 * operation says so. There is no clock and no randomness, so the same operations always have the same answers.
 * `docs/raft-shell.md` describes the operations.
 */
import type { Change } from "../../protocols/raft/confchange.ts";
import { noConfiguration } from "../../protocols/raft/confchange.ts";
import type { Node } from "../../protocols/raft/node.ts";
import type { Proposal, Transition } from "../../protocols/raft/node-options.ts";
import { uncommittedEntriesMax } from "../../protocols/raft/node-options.ts";
import { boardFlow } from "../../protocols/raft/progress.ts";
import type { MemberId, Message } from "../../protocols/raft/types.ts";
import { EntryKind, limits } from "../../protocols/raft/types.ts";
import { describeEntry, describeMember, describeMessage } from "./describe.ts";
import { ShellMember } from "./member.ts";
import { Operation, WrongOperation } from "./operation.ts";

/** One JSON value. */
export type Answer = Readonly<Record<string, unknown>>;

/** Messages that one operation may deliver; a group that is not quiet then never will be. */
const deliveriesMax = 100_000;

/** Messages that may wait on the network; it loses what is beyond, and says so. */
const waitingMax = 100_000;

export class RaftShell {
  readonly #members = new Map<MemberId, ShellMember>();
  #waiting: Message[] = [];
  #violations: string[] = [];
  #readsAsked = 0;
  #overflowed = 0;

  /** Carries out one line. An operation that is wrong, or that the core refuses, changes nothing, and the answer says why. */
  run(line: string): Answer {
    this.#violations = [];
    this.#overflowed = 0;
    try {
      const operation = Operation.parse(line);
      const carryOut = this.#operations[operation.name];
      if (carryOut === undefined) {
        const known = Object.keys(this.#operations).join(", ");
        throw new WrongOperation(`There is no operation ${operation.name}: the operations are ${known}.`);
      }
      const answer = carryOut(operation);
      const reads = this.#takeReads();
      return {
        ok: true,
        ...answer,
        ...(reads.length > 0 ? { reads } : {}),
        ...(this.#violations.length > 0 ? { violations: this.#violations } : {}),
        ...(this.#overflowed > 0 ? { overflowed: this.#overflowed } : {}),
      };
    } catch (error) {
      const { name, message } = error as Error;
      return { ok: false, error: name, message };
    }
  }

  readonly #operations: Readonly<Record<string, (operation: Operation) => Answer>> = {
    create: (operation) => this.#create(operation),
    timeout: (operation) => {
      const member = this.#memberOf(operation);
      const ticks = operation.integer("ticks", member.timing.electionMinMs, member.timing.electionMaxMs - 1);
      operation.checkAllRead();
      member.setTimeout(ticks);
      return {};
    },
    tick: (operation) => {
      const members = operation.has("node") ? [this.#upOf(operation)] : [...this.#members.values()];
      const count = operation.optionalInteger("count", 1, 1);
      operation.checkAllRead();
      for (let i = 0; i < count; i++) for (const member of members) member.tick();
      return {};
    },
    campaign: (operation) => {
      const member = this.#hostOf(operation);
      operation.checkAllRead();
      member.act((node, nowTicks) => node.campaign(nowTicks));
      return {};
    },
    propose: (operation) => {
      const member = this.#hostOf(operation);
      const data = new TextEncoder().encode(operation.text("data"));
      operation.checkAllRead();
      return this.#propose(member, (node) => node.propose(EntryKind.put, data));
    },
    change: (operation) => {
      const member = this.#hostOf(operation);
      const transition = operation.choice("transition", transitions, "auto");
      const changes = operation.list("changes").map(changeFrom);
      operation.checkAllRead();
      return this.#propose(member, (node) =>
        transition === "leave" ? node.leaveJoint() : node.change(changes, transition),
      );
    },
    transfer: (operation) => {
      const member = this.#hostOf(operation);
      const to = operation.text("to");
      operation.checkAllRead();
      member.act((node, nowTicks) => node.transfer(to, nowTicks));
      return {};
    },
    read: (operation) => {
      const member = this.#hostOf(operation);
      operation.checkAllRead();
      const read = ++this.#readsAsked;
      member.read(read);
      return { read };
    },
    deliver: (operation) => this.#deliver(operation),
    drop: (operation) => {
      const matches = matcherFrom(operation);
      operation.checkAllRead();
      const dropped = this.#waiting.filter(matches);
      this.#waiting = this.#waiting.filter((message) => !matches(message));
      return { dropped: dropped.map(describeMessage) };
    },
    messages: (operation) => {
      const matches = matcherFrom(operation);
      operation.checkAllRead();
      return { messages: this.#waiting.filter(matches).map(describeMessage) };
    },
    hold: (operation) => {
      const member = this.#memberOf(operation);
      operation.checkAllRead();
      member.syncsAtOnce = false;
      return {};
    },
    sync: (operation) => {
      const member = this.#upOf(operation);
      member.syncsAtOnce = !operation.optionalFlag("once", false);
      operation.checkAllRead();
      member.sync();
      return {};
    },
    crash: (operation) => {
      const member = this.#upOf(operation);
      const unsynced = member.log.unsyncedCount;
      const kept = operation.has("kept") ? operation.integer("kept", 0, unsynced) : 0;
      operation.checkAllRead();
      member.crash(kept);
      return { lostWrites: unsynced - kept };
    },
    restart: (operation) => {
      const member = this.#memberOf(operation);
      operation.checkAllRead();
      if (member.isUp) throw new WrongOperation(`${member.id} is up: crash it first.`);
      member.restart();
      return {};
    },
    compact: (operation) => {
      const member = this.#upOf(operation);
      const index = operation.integer("index", member.log.firstIndex - 1, member.appliedIndex);
      operation.checkAllRead();
      member.compact(index, 0);
      return {};
    },
    state: (operation) => {
      const asked = operation.has("node") ? [this.#memberOf(operation)] : [...this.#members.values()];
      operation.checkAllRead();
      return { nodes: asked.map(describeMember) };
    },
    log: (operation) => {
      const { log } = this.#memberOf(operation);
      const from = operation.optionalInteger("from", log.firstIndex, log.firstIndex);
      operation.checkAllRead();
      const entries = [];
      for (let index = from; index <= log.lastIndex; index++) entries.push(describeEntry(log.entry(index)));
      return { firstIndex: log.firstIndex, entries };
    },
  };

  #create(operation: Operation): Answer {
    const voters = operation.texts("voters");
    const learners = operation.texts("learners");
    const boards = operation.texts("boards");
    const others = operation.texts("others");
    const firstIndex = operation.optionalInteger("firstIndex", 1, 1);
    const electionTicks = operation.optionalInteger("electionTicks", 2, 10);
    const timing = {
      heartbeatMs: operation.optionalInteger("heartbeatTicks", 1, 1),
      electionMinMs: electionTicks,
      electionMaxMs: 2 * electionTicks,
    };
    const timeouts = operation.object("timeouts")?.integers(electionTicks) ?? new Map<string, number>();
    const preVote = operation.optionalFlag("preVote", true);
    const checkQuorum = operation.optionalFlag("checkQuorum", true);
    const flow = Object.fromEntries(operation.object("limits")?.integers(1) ?? []);
    operation.checkAllRead();
    const ids = [...new Set([...voters, ...learners, ...others])];
    this.#checkCreation(ids, voters, learners, boards, flow);
    for (const [id, ticks] of timeouts) {
      if (!ids.includes(id)) throw new WrongOperation(`timeouts names ${id}, which is not created here.`);
      if (ticks >= timing.electionMaxMs) {
        throw new WrongOperation(`The timeout of ${id} must be below ${timing.electionMaxMs} ticks.`);
      }
    }
    for (const id of ids) {
      const member = new ShellMember({
        id,
        kind: boards.includes(id) ? "board" : "host",
        configuration: { ...noConfiguration, voters, learners },
        firstIndex,
        preVote,
        checkQuorum,
        timing,
        timeoutTicks: timeouts.get(id) ?? electionTicks,
        flow: { ...boardFlow, ...flow },
        uncommittedEntriesMax: flow.uncommittedEntriesMax ?? uncommittedEntriesMax,
        leaseReads: false,
        isHost: (other) => this.#members.get(other)?.kind !== "board",
        publish: () => {},
        syncsAtOnce: true,
        send: (message) => this.#send(message),
        onViolation: (violation) => this.#violations.push(`${id}: ${violation}`),
      });
      this.#members.set(id, member);
    }
    return { nodes: ids };
  }

  #checkCreation(
    ids: readonly string[],
    voters: readonly string[],
    learners: readonly string[],
    boards: readonly string[],
    flow: Readonly<Record<string, number>>,
  ): void {
    if (ids.length === 0) throw new WrongOperation("create: name voters, learners or others.");
    for (const id of ids)
      if (this.#members.has(id)) throw new WrongOperation(`There is a node ${id} already.`);
    for (const id of learners) {
      if (voters.includes(id)) throw new WrongOperation(`${id} cannot be both voter and learner.`);
    }
    for (const id of boards) {
      if (!ids.includes(id)) throw new WrongOperation(`boards names ${id}, which is not created here.`);
    }
    if (voters.length > limits.votersMax) {
      throw new WrongOperation(`At most ${limits.votersMax} may vote.`);
    }
    for (const name of Object.keys(flow)) {
      if (!flowNames.includes(name))
        throw new WrongOperation(`limits: ${name} is none of ${flowNames.join(", ")}.`);
    }
  }

  #propose(member: ShellMember, propose: (node: Node) => Proposal): Answer {
    const { index, term, output } = propose(member.node!);
    member.perform(output);
    return { index, term };
  }

  #send(message: Message): void {
    if (this.#waiting.length < waitingMax) this.#waiting.push(message);
    else this.#overflowed++;
  }

  /** Those that wait now, or, until quiet, also those that arise. */
  #deliver(operation: Operation): Answer {
    const matches = matcherFrom(operation);
    const untilQuiet = operation.optionalFlag("untilQuiet", false);
    const count = operation.optionalInteger("count", 1, deliveriesMax);
    operation.checkAllRead();
    const delivered: Answer[] = [];
    let left = untilQuiet ? count : Math.min(count, this.#waiting.filter(matches).length);
    for (; left > 0; left--) {
      const at = this.#waiting.findIndex(matches);
      if (at < 0) break;
      const message = this.#waiting.splice(at, 1)[0]!;
      const member = this.#members.get(message.to);
      const isLost = member === undefined || !member.isUp;
      delivered.push({ ...describeMessage(message), ...(isLost ? { lost: true } : {}) });
      if (!isLost) member.receive(message);
    }
    return { delivered };
  }

  #takeReads(): Answer[] {
    const reads: Answer[] = [];
    for (const member of this.#members.values()) {
      for (const { read, index } of member.takeReads()) {
        reads.push(index === undefined ? { read, refused: "NotLeader" } : { read, index });
      }
    }
    return reads;
  }

  #memberOf(operation: Operation): ShellMember {
    const id = operation.text("node");
    const member = this.#members.get(id);
    if (member === undefined) throw new WrongOperation(`There is no node ${id}: create it first.`);
    return member;
  }

  #upOf(operation: Operation): ShellMember {
    const member = this.#memberOf(operation);
    if (!member.isUp) throw new WrongOperation(`${member.id} is down: restart it first.`);
    return member;
  }

  #hostOf(operation: Operation): ShellMember {
    const member = this.#upOf(operation);
    if (member.node === undefined) throw new WrongOperation(`${member.id} is a board, which only follows.`);
    return member;
  }
}

const transitions: readonly (Transition | "leave")[] = [
  "auto",
  "simple",
  "joint",
  "joint-auto-leave",
  "leave",
];
const flowNames = ["appendEntriesMax", "appendBytesMax", "inflightAppendsMax", "uncommittedEntriesMax"];
const messageTypes = ["vote-request", "vote-response", "append-request", "append-response", "timeout-now"];
const changeKinds: readonly Change["kind"][] = ["voter", "learner", "remove", "update"];

function changeFrom(operation: Operation): Change {
  const kind = operation.choice("kind", changeKinds, "voter");
  const id = operation.text("id");
  operation.checkAllRead();
  return { kind, id };
}

/** Which messages an operation is about: those from, to and of the type that it names. */
function matcherFrom(operation: Operation): (message: Message) => boolean {
  const from = operation.optionalText("from");
  const to = operation.optionalText("to");
  const type = operation.has("type") ? operation.choice("type", messageTypes, "") : undefined;
  return (message) =>
    (from === undefined || from === message.from) &&
    (to === undefined || to === message.to) &&
    (type === undefined || type === message.type);
}
