/**
 * A board's part in actions: the participant of two-phase commit, without I/O or a clock of its own.
 *
 * ```
 *                 can't: no                   aborted, or another action in its place
 *  begun --------------------------> refused -------------------------------------> released
 *    |  promise durable, then: yes
 *    v                  committed       at its time, or at once
 * promised -----------------------> armed ------------------------> acted (outputs held for so long)
 *    |   \__ aborted, another in its place, or given up: released
 *    |  no decision within the safety time
 *    v
 * heuristic (outputs at their safe values)  -- the decision is learnt --> settled
 * ```
 *
 * What is durable is what binds: a promise before the yes, that it acted before it says so. Whatever the agreed state says the board takes from its own copy of
 * it, which only grows; so the same state leads to the same end however often the power fails, and a board that was off the whole time learns from the state alone
 * what it has to do. A board that finds an action committed and no promise of its own has lost its memory since it promised. It can't know whether it acted, and to act
 * twice could undo what came later: it does not, and says so.
 *
 * A board that was given up while it was away (`given-up.ts`) learns so from the same copy: what it had not done yet it never does, its promise binds it no more, and it tells what
 * it had done until that is known.
 */
import { shortenedUtf8 } from "../text/utf8.ts";
import { type Action, actionIdText, actionLimits, type OutputValue, sharedOutput } from "./action.ts";
import { isGivenUp } from "./given-up.ts";
import { packedHas } from "./names.ts";
import { detachedSlot, type KeptPromise, promiseLimits, promisesToBytes } from "./promises.ts";
import type { ActionReport, Stage } from "./report.ts";

export interface ParticipantPorts {
  /** Unix milliseconds at a time of the board's clock; NaN while unknown. */
  wallMs(nowMs: number): number;
  /** They are off by this at most; Infinity while unknown. */
  boundMs(nowMs: number): number;
  /** Why the board can't do this now; undefined when it can. */
  obstacle(action: Action, nowMs: number): string | undefined;
  /** Makes this durable in place of what was kept; false when there is no room for it. */
  keep(promises: Uint8Array): boolean;
  /** Whether the board has all these outputs, and may drive them. */
  canHold(set: readonly OutputValue[]): boolean;
  /** Holds outputs at these values. */
  hold(set: readonly OutputValue[]): void;
  /** Holds these at their safe values. */
  holdSafe(set: readonly OutputValue[]): void;
  /** Lets what else the board follows decide these again. */
  release(set: readonly OutputValue[]): void;
}

export const participantPeriods = Object.freeze({
  /** Between a report and its first repetition; then twice as long each time. */
  reportMs: 1_000,
  reportMsMax: 30_000,
  /** A timed action is not promised by a board whose clock may be off by more. */
  clockBoundMsMax: 1_000,
});

/** What is volatile of a promise. */
interface Standing {
  kept: KeptPromise;
  /** When the promise was made, or the power came back to it. */
  readonly sinceMs: number;
  /** It comes from before this start. */
  readonly isRestored: boolean;
  isArmed: boolean;
  isDecided: boolean;
  /** Its outputs are held until then; NaN for what waits to know the time, -Infinity for what is over. */
  endMs: number;
}

export class Participant {
  readonly #board: string;
  readonly #ports: ParticipantPorts;
  readonly #actions = new Map<number, Action>();
  readonly #standings: Standing[] = [];
  /** Why it said no, by slot, and of which. */
  readonly #refusals = new Map<number, { readonly id: number; readonly reason: string }>();
  #isChanged = true;
  #reportAtMs = -Infinity;
  #repeatMs: number = participantPeriods.reportMs;

  /** With what was kept before the power failed. */
  constructor(board: string, ports: ParticipantPorts, kept: readonly KeptPromise[], nowMs: number) {
    this.#board = board;
    this.#ports = ports;
    for (const promise of kept) {
      const isActed = promise.stage === "acted";
      // How long they were held is not known.
      const isOver = isActed && promise.forMs > 0 && promise.wallMs === undefined;
      if (isOver && promise.slot === detachedSlot) continue;
      this.#standings.push({
        ...{ kept: promise, sinceMs: nowMs, isRestored: true, isArmed: false, isDecided: false },
        endMs: isOver ? -Infinity : isActed && promise.forMs > 0 ? NaN : Infinity,
      });
      if (isActed && promise.forMs === 0) ports.hold(promise.set);
      else if (promise.stage === "heuristic") ports.holdSafe(promise.set);
    }
  }

  /** It takes part in nothing, and holds nothing. */
  get isIdle(): boolean {
    return this.#actions.size === 0 && this.#standings.length === 0;
  }

  /** When `run` has something to do; Infinity for never. */
  dueMs(nowMs: number): number {
    let dueMs = this.#isChanged ? nowMs : Infinity;
    for (const { kept, sinceMs, isArmed, isDecided, endMs } of this.#standings) {
      if (kept.stage === "acted" && endMs > -Infinity) dueMs = Math.min(dueMs, endMs);
      if (kept.stage !== "promised") continue;
      if (isArmed) dueMs = Math.min(dueMs, this.startsAtMs(kept, nowMs));
      else if (!isDecided && kept.safetyMs > 0) dueMs = Math.min(dueMs, sinceMs + kept.safetyMs);
    }
    return dueMs;
  }

  /**
   * What the agreed state says of a slot, once that is durable here; undefined for nothing. The same may be said again. To be called when all is applied that the leader
   * is known to have committed, and for what has begun last: older states would be decided upon anew by a board that has forgotten how.
   */
  onSlot(slot: number, action: Action | undefined, nowMs: number): void {
    const mine = action !== undefined && concerns(action, this.#board) ? action : undefined;
    const standing = this.#standings.find(({ kept }) => kept.slot === slot);
    if (standing !== undefined && standing.kept.id !== mine?.id) this.leave(standing);
    if (this.#refusals.get(slot)?.id !== mine?.id) this.#refusals.delete(slot);
    this.#isChanged = true;
    if (mine === undefined) {
      this.#actions.delete(slot);
      return;
    }
    this.#actions.set(slot, mine);
    if (isGivenUp(mine, this.#board)) this.letGo(slot, mine, nowMs);
    else if (mine.phase === "begun") this.prepare(slot, mine, nowMs);
    else if (mine.phase === "committed") this.commit(slot, mine, nowMs);
    else this.abort(slot);
  }

  /** Does what is due by the clock. True when there is news to tell at once. */
  run(nowMs: number): boolean {
    for (const standing of this.#standings.slice()) this.runOne(standing, nowMs);
    const isNews = this.#isChanged && this.#actions.size > 0;
    this.#isChanged = false;
    if (isNews) this.#reportAtMs = -Infinity;
    return isNews;
  }

  /** Somebody else leads, and knows nothing yet: all is told again. */
  onLeaderChange(): void {
    this.#repeatMs = participantPeriods.reportMs;
    this.#reportAtMs = -Infinity;
  }

  /** When `reports` are to be sent; Infinity for never. */
  get reportDueMs(): number {
    return this.#actions.size === 0 ? Infinity : this.#reportAtMs;
  }

  /** They have been sent, or could not be. */
  onReported(isSent: boolean, nowMs: number): void {
    const { reportMs, reportMsMax } = participantPeriods;
    // Said for the first time since something changed.
    if (this.#reportAtMs === -Infinity) this.#repeatMs = reportMs;
    this.#reportAtMs = nowMs + this.#repeatMs;
    if (isSent) this.#repeatMs = Math.min(reportMsMax, 2 * this.#repeatMs);
  }

  /** One for each action that it takes part in. */
  reports(): ActionReport[] {
    const reports: ActionReport[] = [];
    for (const [slot, action] of this.#actions) reports.push(this.reportOf(slot, action));
    return reports;
  }

  private reportOf(slot: number, { id, phase }: Action): ActionReport {
    const standing = this.#standings.find(({ kept }) => kept.slot === slot);
    const refusal = this.#refusals.get(slot);
    let stage: Stage = phase === "aborted" ? "released" : "no";
    let reason = phase === "aborted" ? "" : (refusal?.reason ?? "");
    if (standing !== undefined) {
      const { kept, isArmed, isDecided } = standing;
      reason = kept.reason;
      if (kept.stage === "acted") stage = "acted";
      else if (kept.stage === "released") stage = "released";
      else if (kept.stage === "heuristic") stage = isDecided ? "settled" : "heuristic";
      else stage = isArmed ? "armed" : "yes";
    }
    const isActed = stage === "acted";
    const wallMs = isActed ? standing!.kept.wallMs : undefined;
    return { slot, id, stage, reason, wallMs, boundMs: isActed ? standing!.kept.boundMs : undefined };
  }

  private prepare(slot: number, action: Action, nowMs: number): void {
    if (this.#standings.some(({ kept }) => kept.slot === slot) || this.#refusals.has(slot)) return;
    const obstacle =
      this.lock(action.set) ?? this.clockObstacle(action, nowMs) ?? this.#ports.obstacle(action, nowMs);
    if (obstacle !== undefined) {
      this.refuse(slot, action, obstacle);
      return;
    }
    const standing = this.standingOf(slot, action, nowMs);
    this.#standings.push(standing);
    // The yes goes out later in this turn: nothing is said that is not durable.
    if (this.isRoomy() && this.keep()) return;
    this.drop(standing);
    this.refuse(slot, action, "its flash has no room for the promise");
  }

  private refuse(slot: number, { id }: Action, reason: string): void {
    this.#refusals.set(slot, { id, reason: shortenedUtf8(reason, actionLimits.reasonBytesMax) });
  }

  /** Who holds one of these outputs by a promise; undefined for nobody. */
  private lock(set: readonly OutputValue[]): string | undefined {
    for (const { kept } of this.#standings) {
      if (kept.stage === "acted") continue;
      const output = sharedOutput(kept.set, set);
      if (output !== undefined) return `${output} is promised to ${actionIdText(kept.id)}`;
    }
    return undefined;
  }

  private clockObstacle({ startMs, deadlineMs }: Action, nowMs: number): string | undefined {
    const boundMs = this.#ports.boundMs(nowMs);
    if (this.#ports.wallMs(nowMs) - boundMs > deadlineMs) return "it heard of it after its deadline";
    if (startMs === undefined) return undefined;
    if (boundMs <= participantPeriods.clockBoundMsMax) return undefined;
    return boundMs === Infinity ? "it does not know the time" : `its clock may be off by ${boundMs} ms`;
  }

  private commit(slot: number, action: Action, nowMs: number): void {
    const standing = this.decided(slot, action, nowMs);
    if (standing?.kept.stage === "promised") this.carryOut(standing, action, nowMs);
    else if (standing?.kept.stage === "heuristic") this.settle(standing);
  }

  /** Given up: what it has not done by now it does not do. */
  private letGo(slot: number, action: Action, nowMs: number): void {
    const standing = this.decided(slot, action, nowMs);
    if (standing?.kept.stage === "promised") {
      standing.kept = { ...standing.kept, stage: "released", set: [] };
      standing.isArmed = false;
      this.keep();
    } else if (standing?.kept.stage === "heuristic") this.settle(standing);
  }

  /** How it stands in an action that was committed; undefined where nothing comes of that any more. */
  private decided(slot: number, action: Action, nowMs: number): Standing | undefined {
    let standing = this.#standings.find(({ kept }) => kept.slot === slot);
    if (standing === undefined) {
      standing = this.standingOf(slot, action, nowMs);
      standing.isDecided = true;
      this.#standings.push(standing);
      this.goSafe(standing, "it lost its memory after it had promised", nowMs);
    }
    if (standing.isDecided && standing.kept.stage !== "promised") return undefined;
    standing.isDecided = true;
    return standing;
  }

  /** Acts, now or at its time, where it has one once it knows the time; or goes to its safe values, where it was away for longer than it may have waited. */
  private carryOut(standing: Standing, { startMs }: Action, nowMs: number): void {
    const { kept, isRestored } = standing;
    const wallMs = this.#ports.wallMs(nowMs);
    if (isRestored && kept.safetyMs > 0 && kept.wallMs !== undefined) {
      // How long it was off only the wall's time can tell; it comes with the next answer of a host.
      if (Number.isNaN(wallMs)) return;
      if (wallMs - kept.wallMs > kept.safetyMs) {
        this.goSafe(standing, "it was off for longer than its safety time", nowMs);
        return;
      }
    }
    if (startMs !== undefined) {
      // Its start may have passed while the board was off: it arms only once it can tell.
      if (Number.isNaN(wallMs)) return;
      if (wallMs < startMs) {
        standing.isArmed = true;
        this.#isChanged = true;
        return;
      }
    }
    this.act(standing, nowMs);
  }

  private act(standing: Standing, nowMs: number): void {
    const { set, forMs } = standing.kept;
    if (!this.#ports.canHold(set)) {
      this.goSafe(standing, "it can't drive its outputs now", nowMs);
      return;
    }
    const wallMs = this.#ports.wallMs(nowMs);
    const isKnown = !Number.isNaN(wallMs);
    for (const other of this.#standings.slice()) {
      if (other !== standing && other.kept.stage === "acted") this.supersede(other, set);
    }
    standing.kept = {
      ...standing.kept,
      stage: "acted",
      wallMs: isKnown ? wallMs : undefined,
      boundMs: isKnown ? this.#ports.boundMs(nowMs) : undefined,
    };
    standing.isArmed = false;
    standing.endMs = forMs === 0 ? Infinity : nowMs + forMs;
    this.#isChanged = true;
    // First durable: should the power fail between the two, the outputs are held when it is back.
    this.keep();
    this.#ports.hold(set);
  }

  private goSafe(standing: Standing, reason: string, nowMs: number): void {
    const { kept, isDecided } = standing;
    const wallMs = this.#ports.wallMs(nowMs);
    const when = Number.isNaN(wallMs) ? undefined : wallMs;
    // Once the decision is known it is bound by nothing any more.
    const set = isDecided ? [] : kept.set;
    standing.kept = { ...kept, stage: "heuristic", set, reason, wallMs: when };
    standing.isArmed = false;
    this.#isChanged = true;
    this.keep();
    this.#ports.holdSafe(set);
  }

  /** It learns what was decided after it went to its safe values: it is free, and tells that it did not follow. */
  private settle(standing: Standing): void {
    const { kept } = standing;
    this.#ports.release(kept.set);
    standing.kept = { ...kept, set: [] };
    this.keep();
  }

  private abort(slot: number): void {
    const standing = this.#standings.find(({ kept }) => kept.slot === slot);
    if (standing === undefined || standing.isDecided) return;
    standing.isDecided = true;
    if (standing.kept.stage === "heuristic") this.settle(standing);
    else if (standing.kept.stage === "promised") {
      this.drop(standing);
      this.keep();
    }
  }

  /** The slot is another's, or its action has ended: a promise that still stands was one of an aborted action. */
  private leave(standing: Standing): void {
    const { kept, endMs } = standing;
    if (kept.stage === "acted" && endMs !== -Infinity && kept.set.length > 0) {
      standing.kept = { ...kept, slot: detachedSlot };
    } else {
      if (kept.stage === "heuristic") this.#ports.release(kept.set);
      this.drop(standing);
    }
    this.keep();
  }

  /** A later action drives some of what this one did. */
  private supersede(standing: Standing, set: readonly OutputValue[]): void {
    const { kept } = standing;
    if (sharedOutput(kept.set, set) === undefined) return;
    const left = kept.set.filter(({ output }) => set.every((other) => other.output !== output));
    standing.kept = { ...kept, set: left };
    if (left.length === 0) this.finish(standing);
  }

  /** Its outputs are not held any more; that it acted is told until the action has ended. */
  private finish(standing: Standing): void {
    standing.endMs = -Infinity;
    standing.kept = { ...standing.kept, set: [] };
    if (standing.kept.slot === detachedSlot) this.drop(standing);
  }

  private runOne(standing: Standing, nowMs: number): void {
    const { kept, sinceMs, isArmed, isDecided } = standing;
    if (kept.stage === "acted") this.runHeld(standing, nowMs);
    if (kept.stage !== "promised") return;
    const action = this.#actions.get(kept.slot);
    if (isArmed) {
      if (nowMs >= this.startsAtMs(kept, nowMs)) this.act(standing, nowMs);
    } else if (isDecided && action !== undefined) this.carryOut(standing, action, nowMs);
    else if (kept.safetyMs > 0 && nowMs >= sinceMs + kept.safetyMs) {
      this.goSafe(standing, "it heard no decision within its safety time", nowMs);
    }
  }

  private runHeld(standing: Standing, nowMs: number): void {
    const { kept } = standing;
    if (standing.endMs === -Infinity) return;
    if (Number.isNaN(standing.endMs)) {
      const wallMs = this.#ports.wallMs(nowMs);
      if (Number.isNaN(wallMs)) return;
      standing.endMs = nowMs + Math.min(kept.forMs, kept.wallMs! + kept.forMs - wallMs);
      if (standing.endMs > nowMs) this.#ports.hold(kept.set);
    }
    if (nowMs < standing.endMs) return;
    this.#ports.release(kept.set);
    this.finish(standing);
    this.keep();
  }

  /** On the board's own clock; now, when it has come; Infinity while the time is not known. */
  private startsAtMs({ slot }: KeptPromise, nowMs: number): number {
    const startMs = this.#actions.get(slot)?.startMs;
    const wallMs = this.#ports.wallMs(nowMs);
    if (startMs === undefined || Number.isNaN(wallMs)) return Infinity;
    return nowMs + Math.max(0, startMs - wallMs);
  }

  private standingOf(slot: number, action: Action, nowMs: number): Standing {
    const { id, set, forMs, safetyMs } = action;
    const wallMs = this.#ports.wallMs(nowMs);
    const when = { wallMs: Number.isNaN(wallMs) ? undefined : wallMs, boundMs: undefined };
    const kept: KeptPromise = { slot, id, stage: "promised", set, forMs, safetyMs, ...when, reason: "" };
    return {
      ...{ kept, sinceMs: nowMs, isRestored: false },
      ...{ isArmed: false, isDecided: false, endMs: Infinity },
    };
  }

  private isRoomy(): boolean {
    const { promisesMax, bytesMax } = promiseLimits;
    if (this.#standings.length > promisesMax) return false;
    return promisesToBytes(this.#standings.map(({ kept }) => kept)).length <= bytesMax;
  }

  private keep(): boolean {
    return this.#ports.keep(promisesToBytes(this.#standings.map(({ kept }) => kept)));
  }

  private drop(standing: Standing): void {
    this.#standings.splice(this.#standings.indexOf(standing), 1);
  }
}

/** Whether the board has something to do about it, or to tell. */
function concerns(action: Action, board: string): boolean {
  return (!action.isEnded && packedHas(action.boards, board)) || isGivenUp(action, board);
}
