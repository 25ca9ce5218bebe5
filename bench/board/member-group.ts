/** The other members of a board's group of registers, in Node: each with the `Member` and the `Lan` that ship, on a network without faults. */
import type { Network } from "../../firmware/platform/ports.ts";
import { decodeCbor, encodeCbor } from "../../host-tools/codec/cbor.ts";
import { lanPort } from "../../protocols/lan/datagrams.ts";
import { groupToWire } from "../../protocols/paxos/group.ts";
import { Member, type MemberOutput } from "../../protocols/paxos/member.ts";
import { paxosMessageFromWire, paxosMessageToWire } from "../../protocols/paxos/messages.ts";
import {
  type Group,
  type Outcome,
  type RegisterDefinition,
  registerLimits,
} from "../../protocols/paxos/types.ts";
import { memberOf } from "../../test/firmware/board/members.ts";
import { type LanBoard, VirtualLan } from "../../test/firmware/lan/virtual-lan.ts";
import { Random } from "../../test/simulation/raft/random.ts";

/** What the group votes on. */
const registers: readonly RegisterDefinition[] = ["setpoint", "limit", "spare"].map((name) => ({
  name,
  kind: "number",
  min: 0,
  max: 100,
}));
const ownAddress = "10.7.1.1";

/** Two members beside the board that is measured, the first and the last of the group by their names: it begins one session and answers the other. */
export class MemberGroup {
  readonly group: Group;
  readonly #world: VirtualLan;
  readonly #others: readonly OtherMember[];
  #deliver: (bytes: Uint8Array, from: string) => void = () => {};

  constructor(ownId: string, names: readonly string[], random = new Random(1)) {
    this.#world = new VirtualLan(random.next);
    const own = ownId.split(".")[0]!;
    const members = [ownId, ...names.map((name) => `${name}.00000001`)];
    const base = registers.map(() => ({ version: 0, value: 21, by: "", request: 0, atMs: 0 }));
    this.group = { epoch: 1, isClosing: false, members, registers, base };
    this.#world.outside = ownAddress;
    this.#world.meddle = ({ to, from, bytes }) => {
      if (to !== ownAddress) return undefined;
      this.#deliver(bytes, from);
      return [];
    };
    this.#others = names.map(
      (name) => new OtherMember(this.#world, `${name}.00000001`, [own, ...names], this.group, random),
    );
  }

  /** The value of the key under which the swarm agrees on the group. */
  get bytes(): Uint8Array {
    return encodeCbor(groupToWire(this.group));
  }

  /** The LAN as the board that is measured has it. */
  openUdp: NonNullable<Network["openUdp"]> = (_port, events) => {
    this.#deliver = (bytes, from) => events.onData(bytes, from, lanPort);
    return {
      send: (to, _, bytes) => this.#world.send({ from: ownAddress, to, bytes: bytes.slice() }),
      close: () => {
        this.#deliver = () => {};
      },
    };
  };

  run(forMs: number): void {
    this.#world.run(forMs);
    for (const other of this.#others) other.run(this.#world.nowMs);
  }

  /** A change that one of the others makes. */
  propose(other: number, register: string, value: number): void {
    this.#others[other]!.propose(register, value, this.#world.nowMs);
  }

  /** How the changes of the others came out. */
  get outcomes(): Outcome[] {
    return this.#others.flatMap(({ outcomes }) => outcomes);
  }
}

class OtherMember {
  readonly outcomes: Outcome[] = [];
  readonly #member: Member;
  readonly #board: LanBoard;
  readonly #random: Random;

  constructor(world: VirtualLan, memberId: string, names: readonly string[], group: Group, random: Random) {
    const name = memberId.split(".")[0]!;
    this.#random = random;
    this.#member = new Member({ memberId, random: random.next }, undefined);
    this.#board = world.add(name, names, memberOf("board", name));
    this.#board.onMessage = (from, bytes) =>
      this.#perform(this.#member.take(from, paxosMessageFromWire(decodeCbor(bytes)), world.nowMs));
    this.#perform(this.#member.onGroup(group, world.nowMs));
  }

  run(nowMs: number): void {
    if (nowMs >= this.#member.dueMs) this.#perform(this.#member.run(nowMs));
  }

  propose(register: string, value: number, nowMs: number): void {
    const request = this.#random.between(0, registerLimits.requestMax);
    const change = { register, request, value, ifVersion: undefined, atMs: nowMs, deadlineMs: nowMs + 5000 };
    this.#perform(this.#member.propose(change, nowMs));
  }

  #perform({ keep, messages, outcomes }: MemberOutput): void {
    if (keep !== undefined) this.#member.onKept();
    for (const { to, message } of messages) {
      this.#board.lan.send(to, encodeCbor(paxosMessageToWire(message)));
    }
    this.outcomes.push(...outcomes);
  }
}
