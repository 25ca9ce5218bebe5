import type { Schedule } from "../time/schedule.ts";
import type { ModelUse } from "./model-use.ts";
import type { Stage } from "./stage.ts";

export type { Stage };

/**
 * A program: what one board senses, how it processes it, what it drives and by which rules.
 *
 * It is data, not code (design, point 13): `swarm.ts` compiles to it, one committed entry carries it, and
 * `firmware/sensing/` interprets it. On the wire it is a CBOR array; `programToWire` and `programFromWire` stand in
 * `program-codec.ts` and work on plain values so that each side keeps its own CBOR codec.
 */
export interface Program {
  readonly pipelines: readonly Pipeline[];
  /** What is worked out of several metrics together; absent for nothing. */
  readonly models?: readonly ModelUse[];
  readonly outputs: readonly Output[];
  readonly rules: readonly Rule[];
  /** What the board asks its peers to agree on, and when; absent for nothing. */
  readonly proposals?: readonly Proposal[];
  /** Absent for none. */
  readonly schedules?: readonly ScheduledValue[];
  /** Absent for a board that never sleeps. */
  readonly sleep?: SleepPlan | undefined;
}

/** A board on a battery: awake for a while, then in deep sleep, in which it drives no output, until it is time again. Voters ignore it. */
export interface SleepPlan {
  /** From its boot, at least; longer until it has caught up and told what it has. */
  readonly awakeMs: number;
  /** From one boot to the next. */
  readonly everyMs: number;
}

/** Sensor in, metric out. A reading that leaves the last stage is reported. */
export interface Pipeline {
  /** Unique on the board; also what rules and reports call the result. */
  readonly metric: string;
  readonly sensor: string;
  /** Sampling period in milliseconds, 10 or more. */
  readonly everyMs: number;
  readonly stages: readonly Stage[];
  /** Its readings go out in blocks; undefined: one by one, as they come. */
  readonly batch?: Batch | undefined;
  /** How far back queries may ask for it, as summaries on the board; undefined: not at all. */
  readonly keepMs?: number | undefined;
}

/** How readings are packed into blocks (`protocols/series/block.ts`). Rules see each one at once all the same. */
export interface Batch {
  /** The longest that a reading waits for its block. */
  readonly everyMs: number;
  /** By how much a value may differ from what was measured, in its unit; 0: by nothing. */
  readonly within: number;
}

/** A pin that the board drives. Its value: the first active rule's, else the schedule's that fired last, else the setting's, else the safe value. */
export interface Output {
  readonly name: string;
  readonly kind: "digital" | "pwm";
  readonly pin: number;
  readonly safeValue: number;
  /** Key of the setting, or name of the register, that it follows; undefined for none. */
  readonly setting: string | undefined;
}

/** It holds while `metric` is beyond the threshold, once that has been so for `forMs`. */
export interface Condition {
  readonly metric: string;
  readonly when: "above" | "below";
  /** A number, or the key of a setting or the name of a register that holds it. */
  readonly threshold: number | string;
  /** It ends when the metric has come back by this much; 0 or more. */
  readonly hysteresis: number;
  readonly forMs: number;
  /** Name of a register or of a task: it never holds on a board that the register does not name, or that may not run the task now. Absent for every board. */
  readonly as?: string | undefined;
}

/** While the condition holds, `output` is held at `value`. Acts on the board, leader or not. */
export interface Rule extends Condition {
  readonly output: string;
  readonly value: number;
}

/** When the condition begins to hold, the board proposes `value` for a register (`../paxos/`). Hosts or not. */
export interface Proposal extends Condition {
  readonly register: string;
  readonly value: boolean | number | string;
}

/**
 * From each firing of `schedule` on, `output` is held at `value`: for `forMs`, or with 0 until another schedule of the output fires.
 * Acts on the board, leader or not, as soon as the board knows the time since its boot. Of two that fire together the first
 * in the program counts.
 */
export interface ScheduledValue {
  readonly schedule: Schedule;
  readonly output: string;
  readonly value: number;
  readonly forMs: number;
}

/** Limits that are part of the format; an encoded program also fits `stateLimits.valueBytesMax`. */
export const programLimits = Object.freeze({
  pipelinesMax: 16,
  stagesMax: 8,
  outputsMax: 16,
  rulesMax: 16,
  proposalsMax: 8,
  schedulesMax: 16,
  /** Characters of a metric, sensor or output name: lower-case letters, digits, `.` and `-`. */
  nameLengthMax: 32,
  everyMsMin: 10,
  batchMsMin: 1_000,
  keepMsMin: 12_000,
  /** Samples of a pipeline while it keeps a twelfth of what it keeps: what a bin counts up to. */
  keptSamplesMax: 65_535,
  awakeMsMin: 1_000,
  /** Between `awakeMs` and `everyMs`. */
  sleepMsMin: 1_000,
});
