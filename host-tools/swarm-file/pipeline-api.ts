/** The words for the stages of a pipeline. What each does, its state and its unit: `docs/pipelines.md`. */
import { callSite } from "./call-site.ts";
import type { Duration } from "./duration.ts";
import type { PipelinePart } from "./parts.ts";
import type { Unit } from "./units.ts";

/** `p95` is the 95th percentile. Variance is that of a sample; the slope is the least squares', a second. */
export type StatisticName = "count" | "mean" | "min" | "max" | "variance" | "slope" | "rms" | `p${number}`;

/** `duration` is from a session's first value to its last, in seconds. */
export type SessionStatisticName = StatisticName | "duration";

/**
 * Of a spectrum: the frequency that is strongest, the mean one weighed by power (its centroid), and the root mean square of what lies from one frequency up to below
 * another, `5-20hz`.
 */
export type SpectrumStatisticName = "frequency" | "centroid" | `${number}-${number}hz`;

/** From what the sensor says to what is so; `unit` is what that is in, the sensor's own if not said. */
export type Calibration = { unit?: Unit } & (
  | { gain?: number; offset?: number }
  /** c0 + c1 x + c2 x² ..., at most 8 coefficients. */
  | { polynomial: readonly number[] }
  /** 2 to 16 points, x ascending, with straight lines between them; beyond the ends, the end's y. */
  | { table: readonly (readonly [x: number, y: number])[] }
);

/** A pipeline under construction: each stage takes what the one before lets through. */
export interface Pipeline<Metric extends string> extends PipelinePart<Metric> {
  /** The median of the last `count` samples (odd, 3 to 31): removes outliers. */
  median(count: number): Pipeline<Metric>;
  /** The mean of each `window`, once a window. */
  mean(window: Duration): Pipeline<Metric>;
  /** Lets a value through when it differs from the last one by more than `delta`, and any value after `atLeastEvery` of silence. */
  deadband(delta: number, options?: { atLeastEvery?: Duration }): Pipeline<Metric>;
  /** Corrects each value: by a straight line, a polynomial or a table. */
  calibrate(by: Calibration): Pipeline<Metric>;
  /** The same in another unit: `convert("°F")`. */
  convert(unit: Unit): Pipeline<Metric>;
  /** Puts the nearer end in place of what lies outside. */
  clamp(min: number, max: number): Pipeline<Metric>;
  /** Refuses what lies outside; it is reported with quality 2 and reaches no later stage and no rule. */
  range(min: number, max: number): Pipeline<Metric>;
  /** Refuses, with quality 3, what has not moved by more than `within` (0 if not said) for so long: the sensor hangs. */
  stuck(time: Duration, options?: { within?: number }): Pipeline<Metric>;
  /** The mean of the last `count` samples (2 to 128), with each sample. */
  average(count: number): Pipeline<Metric>;
  /** An exponentially weighted mean; a new value weighs `weight` (above 0, at most 1), or by a time constant: `ewma("10s")`. */
  ewma(weight: number | Duration): Pipeline<Metric>;
  /** A FIR filter; the first of its 1 to 48 coefficients is for the latest sample. */
  fir(coefficients: readonly number[]): Pipeline<Metric>;
  /** A second-order IIR filter, by its coefficients as SciPy and Matlab write them. */
  biquad(filter: {
    b: readonly [number, number, number];
    a: readonly [number, number, number];
  }): Pipeline<Metric>;
  /** Removes what is quicker than `hz`; 12 dB an octave, Butterworth's unless `q` is said. */
  lowpass(hz: number, options?: { q?: number }): Pipeline<Metric>;
  /** Removes what is slower than `hz`. */
  highpass(hz: number, options?: { q?: number }): Pipeline<Metric>;
  /** Lets a new value through once it has stayed the same for so long: for contacts and states. */
  debounce(time: Duration): Pipeline<Metric>;
  /** Lets at most one value through in each such time. */
  throttle(every: Duration): Pipeline<Metric>;
  /** Repeats the last value whenever none has come for so long. */
  heartbeat(every: Duration): Pipeline<Metric>;
  /** 1 from `high` on, 0 from `low` down, between them what it was. */
  hysteresis(levels: { low: number; high: number }): Pipeline<Metric>;
  /**
   * A Kalman filter: what is so behind noisy values. `noise` is the standard deviation of a measurement; `drift` that of how the value changes in a second, or, of a
   * value with a `trend`, how its slope does. `gives: "slope"` tells the slope, a second, instead of the value.
   */
  kalman(given: {
    noise: number;
    drift: number;
    model?: "level" | "trend";
    gives?: "value" | "slope";
  }): Pipeline<Metric>;
  /**
   * Value times time, by trapezoids, per second if nothing else is said: `integral({ per: "h" })` makes Wh of W. The running sum with each value, or with `every` the sum of each such period at its
   * end. Between values more than `gap` apart (10 periods, if not said) nothing is added.
   */
  integral(options?: { per?: "s" | "min" | "h"; every?: Duration; gap?: Duration }): Pipeline<Metric>;
  /**
   * Statistics of sessions: runs of values that come no more than `gap` apart, of any length; `above` leaves out what is that or less, so that `session("30s", { above: 5 })` are the times
   * when a motor runs.
   */
  session(gap: Duration, options?: { above?: number }): Window<Metric, SessionStatisticName>;
  /** The amplitude of one frequency in each so many samples (4 to 4,096), which hold a whole number of its waves. */
  goertzel(hz: number, options: { samples: number }): Pipeline<Metric>;
  /** The spectrum of each so many samples (16, 32, 64, 128 or 256) by FFT, without their mean and under Hann's window. */
  spectrum(samples: number): Window<Metric, SpectrumStatisticName>;
  /**
   * Statistics of windows of so many samples or so long, one after the other, or with `every` one so often: `window("1m", { every: "10s" })` hops,
   * `window(20, { every: 1 })` slides.
   */
  window<const Length extends Duration | number>(
    length: Length,
    options?: { every?: Length extends number ? number : Duration },
  ): Window<Metric>;
  /** Puts the median of the last `count` samples (odd, 3 to 31) in place of what lies `threshold` (3) standard deviations from it. */
  hampel(count: number, options?: { threshold?: number }): Pipeline<Metric>;
  /**
   * Change points: 1 or -1 with the sample that shows that the mean has shifted up or down, else 0. `drift` is what is no shift yet, half of what is to be found;
   * `threshold` is how much must add up beyond it. The mean is `reference`, or that of the first `learn` samples (30), anew after each change.
   */
  cusum(given: { drift: number; threshold: number; reference?: number; learn?: number }): Pipeline<Metric>;
  /** The change a second. */
  derivative(): Pipeline<Metric>;
  /** How anomalous each sample is, 0 to 1, in a stream that repeats itself after `period` (a day if not said); above 0.5 is worth an alarm. */
  anomaly(options?: { period?: Duration }): Pipeline<Metric>;
  /** Reports each reading as it comes, which is what a pipeline does unless something else is said. */
  report(): Pipeline<Metric>;
  /**
   * Reports in blocks, each of what came in `batch`, in a fraction of the bytes; rules see each reading at once all the same. `within` is how far, at most, a reported value may be
   * from the one measured; nothing is lost unless it is said. With `copies` (2 to 4) so many boards of different zones keep what was reported, in their flash: docs/keeping.md.
   */
  report(options: { batch: Duration; within?: number; copies?: number }): Pipeline<Metric>;
  /**
   * The board keeps a summary of so much of the past, for `covey query`: twelve slots and the one being filled, 1,560 bytes of state. The values themselves stay on the board or
   * are reported, as else is said.
   */
  keep(duration: Duration): Pipeline<Metric>;
  /** Names the metric, which is the sensor's name otherwise. */
  as<Name extends string>(metric: Name): Pipeline<Name>;
}

/** Windows whose statistics are still to be named. */
export interface Window<Metric extends string, Name extends string = StatisticName> {
  /** One statistic, reported as the metric. */
  stat(statistic: Name): Pipeline<Metric>;
  /** Each a metric and, from the sensor on, a pipeline of its own: `temperature.mean`, `temperature.p95`. */
  stats<const Statistics extends readonly [Name, ...Name[]]>(
    ...statistics: Statistics
  ): Pipeline<`${Metric}.${Statistics[number]}`>;
}

export function pipeline<Metric extends string>(part: PipelinePart<Metric>): Pipeline<Metric> {
  const add = <Name extends string = Metric>(
    word: string,
    given: Readonly<Record<string, unknown>>,
    site = callSite(),
  ) => {
    const stages = [...part.stages, { site, word, given }];
    return pipeline({ ...part, stages } as unknown as PipelinePart<Name>);
  };
  const windows = (word: string, given: Readonly<Record<string, unknown>>) => {
    const site = callSite();
    return {
      stat: (statistic: string) => add(word, { ...given, statistic }, site),
      stats: (...statistics: string[]) => add(word, { ...given, statistics }, site),
    } as Window<Metric, never>;
  };
  return {
    ...part,
    median: (count) => add("median", { count }),
    mean: (window) => add("mean", { window }),
    deadband: (delta, options) => add("deadband", { ...options, delta }),
    calibrate: (by) => add("calibrate", { by }),
    convert: (unit) => add("convert", { unit }),
    clamp: (min, max) => add("clamp", { min, max }),
    range: (min, max) => add("range", { min, max }),
    stuck: (time, options) => add("stuck", { ...options, for: time }),
    average: (count) => add("average", { count }),
    ewma: (weight) => add("ewma", { weight }),
    fir: (coefficients) => add("fir", { coefficients }),
    biquad: (filter) => add("biquad", { ...filter }),
    lowpass: (hz, options) => add("lowpass", { ...options, hz }),
    highpass: (hz, options) => add("highpass", { ...options, hz }),
    debounce: (time) => add("debounce", { for: time }),
    throttle: (every) => add("throttle", { every }),
    heartbeat: (every) => add("heartbeat", { every }),
    hysteresis: (levels) => add("hysteresis", { ...levels }),
    kalman: (given) => add("kalman", { ...given }),
    integral: (options) => add("integral", { ...options }),
    session: (gap, options) => windows("session", { ...options, gap }),
    goertzel: (hz, options) => add("goertzel", { ...options, hz }),
    spectrum: (samples) => windows("spectrum", { samples }),
    window: (length, options) => windows("window", { ...options, length }),
    hampel: (count, options) => add("hampel", { ...options, count }),
    cusum: (given) => add("cusum", { ...given }),
    derivative: () => add("derivative", {}),
    anomaly: (options) => add("anomaly", { ...options }),
    report: (options?: object) =>
      pipeline({ ...part, reporting: { site: callSite(), word: "report", given: { ...options } } }),
    keep: (duration) =>
      pipeline({ ...part, keeping: { site: callSite(), word: "keep", given: { duration } } }),
    as: (metric) => pipeline({ ...part, metric, metricSite: callSite(), metricAfter: part.stages.length }),
  };
}
