import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { copiedRegister } from "../../protocols/paxos/copy.ts";
import { memberFromBytes } from "../../protocols/paxos/kept.ts";
import { Member, type MemberOutput } from "../../protocols/paxos/member.ts";
import { paxosMessageFromWire, paxosMessageToWire } from "../../protocols/paxos/messages.ts";
import { registerOrderFromWire } from "../../protocols/paxos/report.ts";
import type { Change, Chosen, Group, RegisterValue } from "../../protocols/paxos/types.ts";
import { Lan, type LanEvents, type LanParts } from "../lan/lan.ts";
import { draw32 } from "../platform/draw.ts";
import type { Sensing } from "../sensing/sensing.ts";
import type { BoardStore } from "../storage/board-store.ts";
import { RecordKind } from "../storage/record.ts";
import type { CommittedProgram } from "./committed-program.ts";
import type { CrashLoop } from "./crash-loop.ts";
import type { Link } from "./link.ts";
import type { Messenger } from "./messenger.ts";
import { type KnownRegisters, type NamedValues, readCopy, readGroup } from "./named-values.ts";
import { OwnChanges } from "./own-changes.ts";
import { RegisterReports } from "./register-reports.ts";
import type { WallTime } from "./wall-time.ts";

export interface RegistersParts extends LanParts {
  readonly board: string;
  readonly store: BoardStore;
  readonly values: NamedValues;
  readonly sensing: Sensing;
  readonly program: CommittedProgram;
  readonly crashLoop: CrashLoop;
  readonly time: WallTime;
  readonly messenger: Messenger;
}

/** Whether the board votes on registers, or knows something of them that no leader has recorded. */
export function speaksOfRegisters(store: BoardStore): boolean {
  if (readGroup(store)?.members.includes(store.memberId) === true) return true;
  const kept = store.own(RecordKind.registers);
  return kept !== undefined && (memberFromBytes(kept)?.untold.length ?? 0) > 0;
}

/**
 * The board's part in the registers of its group (`protocols/paxos/member.ts`), on its flash and over its LAN: what the core wants kept is durable before anything of that
 * step leaves the board. There only on boards that the agreed group names.
 */
export class Registers implements KnownRegisters, LanEvents {
  readonly #parts: RegistersParts;
  readonly #member: Member;
  readonly #lan: Lan;
  readonly #own: OwnChanges;
  readonly #reports: RegisterReports;
  #group: Group | undefined;
  /** Of each register of the group what the program has been told. */
  #told: (Chosen | undefined)[] = [];
  /** Peers that were heard not long ago: a bit for each. */
  #heard = 0;
  /** What is known may have changed. */
  #isStale = true;
  /** The flash had no room for what it had come to. */
  #isFull = false;
  #isJoined = false;

  /** Takes up what was kept, and what the agreed state says. */
  constructor(parts: RegistersParts, nowMs: number) {
    this.#parts = parts;
    const { store, log, random } = parts;
    const kept = store.own(RecordKind.registers);
    if (kept !== undefined && memberFromBytes(kept) === undefined) log.write("error", "registers-unreadable");
    this.#member = new Member({ memberId: store.memberId, random: () => draw32(random) / 2 ** 32 }, kept);
    this.#lan = new Lan(parts, this);
    this.#own = new OwnChanges(parts, this.#lan, this.#member, nowMs);
    this.#reports = new RegisterReports(this.#member, parts.messenger, parts.board, parts.random);
    parts.values.registers = this;
    this.onGroup(nowMs);
  }

  /** Whether the board votes: it must not sleep. */
  get isMember(): boolean {
    return this.#member.isMember;
  }

  /** Nothing is left to vote on, or to tell. */
  get isIdle(): boolean {
    return !this.#member.isMember && this.#member.untold.length === 0;
  }

  /** When `run` has something to do though nothing has arrived; Infinity for never. */
  get dueMs(): number {
    const tellMs = this.#isJoined ? this.#reports.dueMs : Infinity;
    return Math.min(this.#member.dueMs, this.#lan.dueMs, this.#own.dueMs, tellMs);
  }

  /** The board is no member any more, and has nothing to tell. */
  end(): void {
    this.#parts.values.registers = undefined;
    this.#lan.setPeers([]);
    this.#lan.run(this.#parts.clock.nowMs());
  }

  onNetworkChange(up: boolean): void {
    this.#lan.onNetworkChange(up);
  }

  onRoster(): void {
    this.#lan.onRoster();
  }

  /** The agreed state has another group, or a snapshot has replaced it. */
  onGroup(nowMs: number): void {
    const { store, log } = this.#parts;
    const wasMember = this.#member.isMember;
    const group = readGroup(store);
    this.#group = group;
    this.#told = [];
    this.perform(this.#member.onGroup(group, nowMs));
    for (const { name } of group?.registers ?? []) this.onCopy(name, nowMs);
    const { peers, isMember } = this.#member;
    this.#lan.setPeers(peers);
    this.#own.onGroup(group);
    this.#heard = 0;
    if (isMember || wasMember) {
      const { epoch = 0, isClosing = false } = group ?? {};
      log.write("info", isMember ? "votes-on-registers" : "votes-on-no-registers", "epoch", epoch);
      if (isClosing) log.write("info", "registers-close", "epoch", epoch);
    }
    if (isMember && !wasMember && this.#parts.program.sleep !== undefined) {
      log.write("warn", "sleeps-not", "reason", "it votes on registers");
    }
  }

  /** A committed entry has changed another key. */
  onStateChange(key: string, nowMs: number): void {
    const register = copiedRegister(key);
    if (register !== undefined) this.onCopy(register, nowMs);
  }

  /** The leader said this. */
  take(payload: Uint8Array, link: Link, nowMs: number): void {
    try {
      const order = registerOrderFromWire(decodeCbor(payload));
      if (order.kind === "recorded") this.perform(this.#member.onRecorded(order.states, nowMs));
      else if (this.#reports.isNew(order)) {
        const { register, request, value, ifVersion, timeoutMs } = order;
        this.propose(
          { register, request, value, ifVersion, atMs: this.wallMs(nowMs), deadlineMs: nowMs + timeoutMs },
          nowMs,
        );
      }
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      link.dropForGarbage(error.message);
    }
  }

  run(nowMs: number, isJoined: boolean): void {
    this.#isJoined = isJoined;
    if (nowMs >= this.#lan.dueMs) this.#lan.run(nowMs);
    this.meetPeers(nowMs);
    if (nowMs >= this.#member.dueMs) this.perform(this.#member.run(nowMs));
    for (let changes = 0; changes < changesMax; changes++) {
      const change = this.#own.run(nowMs, isJoined);
      if (change === undefined) break;
      this.propose(change, nowMs);
    }
    if (this.#isStale) this.tellProgram(nowMs);
    this.#reports.run(nowMs, isJoined);
  }

  // For whoever reads values.

  valueOf(register: string): RegisterValue | undefined {
    const isOurs = this.#group?.registers.some(({ name }) => name === register) === true;
    return isOurs ? this.#member.known(register)?.state.value : undefined;
  }

  // For the LAN.

  onLanMessage(from: string, bytes: Uint8Array): void {
    try {
      const message = paxosMessageFromWire(decodeCbor(bytes));
      this.perform(this.#member.take(from, message, this.#parts.clock.nowMs()));
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      this.#parts.trust.countRefused();
    }
  }

  private onCopy(register: string, nowMs: number): void {
    const copy = readCopy(this.#parts.store, register);
    if (copy !== undefined) this.perform(this.#member.onCopy(register, copy, nowMs));
  }

  private propose(change: Change, nowMs: number): void {
    this.perform(this.#member.propose(change, nowMs));
  }

  /** Durable first, then said: what is not durable is as if it had been lost on the way. */
  private perform({ keep, messages, outcomes }: MemberOutput): void {
    this.#isStale = true;
    if (keep !== undefined && !this.keep(keep)) return;
    for (let i = 0; i < messages.length; i++) {
      const { to, message } = messages[i]!;
      this.#lan.send(to, encodeCbor(paxosMessageToWire(message)));
    }
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i]!;
      if (!this.#own.onOutcome(outcome, this.#parts.clock.nowMs())) this.#reports.onOutcome(outcome);
    }
  }

  private keep(bytes: Uint8Array): boolean {
    const isKept = this.#parts.store.keepOwn(RecordKind.registers, bytes);
    if (isKept) this.#member.onKept();
    else if (!this.#isFull) this.#parts.log.write("error", "registers-not-kept", "bytes", bytes.length);
    this.#isFull = !isKept;
    return isKept;
  }

  private meetPeers(nowMs: number): void {
    const { peers } = this.#member;
    for (let i = 0; i < peers.length; i++) {
      const bit = 1 << i;
      const isHeard = nowMs - this.#lan.heardMs(peers[i]!) < silentMs;
      if (isHeard === ((this.#heard & bit) !== 0)) continue;
      this.#heard ^= bit;
      if (!isHeard) continue;
      this.perform(this.#member.onPeerUp(peers[i]!, nowMs));
      this.#own.onPeerUp(nowMs);
    }
  }

  /** The program reads what is chosen as soon as the board knows. */
  private tellProgram(nowMs: number): void {
    this.#isStale = false;
    const registers = this.#group?.registers ?? [];
    for (let i = 0; i < registers.length; i++) {
      const { name } = registers[i]!;
      const known = this.#member.known(name);
      if (known === this.#told[i]) continue;
      this.#told[i] = known;
      this.#parts.program.onRegister(name, nowMs);
      const { value = "", version = 0, by = "" } = known?.state ?? {};
      this.#parts.log.write(
        "info",
        "register",
        "name",
        name,
        "value",
        `${value}`,
        "version",
        version,
        "by",
        by,
      );
    }
  }

  private wallMs(nowMs: number): number {
    const wallMs = this.#parts.time.wallMs(nowMs);
    return Number.isNaN(wallMs) ? 0 : Math.round(wallMs);
  }
}

/** Of its own, in one turn. */
const changesMax = 16;
/** Who was not heard for so long, and is, has come back. */
const silentMs = 15_000;
