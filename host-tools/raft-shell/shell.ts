/**
 * The Raft core, driven by JSON: a group of members on a network and on disks in memory, where nothing happens unless an
 * operation says so. There is no clock and no randomness, so the same operations always have the same answers.
 * `docs/raft-shell.md` describes the operations.
 */
import type { Change, Transition } from "../../protocols/raft/confchange.ts";
import type { Node } from "../../protocols/raft/node.ts";
import type { Proposal } from "../../protocols/raft/node-options.ts";
import type { MemberId } from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import { creationFrom } from "./creation.ts";
import { describeLog, describeMember, describeParcel } from "./describe.ts";
import type { Surroundings } from "./member.ts";
import { ShellMember } from "./member.ts";
import { matcherFrom, Network } from "./network.ts";
import { Operation, WrongOperation } from "./operation.ts";

/** One JSON value. */
export type Answer = Readonly<Record<string, unknown>>;

/** Messages that one operation may deliver; a group that is not quiet then never will be. */
const deliveriesMax = 100_000;

export class RaftShell {
  readonly #members = new Map<MemberId, ShellMember>();
  readonly #network = new Network();
  /** Boards that take published entries. */
  readonly #listeners: MemberId[] = [];
  #violations: string[] = [];
  #readsAsked = 0;

  /** Carries out one line. An operation that is wrong, or that the core refuses, changes nothing, and the answer says why. */
  run(line: string): Answer {
    this.#violations = [];
    try {
      const operation = Operation.parse(line);
      const carryOut = this.#operations[operation.name];
      if (carryOut === undefined) {
        const known = Object.keys(this.#operations).join(", ");
        throw new WrongOperation(`There is no operation ${operation.name}: the operations are ${known}.`);
      }
      const answer = carryOut(operation);
      const reads = this.#takeReads();
      const overflowed = this.#network.takeOverflowed();
      return {
        ok: true,
        ...answer,
        ...(reads.length > 0 ? { reads } : {}),
        ...(this.#violations.length > 0 ? { violations: this.#violations } : {}),
        ...(overflowed > 0 ? { overflowed } : {}),
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
      return { dropped: this.#network.takeAll(matches).map(describeParcel) };
    },
    messages: (operation) => {
      const matches = matcherFrom(operation);
      operation.checkAllRead();
      return { messages: this.#network.matching(matches).map(describeParcel) };
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
      if (this.#listeners.includes(member.id)) this.#connectListener(member.id);
      return {};
    },
    compact: (operation) => {
      const member = this.#upOf(operation);
      const index = operation.integer("index", member.log.firstIndex - 1, member.appliedIndex);
      const trailing = operation.optionalInteger("trailing", 0, 0);
      operation.checkAllRead();
      member.log.compact(index, trailing);
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
      return describeLog(log, from);
    },
  };

  #create(operation: Operation): Answer {
    const creation = creationFrom(operation, (id) => this.#members.has(id));
    for (const id of creation.ids) this.#members.set(id, new ShellMember(id, creation, this.#surroundings));
    for (const id of creation.listeners) {
      this.#listeners.push(id);
      this.#connectListener(id);
    }
    return { nodes: creation.ids };
  }

  readonly #surroundings: Surroundings = {
    isHost: (id) => this.#members.get(id)?.kind !== "board",
    listeners: () => this.#listeners,
    send: (message) => this.#network.send(message),
    publish: (publication) => {
      for (const to of this.#listeners) this.#network.send({ ...publication, to });
    },
    onViolation: (id, violation) => this.#violations.push(`${id}: ${violation}`),
  };

  #connectListener(id: MemberId): void {
    for (const member of this.#members.values()) member.connectListener(id);
  }

  #propose(member: ShellMember, propose: (node: Node) => Proposal): Answer {
    const { index, term, output } = propose(member.node!);
    member.perform(output);
    return { index, term };
  }

  /** Those that wait now, or, until quiet, also those that arise. */
  #deliver(operation: Operation): Answer {
    const matches = matcherFrom(operation);
    const untilQuiet = operation.optionalFlag("untilQuiet", false);
    const count = operation.optionalInteger("count", 1, deliveriesMax);
    operation.checkAllRead();
    const delivered: Answer[] = [];
    let left = untilQuiet ? count : Math.min(count, this.#network.matching(matches).length);
    for (; left > 0; left--) {
      const parcel = this.#network.take(matches);
      if (parcel === undefined) break;
      const member = this.#members.get(parcel.to);
      const isLost = member === undefined || !member.isUp;
      delivered.push({ ...describeParcel(parcel), ...(isLost ? { lost: true } : {}) });
      if (!isLost) member.receive(parcel);
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
const changeKinds: readonly Change["kind"][] = ["voter", "learner", "remove", "update"];

function changeFrom(operation: Operation): Change {
  const kind = operation.choice("kind", changeKinds, "voter");
  const id = operation.text("id");
  operation.checkAllRead();
  return { kind, id };
}
