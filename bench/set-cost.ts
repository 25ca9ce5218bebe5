/**
 * What one `set` costs in messages and bytes, exactly: the cores that ship, joined by a lossless wire, from the proposal
 * until every board has applied and said so. No clock runs, so no heartbeat is among them.
 */
import { decodeCbor, encodeCbor } from "../host-tools/codec/cbor.ts";
import { messageFromWire, messageToWire } from "../protocols/raft/codec.ts";
import { Follower } from "../protocols/raft/follower.ts";
import { Node } from "../protocols/raft/node.ts";
import {
  type Entry,
  EntryKind,
  type HostLog,
  type Message,
  type RaftOutput,
} from "../protocols/raft/types.ts";
import { commandToWire } from "../protocols/state/codec.ts";
import { publishBytes } from "./mqtt-bytes.ts";

export interface SetCost {
  readonly boards: number;
  readonly voters: number;
  readonly messagesToBoards: number;
  readonly messagesFromBoards: number;
  /** Bytes of the Raft messages themselves. */
  readonly payloadBytes: number;
  /** With MQTT's header and topic, as written to the sockets. */
  readonly mqttBytes: number;
}

/** A host and `boards` boards, of which the first `votingBoards` vote with it; one key set once. */
export function measureSetCost(boards: number, votingBoards: number): SetCost {
  const group = new Group(boards, votingBoards);
  group.lead();
  group.count.reset();
  group.set("fan.duty", 40);
  const { toBoards, fromBoards, payloadBytes, mqttBytes } = group.count;
  return {
    boards,
    voters: votingBoards + 1,
    messagesToBoards: toBoards,
    messagesFromBoards: fromBoards,
    payloadBytes,
    mqttBytes,
  };
}

class MemoryLog implements HostLog {
  readonly firstIndex = 1;
  readonly #entries: Entry[] = [];

  get lastIndex(): number {
    return this.#entries.length;
  }

  termAt(index: number): number | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term;
  }

  entry(index: number): Entry {
    return this.#entries[index - 1]!;
  }

  take(output: RaftOutput): void {
    if (output.truncateFrom > 0) this.#entries.length = output.truncateFrom - 1;
    this.#entries.push(...output.entries);
  }
}

class WireCount {
  toBoards = 0;
  fromBoards = 0;
  payloadBytes = 0;
  mqttBytes = 0;

  reset(): void {
    this.toBoards = this.fromBoards = this.payloadBytes = this.mqttBytes = 0;
  }
}

const hostId = "a.5f3a90c2";
const boardId = (number: number) => `board-${number}.5f3a90c2`;

class Group {
  readonly count = new WireCount();
  readonly #hostLog = new MemoryLog();
  readonly #host: Node;
  readonly #wire: Message[] = [];
  readonly #boards = new Map<string, { follower: Follower; log: MemoryLog }>();

  constructor(boards: number, votingBoards: number) {
    const names = Array.from({ length: boards }, (_, number) => boardId(number + 1));
    const voters = [hostId, ...names.slice(0, votingBoards)];
    const membership = {
      index: 1,
      term: 1,
      kind: EntryKind.membership,
      version: 1,
      data: encodeCbor(voters),
    };
    const fresh = { hardState: { term: 1, vote: undefined }, commitIndex: 0 };
    this.#hostLog.take({ ...nothing, entries: [membership] });
    this.#host = new Node({
      ...fresh,
      id: hostId,
      log: this.#hostLog,
      timing: { heartbeatMs: 250, electionMinMs: 1000, electionMaxMs: 2000 },
      random: () => 0.5,
      nowMs: 0,
    });
    for (const id of names) {
      const log = new MemoryLog();
      this.#boards.set(id, {
        follower: new Follower({ ...fresh, id, log, leaderHeardMs: -Infinity, leaderSilenceMs: 1000 }),
        log,
      });
    }
  }

  lead(): void {
    for (const id of this.#boards.keys()) this.#run(this.#host.addMember(id));
    this.#run(this.#host.campaign(0));
    this.#deliverAll();
  }

  set(key: string, value: number): void {
    this.#run(this.#host.propose(EntryKind.put, encodeCbor(commandToWire({ key, value }))).output);
    this.#deliverAll();
  }

  /** First in, first out, as on one connection a board. */
  #deliverAll(): void {
    for (let message = this.#wire.shift(); message; message = this.#wire.shift()) {
      if (message.to === hostId) this.#run(this.#host.step(message, 0));
      else this.#stepBoard(message);
    }
  }

  #run(output: RaftOutput): void {
    this.#hostLog.take(output);
    this.#host.setApplied(output.commitIndex);
    for (const message of output.messages) {
      this.count.toBoards += 1;
      this.#wire.push(this.#carry("down", message.to, message));
    }
    const last = output.entries.at(-1);
    if (last) this.#run(this.#host.persisted(last.index, last.term));
  }

  #stepBoard(message: Message): void {
    const { follower, log } = this.#boards.get(message.to)!;
    const output = follower.step(message, 0);
    log.take(output);
    // As on a board: applied before the answer is sent, so that the answer says so.
    follower.setApplied(output.commitIndex);
    for (const answer of output.messages) {
      this.count.fromBoards += 1;
      this.#wire.push(this.#carry("up", answer.from, answer));
    }
  }

  #carry(way: "up" | "down", member: string, message: Message): Message {
    const payload = encodeCbor(messageToWire(message));
    const topic = `covey/greenhouse/${way}/${member.split(".")[0]}/raft`;
    this.count.payloadBytes += payload.length;
    this.count.mqttBytes += publishBytes(topic, payload);
    return messageFromWire(decodeCbor(payload));
  }
}

const nothing: RaftOutput = {
  hardState: undefined,
  truncateFrom: 0,
  entries: [],
  messages: [],
  commitIndex: 0,
  violation: undefined,
};
