/**
 * One stage of a pipeline: an operator and its parameters. What each does, its state and its unit: `docs/pipelines.md`.
 *
 * A stage takes a value and lets go of at most one. Times are milliseconds of the board's monotonic clock.
 */
export type Stage =
  /** Median of the last `count` samples (odd, 3 to 31); emits from the first sample on. */
  | { readonly op: "median"; readonly count: number }
  /** Mean of each tumbling window of `windowMs`; emits once a window, at its end; empty windows emit nothing. */
  | { readonly op: "mean"; readonly windowMs: number }
  /** Passes a value that differs from the last passed one by more than `delta`, and any value once `silenceMs` have gone by (0: never for that reason). */
  | { readonly op: "deadband"; readonly delta: number; readonly silenceMs: number }
  /** c0 + c1 x + c2 x² ...: a linear or polynomial calibration, or another unit. */
  | { readonly op: "polynomial"; readonly coefficients: readonly number[] }
  /** Straight lines between the points (x ascending); beyond the ends the end's y. */
  | { readonly op: "table"; readonly xs: readonly number[]; readonly ys: readonly number[] }
  | { readonly op: "clamp"; readonly min: number; readonly max: number }
  /** Refuses what is outside: quality 2. */
  | { readonly op: "range"; readonly min: number; readonly max: number }
  /** Refuses what has stayed within `delta` of one value for `forMs`: quality 3. */
  | { readonly op: "stuck"; readonly forMs: number; readonly delta: number }
  /** Mean of the last `count` samples; emits from the first sample on. */
  | { readonly op: "average"; readonly count: number }
  /** y += alpha (x - y). */
  | { readonly op: "ewma"; readonly alpha: number }
  /** y = c0 x + c1 x(last) + c2 x(last but one) ... */
  | { readonly op: "fir"; readonly coefficients: readonly number[] }
  /** y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2. */
  | {
      readonly op: "biquad";
      readonly b0: number;
      readonly b1: number;
      readonly b2: number;
      readonly a1: number;
      readonly a2: number;
    }
  /** Passes a new value once it has stayed the same for `forMs`. */
  | { readonly op: "debounce"; readonly forMs: number }
  /** Passes at most one value in `everyMs`. */
  | { readonly op: "throttle"; readonly everyMs: number }
  /** Repeats the last value whenever none has come for `everyMs`. */
  | { readonly op: "heartbeat"; readonly everyMs: number }
  /** 1 from `high` on, 0 from `low` down, between them what it was (0 at first). */
  | { readonly op: "hysteresis"; readonly low: number; readonly high: number }
  /** A statistic of each window of so many samples or milliseconds; the next begins where one ends. */
  | {
      readonly op: "tumbling";
      readonly by: WindowBy;
      readonly length: number;
      readonly statistic: Statistic;
      /** For a percentile, 0 to 100; else 0. */
      readonly percent: number;
    }
  /** A statistic of the last so many samples or milliseconds, every `hop` of them. */
  | {
      readonly op: "sliding";
      readonly by: WindowBy;
      readonly length: number;
      readonly hop: number;
      /** What it holds at most; beyond, the oldest go. */
      readonly samples: number;
      readonly statistic: Statistic;
      readonly percent: number;
    }
  /** Puts the median of the last `count` in place of what is more than `threshold` standard deviations (1.4826 MAD) away from it. */
  | { readonly op: "hampel"; readonly count: number; readonly threshold: number }
  /** 1 or -1 when the mean has shifted up or down, else 0. The reference is the mean of the first `learn` samples, and `reference` when that is 0. */
  | {
      readonly op: "cusum";
      readonly drift: number;
      readonly threshold: number;
      readonly learn: number;
      readonly reference: number;
    }
  /** Change a second since the last sample. */
  | { readonly op: "derivative" }
  /** How anomalous a sample is, 0 to 1, in a stream that repeats itself after `periodMs`: `docs/anomaly.md`. */
  | { readonly op: "anomaly"; readonly periodMs: number }
  /** What is so behind noisy values, or by how much it changes a second; `noise` and `drift` are standard deviations. */
  | {
      readonly op: "kalman";
      /** A value that wanders, or one that has a slope which wanders. */
      readonly model: "level" | "trend";
      /** Of a measurement. */
      readonly noise: number;
      /** Of how the value, or the slope, changes in a second. */
      readonly drift: number;
      readonly gives: "value" | "slope";
    }
  /** Value times time, added up by trapezoids; over more than `gapMs` nothing is added. */
  | {
      readonly op: "integral";
      readonly per: TimeUnit;
      /** 0: the running sum, with each value; else each period's, with the first value at or after its end. */
      readonly everyMs: number;
      readonly gapMs: number;
    }
  /** A statistic of each run of values above `above` that come no more than `gapMs` apart. */
  | {
      readonly op: "session";
      readonly gapMs: number;
      /** `-Number.MAX_VALUE`: all values. */
      readonly above: number;
      readonly statistic: SessionStatistic;
      readonly percent: number;
    }
  /** The amplitude of one frequency, `bin / (count everyMs)`, in each `count` values. */
  | { readonly op: "goertzel"; readonly count: number; readonly bin: number; readonly everyMs: number }
  /** Something of the spectrum of each `count` values, from bin `low` to bin `high`. */
  | {
      readonly op: "spectrum";
      /** A power of two. */
      readonly count: number;
      readonly everyMs: number;
      /** Root mean square; the strongest frequency; the mean one, weighed by power. */
      readonly gives: SpectrumFeature;
      readonly low: number;
      readonly high: number;
    };

export type WindowBy = "time" | "count";

export type TimeUnit = "s" | "min" | "h";

/** `duration`: seconds from the first value to the last. */
export type SessionStatistic = Statistic | "duration";

export type SpectrumFeature = "rms" | "frequency" | "centroid";

export type Statistic = "count" | "mean" | "min" | "max" | "variance" | "slope" | "rms" | "percentile";
