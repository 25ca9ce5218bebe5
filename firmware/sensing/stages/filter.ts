import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Quality } from "../../../protocols/messages/board-messages.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { AnomalyScore } from "./anomaly-score.ts";
import { Average } from "./average.ts";
import { Biquad } from "./biquad.ts";
import { Clamp } from "./clamp.ts";
import { Cusum } from "./cusum.ts";
import { Deadband } from "./deadband.ts";
import { Debounce } from "./debounce.ts";
import { Derivative } from "./derivative.ts";
import { Ewma } from "./ewma.ts";
import { Fir } from "./fir.ts";
import { Goertzel } from "./goertzel.ts";
import { Hampel } from "./hampel.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Hysteresis } from "./hysteresis.ts";
import { Integral } from "./integral.ts";
import { KalmanLevel } from "./kalman-level.ts";
import { KalmanTrend } from "./kalman-trend.ts";
import { MeanWindow } from "./mean-window.ts";
import { Median } from "./median.ts";
import { Polynomial } from "./polynomial.ts";
import { Range } from "./range.ts";
import { Session } from "./session.ts";
import { Sliding } from "./sliding.ts";
import { Spectrum } from "./spectrum.ts";
import { Stuck } from "./stuck.ts";
import { Table } from "./table.ts";
import { Throttle } from "./throttle.ts";
import { Tumbling } from "./tumbling.ts";

/** A stage at work. Values are finite on the way in; NaN on the way out means that nothing leaves. */
export interface Filter {
  /** Takes a value and gives what leaves because of it. */
  push(value: number, atMs: number): number;
  /** Of a stage that judges: what is wrong with a value of which nothing leaves. */
  readonly fault?: Quality;
  /** When `advance` is next needed; Infinity for never. */
  readonly dueMs: number;
  /** Time has passed `dueMs`: gives what leaves because of that. */
  advance(): number;
  /** What it holds, for a checkpoint: times as ages, for the clock starts anywhere. */
  save(nowMs: number): CborValue;
  /** Takes up what a filter of the same stage saved, as if no time had passed. Throws `ShapeError` for anything else. */
  restore(state: CborValue, nowMs: number): void;
}

export function filterFor(stage: Stage): Filter {
  switch (stage.op) {
    case "median":
      return new Median(stage.count);
    case "mean":
      return new MeanWindow(stage.windowMs);
    case "deadband":
      return new Deadband(stage.delta, stage.silenceMs);
    case "polynomial":
      return new Polynomial(stage.coefficients);
    case "table":
      return new Table(stage.xs, stage.ys);
    case "clamp":
      return new Clamp(stage.min, stage.max);
    case "range":
      return new Range(stage.min, stage.max);
    case "stuck":
      return new Stuck(stage.forMs, stage.delta);
    case "average":
      return new Average(stage.count);
    case "ewma":
      return new Ewma(stage.alpha);
    case "fir":
      return new Fir(stage.coefficients);
    case "biquad":
      return new Biquad(stage);
    case "debounce":
      return new Debounce(stage.forMs);
    case "throttle":
      return new Throttle(stage.everyMs);
    case "heartbeat":
      return new Heartbeat(stage.everyMs);
    case "hysteresis":
      return new Hysteresis(stage.low, stage.high);
    case "tumbling":
      return new Tumbling(stage);
    case "sliding":
      return new Sliding(stage);
    case "hampel":
      return new Hampel(stage.count, stage.threshold);
    case "cusum":
      return new Cusum(stage);
    case "derivative":
      return new Derivative();
    case "anomaly":
      return new AnomalyScore(stage.periodMs);
    case "kalman":
      return stage.model === "level"
        ? new KalmanLevel(stage.noise, stage.drift)
        : new KalmanTrend(stage.noise, stage.drift, stage.gives === "slope");
    case "integral":
      return new Integral(stage);
    case "session":
      return new Session(stage);
    case "goertzel":
      return new Goertzel(stage);
    case "spectrum":
      return new Spectrum(stage);
  }
}
