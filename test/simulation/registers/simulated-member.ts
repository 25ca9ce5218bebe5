/** A board with the member that ships, its flash, and how far it has the log. */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { Member, type MemberOutput } from "../../../protocols/paxos/member.ts";
import { paxosMessageFromWire, paxosMessageToWire } from "../../../protocols/paxos/messages.ts";
import type { RecordedState, RegisterReport } from "../../../protocols/paxos/report.ts";
import type { Change, Chosen, Outcome } from "../../../protocols/paxos/types.ts";
import type { HistoryEvent } from "../linearizability/history.ts";
import type { Random } from "../raft/random.ts";
import type { Climate } from "./climate.ts";
import type { RegisterWatch } from "./register-watch.ts";
import type { LogEntry } from "./simulated-leader.ts";

export interface MemberWorld {
  readonly random: Random;
  readonly log: readonly LogEntry[];
  readonly watch: RegisterWatch;
  nowMs(): number;
  later(delayMs: number, run: () => void): void;
  readonly climate: Climate;
  /** Of a fault. */
  chance(probability: number): boolean;
  send(from: string, to: string, bytes: Uint8Array): void;
  tell(outcome: Outcome): void;
  onPowerCut(): void;
}

export interface Pending {
  readonly change: Change;
  readonly event: Omit<HistoryEvent, "type" | "time">;
}

export class SimulatedMember {
  readonly name: string;
  readonly #world: MemberWorld;
  #incarnation = 1;
  #kept: Uint8Array | undefined;
  #applied = 0;
  #member: Member | undefined;
  #wakeMs = Infinity;
  isLinked = true;
  boots = 0;
  /** That it told. */
  outcomes = 0;
  /** Of its client. */
  pending: Pending | undefined;

  constructor(name: string, world: MemberWorld) {
    this.name = name;
    this.#world = world;
  }

  get memberId(): string {
    return `${this.name}.${this.#incarnation}`;
  }

  get isOn(): boolean {
    return this.#member !== undefined;
  }

  get isMember(): boolean {
    return this.#member?.isMember === true;
  }

  get untold(): readonly Chosen[] {
    return this.#member?.untold ?? [];
  }

  get lost(): number {
    return this.#member?.lost ?? 0;
  }

  known(register: string): Chosen | undefined {
    return this.#member?.known(register);
  }

  boot(): void {
    this.boots++;
    const { random } = this.#world;
    this.#member = new Member({ memberId: this.memberId, random: random.next }, this.#kept);
    // What it had of the log it has; how much of that is committed it may have to be told again.
    this.#applied = Math.max(0, this.#applied - (random.chance(0.4) ? random.between(1, 3) : 0));
    if (this.#applied > 0) this.#install();
  }

  cutPower(): void {
    if (this.#member === undefined) return;
    this.#member = undefined;
    this.#wakeMs = Infinity;
    this.#world.onPowerCut();
  }

  /** What comes back is somebody else. */
  loseDisk(): void {
    this.#kept = undefined;
    this.#applied = 0;
    this.#incarnation++;
  }

  take(from: string, bytes: Uint8Array): void {
    const message = paxosMessageFromWire(decodeCbor(bytes));
    this.#step((member, nowMs) => member.take(from, message, nowMs));
  }

  propose(change: Change): void {
    this.#step((member, nowMs) => member.propose(change, nowMs));
  }

  onRecorded(states: readonly RecordedState[]): void {
    this.#step((member, nowMs) => member.onRecorded(states, nowMs));
  }

  /** What it tells its leader now. */
  reports(): RegisterReport[] {
    const member = this.#member!;
    const closed = member.closed();
    const reports: RegisterReport[] = closed === undefined ? [] : [closed];
    if (member.untold.length > 0) {
      reports.push({ kind: "chosen", chosen: [...member.untold], lost: member.lost });
    }
    return reports;
  }

  /** Applies what of the log it lacks: entry by entry, or as a snapshot. */
  sync(): void {
    const { log, random } = this.#world;
    if (this.#applied < log.length && random.chance(0.2)) {
      this.#applied = log.length;
      this.#install();
      return;
    }
    for (let i = random.between(1, 4); i > 0 && this.#applied < log.length && this.isOn; i--) {
      this.#apply(log[this.#applied++]!);
    }
  }

  #install(): void {
    const latest = new Map<string, LogEntry>();
    for (const entry of this.#world.log.slice(0, this.#applied)) {
      latest.set(entry.kind === "group" ? "" : entry.register, entry);
    }
    for (const entry of latest.values()) this.#apply(entry);
  }

  #apply(entry: LogEntry): void {
    this.#step((member, nowMs) =>
      entry.kind === "group"
        ? member.onGroup(entry.group, nowMs)
        : member.onCopy(entry.register, entry.copy, nowMs),
    );
  }

  #step(step: (member: Member, nowMs: number) => MemberOutput): void {
    const member = this.#member;
    if (member === undefined) return;
    const { nowMs, send, tell, watch, chance } = this.#world;
    const { keep, messages, outcomes } = step(member, nowMs());
    watch.onStep(this.name, member);
    if (keep !== undefined && !this.#keep(member, keep)) return;
    for (const { to, message } of messages) {
      send(this.name, to, encodeCbor(paxosMessageToWire(message)));
      if (chance(0.001)) this.cutPower();
      if (!this.isOn) return;
    }
    this.outcomes += outcomes.length;
    for (const outcome of outcomes) tell(outcome);
    this.#wake();
  }

  /** False when nothing may leave the board: the power fails before or after the writing, or there is no room. */
  #keep(member: Member, bytes: Uint8Array): boolean {
    const { chance, climate } = this.#world;
    if (chance(climate.keepFault)) this.cutPower();
    if (!this.isOn) return false;
    if (chance(climate.keepFault)) {
      this.#wake();
      return false;
    }
    this.#kept = bytes;
    member.onKept();
    if (chance(climate.keepFault)) this.cutPower();
    return this.isOn;
  }

  #wake(): void {
    const dueMs = this.#member?.dueMs ?? Infinity;
    const { nowMs, later } = this.#world;
    if (dueMs === Infinity || dueMs === this.#wakeMs) return;
    this.#wakeMs = dueMs;
    const member = this.#member;
    later(dueMs - nowMs(), () => {
      if (this.#member !== member || this.#wakeMs !== dueMs) return;
      this.#wakeMs = Infinity;
      this.#step((own, atMs) => own.run(atMs));
    });
  }
}
