import type { Member } from "../../protocols/paxos/member.ts";
import type {
  Change,
  Group,
  Outcome,
  OutcomeKind,
  RegisterState,
  RegisterValue,
} from "../../protocols/paxos/types.ts";
import type { Lan } from "../lan/lan.ts";
import { draw32 } from "../platform/draw.ts";
import type { Random } from "../platform/ports.ts";
import type { ProposalRun } from "../sensing/condition-run.ts";
import type { Sensing } from "../sensing/sensing.ts";
import { Backoff } from "./backoff.ts";
import type { BoardLog } from "./board-log.ts";
import type { CrashLoop } from "./crash-loop.ts";
import type { WallTime } from "./wall-time.ts";

export const ownChangePeriods = Object.freeze({
  /** How long one try goes on. */
  tryMs: 8_000,
  /** Between tries that found no majority; twice as long each time, and at once when a member is heard of again. */
  againFirstMs: 1_000,
  againMostMs: 30_000,
  /** A coordinator that was not heard for so long, by a board without hosts for as long, is to be replaced. */
  silentMs: 10_000,
  /** So that not all propose themselves at once: up to this. */
  pauseMs: 5_000,
});

export interface OwnChangesParts {
  readonly board: string;
  readonly sensing: Sensing;
  readonly crashLoop: CrashLoop;
  readonly time: WallTime;
  readonly random: Random;
  readonly log: BoardLog;
}

/** Something that the board wants a register to be. */
interface Wish {
  readonly register: string;
  readonly value: RegisterValue;
  /** The proposal of the program whose wish it is; undefined for who wants to be coordinator. */
  readonly of: ProposalRun | undefined;
  readonly backoff: Backoff;
  /** In place of which it is to be made; undefined while that is to be read. */
  seen: RegisterState | undefined;
  /** Of the change, and when it was first asked for. */
  request: number;
  atMs: number;
  /** The number under which the member was asked last; -1 for none that goes on. */
  asked: number;
  dueMs: number;
  /** That it goes badly is said once. */
  isSaid: boolean;
}

/** A register whose value is the acting coordinator. */
interface Seat {
  readonly register: string;
  /** As far as was known, and since when. */
  version: number;
  sinceMs: number;
  /** When the board looks again, and when it proposes itself; Infinity for not at all. */
  dueMs: number;
  runMs: number;
}

/**
 * What the board itself wants of registers: what its program proposes, and to be the coordinator where none is heard.
 *
 * A proposal is made in two rounds: the register is read, then changed in place of the version that was read. So it is not made where it is so already, nor over what
 * somebody has changed since; and a change whose outcome got lost is asked for again under its number, and made once.
 */
export class OwnChanges {
  readonly #parts: OwnChangesParts;
  readonly #lan: Lan;
  readonly #member: Member;
  readonly #wishes: Wish[] = [];
  #seats: readonly Seat[] = noSeats;
  /** Since when no host is connected; Infinity while one is. */
  #aloneMs: number;

  constructor(parts: OwnChangesParts, lan: Lan, member: Member, nowMs: number) {
    this.#parts = parts;
    this.#lan = lan;
    this.#member = member;
    this.#aloneMs = nowMs;
  }

  /** When `run` has something to do though nothing has happened; Infinity for never. */
  get dueMs(): number {
    let dueMs = Infinity;
    for (let i = 0; i < this.#wishes.length; i++) dueMs = Math.min(dueMs, this.#wishes[i]!.dueMs);
    for (let i = 0; i < this.#seats.length; i++) dueMs = Math.min(dueMs, this.#seats[i]!.dueMs);
    return dueMs;
  }

  onGroup(group: Group | undefined): void {
    const named = group?.registers.filter(({ kind }) => kind === "coordinator") ?? [];
    const seats = this.#member.isMember ? named : noSeats;
    this.#seats = seats.map(
      ({ name }) =>
        this.#seats.find(({ register }) => register === name) ?? {
          ...{ register: name, version: -1, sinceMs: -Infinity, dueMs: -Infinity, runMs: Infinity },
        },
    );
    if (this.#seats.length === 0) this.#lan.keepAlive(false);
  }

  /** A majority may be there now. */
  onPeerUp(nowMs: number): void {
    for (const wish of this.#wishes) {
      if (wish.asked < 0) wish.dueMs = Math.min(wish.dueMs, nowMs);
    }
  }

  /** The next change to propose, if any; to be called until there is none. */
  run(nowMs: number, isJoined: boolean): Change | undefined {
    this.followProgram(nowMs);
    if (this.#seats.length > 0) this.followCoordinators(nowMs, isJoined);
    for (let i = 0; i < this.#wishes.length; i++) {
      if (nowMs >= this.#wishes[i]!.dueMs) return this.ask(this.#wishes[i]!, nowMs);
    }
    return undefined;
  }

  /** True where it is one of this board's own. */
  onOutcome(outcome: Outcome, nowMs: number): boolean {
    const wish = this.#wishes.find(({ asked }) => asked === outcome.request);
    if (wish === undefined) return false;
    wish.asked = -1;
    const { state, kind } = outcome;
    const { seen, value } = wish;
    if (state === undefined) this.wait(wish, kind, nowMs);
    else if (state.value === value || (seen !== undefined && state.version !== seen.version)) {
      this.settle(wish, state);
    } else {
      this.aim(wish, state, nowMs);
    }
    return true;
  }

  /** A proposal of the program is tried from when it becomes active to when it is settled, or is active no more. */
  private followProgram(nowMs: number): void {
    const { proposals } = this.#parts.sensing;
    for (let i = this.#wishes.length - 1; i >= 0; i--) {
      const { of } = this.#wishes[i]!;
      if (of !== undefined && !(of.active && proposals.includes(of))) this.#wishes.splice(i, 1);
    }
    for (let i = 0; i < proposals.length; i++) {
      const run = proposals[i]!;
      if (!run.active) run.isSettled = false;
      else if (!run.isSettled && !this.#wishes.some(({ of }) => of === run)) {
        this.#wishes.push(this.wish(run.definition.register, run.definition.value, run, nowMs));
      }
    }
  }

  private followCoordinators(nowMs: number, isJoined: boolean): void {
    if (isJoined) this.#aloneMs = Infinity;
    else if (this.#aloneMs === Infinity) this.#aloneMs = nowMs;
    this.#lan.keepAlive(!isJoined);
    for (let i = 0; i < this.#seats.length; i++) this.followSeat(this.#seats[i]!, nowMs);
  }

  private followSeat(seat: Seat, nowMs: number): void {
    const { board, crashLoop } = this.#parts;
    const { version = 0, value: holder = "" } = this.#member.known(seat.register)?.state ?? {};
    if (version !== seat.version) {
      seat.version = version;
      seat.sinceMs = nowMs;
    }
    // Nobody who runs no program can do what a coordinator has to.
    const isContent = holder === board || this.#aloneMs === Infinity || crashLoop.isSafe;
    const heardMs = holder === "" ? -Infinity : this.#lan.heardMs(`${holder}`);
    const overMs = Math.max(this.#aloneMs, seat.sinceMs, heardMs) + ownChangePeriods.silentMs;
    if (isContent || nowMs < overMs) {
      seat.dueMs = isContent ? Infinity : overMs;
      seat.runMs = Infinity;
      this.dropCandidacy(seat.register);
      return;
    }
    if (this.#wishes.some(({ of, register }) => of === undefined && register === seat.register)) {
      seat.dueMs = Infinity;
    } else if (seat.runMs === Infinity) {
      seat.runMs = nowMs + Math.ceil((ownChangePeriods.pauseMs * draw32(this.#parts.random)) / 2 ** 32);
      seat.dueMs = seat.runMs;
    } else if (nowMs >= seat.runMs) {
      seat.runMs = Infinity;
      seat.dueMs = Infinity;
      this.#parts.log.write("info", "runs-for", "register", seat.register, "after", `${holder}`);
      const wish = this.wish(seat.register, board, undefined, nowMs);
      this.#wishes.push(wish);
      const state = this.#member.known(seat.register)?.state;
      // In place of the one that it has not heard, and of no other.
      if (state !== undefined) this.aim(wish, state, nowMs);
    }
  }

  private dropCandidacy(register: string): void {
    const at = this.#wishes.findIndex((wish) => wish.of === undefined && wish.register === register);
    if (at >= 0) this.#wishes.splice(at, 1);
  }

  private wish(register: string, value: RegisterValue, of: ProposalRun | undefined, nowMs: number): Wish {
    const { againFirstMs, againMostMs } = ownChangePeriods;
    const backoff = new Backoff(againFirstMs, againMostMs, this.#parts.random);
    const unread = { seen: undefined, request: 0, atMs: 0, asked: -1 };
    return { register, value, of, backoff, ...unread, dueMs: nowMs, isSaid: false };
  }

  /** It has been read: now it is to be changed. */
  private aim(wish: Wish, state: RegisterState, nowMs: number): void {
    const wallMs = this.#parts.time.wallMs(nowMs);
    wish.seen = state;
    wish.request = draw32(this.#parts.random);
    wish.atMs = Number.isNaN(wallMs) ? 0 : Math.round(wallMs);
    wish.dueMs = nowMs;
  }

  private ask(wish: Wish, nowMs: number): Change {
    const { register, seen, atMs } = wish;
    const { tryMs, againMostMs } = ownChangePeriods;
    wish.asked = seen === undefined ? draw32(this.#parts.random) : wish.request;
    // Should its outcome be lost, as when the flash is full.
    wish.dueMs = nowMs + tryMs + againMostMs;
    const value = seen === undefined ? undefined : wish.value;
    return {
      register,
      request: wish.asked,
      value,
      ifVersion: seen?.version,
      atMs,
      deadlineMs: nowMs + tryMs,
    };
  }

  private wait(wish: Wish, outcome: OutcomeKind, nowMs: number): void {
    wish.dueMs = nowMs + wish.backoff.next();
    if (wish.isSaid) return;
    wish.isSaid = true;
    const reason = outcome === "unreached" ? "no majority of the group answers" : outcome;
    const { register, value } = wish;
    this.#parts.log.write(
      "warn",
      "proposal-waits",
      "register",
      register,
      "value",
      `${value}`,
      "reason",
      reason,
    );
  }

  private settle(wish: Wish, { value, version, by }: RegisterState): void {
    const { register } = wish;
    if (wish.of !== undefined) wish.of.isSettled = true;
    this.#wishes.splice(this.#wishes.indexOf(wish), 1);
    const event = value === wish.value ? "proposal-agreed" : "proposal-overtaken";
    this.#parts.log.write(
      "info",
      event,
      "register",
      register,
      "value",
      `${value}`,
      "version",
      version,
      "by",
      by,
    );
  }
}

const noSeats: readonly never[] = Object.freeze([]);
