/**
 * Whether an alert's condition holds on one board: a pure state machine, fed with readings and with the passing of time.
 *
 * ```
 * quiet --beyond the threshold--> pending --for as long as was asked--> holding --back by the hysteresis--> quiet
 *   ^------------- no longer beyond ---|
 * ```
 *
 * Every host that hears of the board runs one, so that whichever leads next knows how long something has been pending; what is agreed on
 * (`AlertRecord`) settles it where they differ. What is not heard is not judged: a board that is away neither begins nor ends an alert of
 * its readings; for that there is `silent`. All times are milliseconds of one clock that never goes back.
 */
import type { AlertDefinition } from "../../swarm-file/definition.ts";

export type Judgement = "quiet" | "pending" | "holding";

/** What both kinds of alerts have in common. */
export interface AlertJudge {
  readonly state: Judgement;
  /** With which it is in that state: a reading, or seconds of silence. NaN when nothing was heard. */
  readonly value: number;
  /** Since when. */
  readonly sinceMs: number;
  /** The host agreed with the others that it fires, or that it is over; it goes on from there. */
  agree(fires: boolean, nowMs: number): void;
}

type ThresholdDefinition = Extract<AlertDefinition, { kind: "threshold" }>;

export class ThresholdJudge implements AlertJudge {
  readonly #definition: ThresholdDefinition;
  #state: Judgement = "quiet";
  #value = Number.NaN;
  #takenMs = -Infinity;
  #sinceMs = 0;
  #threshold = Number.NaN;

  constructor(definition: ThresholdDefinition) {
    this.#definition = definition;
  }

  get state(): Judgement {
    return this.#state;
  }

  get value(): number {
    return this.#value;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Readings older than the newest one are passed over, and so is what is no number. */
  reading(value: number, takenMs: number): void {
    if (!Number.isFinite(value) || takenMs < this.#takenMs - jitterMs) return;
    this.#value = value;
    this.#takenMs = Math.max(takenMs, this.#takenMs);
    this.#judge(this.#takenMs);
    this.#mature(this.#takenMs);
  }

  /** NaN while there is none. */
  threshold(threshold: number, nowMs: number): void {
    if (Object.is(threshold, this.#threshold)) return;
    this.#threshold = threshold;
    this.#judge(nowMs);
  }

  /** Time has passed; `isHeard`: the board is connected, so that no reading means no change. */
  tick(nowMs: number, isHeard: boolean): void {
    if (isHeard) this.#mature(nowMs);
  }

  agree(fires: boolean, nowMs: number): void {
    if (fires === (this.#state === "holding")) return;
    this.#state = fires ? "holding" : "quiet";
    this.#sinceMs = nowMs;
    this.#judge(nowMs);
  }

  #mature(nowMs: number): void {
    if (this.#state === "pending" && nowMs - this.#sinceMs >= this.#definition.forMs) this.#state = "holding";
  }

  #judge(atMs: number): void {
    const { when, hysteresis, forMs } = this.#definition;
    const beyond = when === "above" ? this.#value - this.#threshold : this.#threshold - this.#value;
    // Nothing is known.
    if (Number.isNaN(beyond)) return;
    if (this.#state === "holding") {
      if (beyond <= -hysteresis) this.#state = "quiet";
    } else if (beyond <= 0) {
      this.#state = "quiet";
    } else if (this.#state === "quiet") {
      this.#state = forMs === 0 ? "holding" : "pending";
      this.#sinceMs = atMs;
    }
  }
}

/** By how much two readings may seem to have changed places, because a board's time is placed on a host's clock anew. */
const jitterMs = 2_000;

export class SilenceJudge implements AlertJudge {
  readonly #forMs: number;
  #state: Judgement = "quiet";
  /** Counted from the start of the host while nothing was heard. */
  #heardMs: number;
  #wasHeard = false;
  #silentMs = 0;

  constructor(forMs: number, nowMs: number) {
    this.#forMs = forMs;
    this.#heardMs = nowMs;
  }

  get state(): Judgement {
    return this.#state;
  }

  get value(): number {
    return Math.round(this.#silentMs / 1000);
  }

  get sinceMs(): number {
    return this.#heardMs;
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#wasHeard = true;
    this.#silentMs = 0;
    this.#state = "quiet";
  }

  tick(nowMs: number): void {
    this.#silentMs = Math.max(0, nowMs - this.#heardMs);
    if (this.#silentMs >= this.#forMs) this.#state = "holding";
  }

  agree(fires: boolean, nowMs: number): void {
    // Another host heard the board.
    if (!fires && this.#state === "holding") this.heard(nowMs);
    // A host that has just started knows nothing of the silence before: until the board is heard of.
    else if (fires && !this.#wasHeard) this.#state = "holding";
  }
}
