/** Checks and compiles one stage: its parameters against the board's ranges, and what it takes against what comes to it. */
import { timeUnits } from "../../protocols/pipeline/operators.ts";
import type { Stage, TimeUnit } from "../../protocols/pipeline/stage.ts";
import { highpass, lowpass } from "./biquad-design.ts";
import { compileCalibration } from "./compile-calibration.ts";
import { compileGoertzel, compileSpectrum } from "./compile-spectrum.ts";
import { checkLength, compileSession, compileWindow } from "./compile-window.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, shown } from "./given.ts";
import type { StagePart } from "./parts.ts";
import { type CompiledStage, type Signal, StageReader } from "./stage-reader.ts";
import { list, suggestion } from "./suggestion.ts";
import { conversion, integrated, isUnit, perSecond, quantityOf, units } from "./units.ts";

/** undefined for a word that there is not. */
export function compileStage(
  part: StagePart,
  signal: Signal,
  diagnostics: Diagnostics,
): CompiledStage | undefined {
  const stage = new StageReader(part, signal, diagnostics);
  const { given } = stage;
  switch (stage.word) {
    case "median":
      return stage.keeps({ op: "median", count: stage.oddCount("median", "a median is taken") });
    case "mean":
      return mean(stage);
    case "deadband": {
      const { delta, atLeastEvery } = given;
      if (!isNumberWithin(delta, 0, Number.MAX_VALUE))
        stage.wrong(`a deadband is a number, 0 or more, not ${shown(delta)}.`);
      const silenceMs = atLeastEvery === undefined ? 0 : stage.duration("atLeastEvery");
      return stage.thins({ op: "deadband", delta: delta as number, silenceMs });
    }
    case "calibrate":
      return compileCalibration(stage);
    case "convert":
      return converted(stage);
    case "clamp":
    case "range": {
      const op = stage.word;
      const [min, max] = [stage.number(op, "min"), stage.number(op, "max")];
      if (min > max) stage.wrong(`a ${op} goes from the lower to the higher, not from ${min} to ${max}.`);
      return stage.keeps({ op, min, max });
    }
    case "stuck": {
      const delta = given.within === undefined ? 0 : stage.number("stuck", "delta", "within");
      return stage.keeps({ op: "stuck", forMs: stage.duration("for"), delta });
    }
    case "average":
      return stage.keeps({ op: "average", count: stage.number("average", "count") });
    case "ewma":
      return stage.keeps({ op: "ewma", alpha: alpha(stage) });
    case "fir":
      stage.needsSteady("a FIR filter");
      return stage.keeps({ op: "fir", coefficients: stage.numbers("fir", "coefficients") });
    case "biquad":
      return biquad(stage);
    case "lowpass":
    case "highpass":
      return designed(stage, stage.word);
    case "debounce":
      return stage.thins({ op: "debounce", forMs: stage.duration("for") });
    case "throttle":
      return throttle(stage);
    case "heartbeat":
      return heartbeat(stage);
    case "hysteresis": {
      const [low, high] = [stage.number("hysteresis", "low"), stage.number("hysteresis", "high")];
      if (low > high) stage.wrong(`hysteresis goes from low to high, not from ${low} to ${high}.`);
      return { stage: { op: "hysteresis", low, high }, signal: { ...signal, unit: "" } };
    }
    case "window":
      return compileWindow(stage);
    case "hampel": {
      const count = stage.oddCount("hampel", "outliers are looked for");
      const threshold = given.threshold === undefined ? 3 : stage.number("hampel", "threshold");
      return stage.keeps({ op: "hampel", count, threshold });
    }
    case "cusum":
      return cusum(stage);
    case "derivative":
      return { stage: { op: "derivative" }, signal: { ...signal, unit: perSecond(signal.unit) } };
    case "kalman":
      return kalman(stage);
    case "integral":
      return integral(stage);
    case "session":
      return compileSession(stage);
    case "goertzel":
      return compileGoertzel(stage);
    case "spectrum":
      return compileSpectrum(stage);
    case "anomaly": {
      const periodMs =
        given.period === undefined ? 24 * 3_600_000 : stage.duration("period", "period", 60_000);
      return { stage: { op: "anomaly", periodMs }, signal: { ...signal, unit: "" } };
    }
    default:
      stage.wrong(`there is no stage ${shown(stage.word)}.`);
      return undefined;
  }
}

function mean(stage: StageReader): CompiledStage {
  const windowMs = stage.duration("window", "the window");
  checkLength(stage, stage.given.window, windowMs);
  return { stage: { op: "mean", windowMs }, signal: { ...stage.signal, everyMs: windowMs } };
}

function throttle(stage: StageReader): CompiledStage {
  const { signal } = stage;
  const everyMs = stage.duration("every");
  const after = { ...signal, everyMs: Math.max(signal.everyMs, everyMs), isSteady: false };
  return { stage: { op: "throttle", everyMs }, signal: after };
}

function heartbeat(stage: StageReader): CompiledStage {
  const { signal } = stage;
  const everyMs = stage.duration("every");
  const after = { ...signal, everyMs: Math.min(signal.everyMs, everyMs), isSteady: false };
  return { stage: { op: "heartbeat", everyMs }, signal: after };
}

function converted(stage: StageReader): CompiledStage {
  const { unit } = stage.given;
  const from = stage.signal.unit;
  if (!isUnit(unit)) stage.wrong(`${shown(unit)} is not a unit${suggestion(unit, units)}`);
  else if (!isUnit(from)) stage.wrong(`what is in ${from || "no unit"} cannot be converted to ${unit}.`);
  else if (quantityOf(unit) !== quantityOf(from))
    stage.wrong(`${from} measures ${quantityOf(from)} and ${unit} measures ${quantityOf(unit)}.`);
  else {
    const { offset, gain } = conversion(from, unit);
    const coefficients = [offset, gain];
    return { stage: { op: "polynomial", coefficients }, signal: { ...stage.signal, unit } };
  }
  return stage.keeps({ op: "polynomial", coefficients: [0, 1] });
}

/** Given as such, or as the time constant of the RC filter that it stands for: alpha = 1 - exp(-period / constant). */
function alpha(stage: StageReader): number {
  const { weight } = stage.given;
  if (typeof weight !== "string") {
    if (isNumberWithin(weight, Number.MIN_VALUE, 1)) return weight;
    stage.wrong(
      `the weight of a new value is above 0 and at most 1, or a time constant, not ${shown(weight)}.`,
    );
    return 1;
  }
  stage.needsSteady("a time constant");
  return -Math.expm1(-stage.signal.everyMs / stage.duration("weight"));
}

function biquad(stage: StageReader): CompiledStage {
  stage.needsSteady("a biquad");
  const { b, a } = stage.given;
  const isWritten = [b, a].every((each) => Array.isArray(each) && each.every((c) => Number.isFinite(c)));
  const [a0, a1, a2] = isWritten ? (a as number[]) : [];
  if (!isWritten || (b as number[]).length !== 3 || (a as number[]).length !== 3 || a0 === 0) {
    stage.wrong("a biquad is { b: [b0, b1, b2], a: [a0, a1, a2] }, a0 not 0.");
    return stage.keeps({ op: "biquad", b0: 1, b1: 0, b2: 0, a1: 0, a2: 0 });
  }
  const [p1, p2] = [a1! / a0!, a2! / a0!];
  // The stability triangle: both poles within the unit circle.
  if (!(Math.abs(p2) < 1 && Math.abs(p1) < 1 + p2))
    stage.wrong(
      `a biquad with the poles of a: ${shown(a)} is not stable; what it gives would grow for ever.`,
    );
  const [b0, b1, b2] = (b as number[]).map((each) => each / a0!) as [number, number, number];
  return stage.keeps({ op: "biquad", b0, b1, b2, a1: p1, a2: p2 });
}

function designed(stage: StageReader, kind: "lowpass" | "highpass"): CompiledStage {
  stage.needsSteady(`a ${kind}`);
  const { hz, q = Math.SQRT1_2 } = stage.given;
  const rateHz = 1000 / stage.signal.everyMs;
  const isBelowNyquist = isNumberWithin(hz, Number.MIN_VALUE, rateHz / 2) && hz < rateHz / 2;
  if (!isBelowNyquist)
    stage.wrong(
      `a ${kind} is for a frequency above 0 and below half the rate, ${rateHz / 2} Hz, not ${shown(hz)}.`,
    );
  if (!isNumberWithin(q, 0.1, 100)) stage.wrong(`q must be a number from 0.1 to 100, not ${shown(q)}.`);
  const design = kind === "lowpass" ? lowpass : highpass;
  return stage.keeps(design(isBelowNyquist ? hz : rateHz / 4, rateHz, q as number));
}

function cusum(stage: StageReader): CompiledStage {
  const { given } = stage;
  const isLearned = given.reference === undefined;
  const compiled: Stage = {
    op: "cusum",
    drift: stage.number("cusum", "drift"),
    threshold: stage.number("cusum", "threshold"),
    learn: isLearned && given.learn !== undefined ? stage.number("cusum", "learn") : isLearned ? 30 : 0,
    reference: isLearned ? 0 : stage.number("cusum", "reference"),
  };
  return { stage: compiled, signal: { ...stage.signal, unit: "" } };
}

function kalman(stage: StageReader): CompiledStage {
  const { gives = "value", model = gives === "slope" ? "trend" : "level" } = stage.given;
  if (model !== "level" && model !== "trend")
    stage.wrong(`the model of a Kalman filter is "level" or "trend", not ${shown(model)}.`);
  if (gives !== "value" && gives !== "slope")
    stage.wrong(`a Kalman filter gives the "value" or the "slope", not ${shown(gives)}.`);
  if (model === "level" && gives === "slope")
    stage.wrong('a value without a trend has no slope; write model: "trend".');
  const compiled = {
    op: "kalman",
    model: model as "level" | "trend",
    noise: stage.number("kalman", "noise"),
    drift: stage.number("kalman", "drift"),
    gives: gives as "value" | "slope",
  } as const;
  const { signal } = stage;
  return {
    stage: compiled,
    signal: gives === "slope" ? { ...signal, unit: perSecond(signal.unit) } : signal,
  };
}

/** Periods without a value over which an integral goes on. */
const gapPeriods = 10;

function integral(stage: StageReader): CompiledStage {
  const { given, signal } = stage;
  const per = timeUnits.find((each) => each === (given.per ?? "s"));
  if (per === undefined) stage.wrong(`an integral is per ${list(timeUnits)}, not ${shown(given.per)}.`);
  const everyMs = given.every === undefined ? 0 : stage.duration("every");
  if (everyMs > 0) checkLength(stage, given.every, everyMs);
  const usualMs = everyMs > 0 ? Math.min(everyMs, gapPeriods * signal.everyMs) : gapPeriods * signal.everyMs;
  if (given.gap === undefined && !signal.isSteady)
    stage.wrong("values come at no steady rate here, so say over how long a gap an integral goes on: gap.");
  const gapMs = given.gap === undefined ? usualMs : stage.duration("gap");
  if (everyMs > 0 && gapMs > everyMs)
    stage.wrong(`a gap of ${given.gap} is longer than the period, ${given.every}; make it shorter.`);
  const compiled = { op: "integral", per: per ?? ("s" as TimeUnit), everyMs, gapMs } as const;
  const after = { unit: integrated(signal.unit, compiled.per), everyMs: everyMs || signal.everyMs };
  return { stage: compiled, signal: { ...signal, ...after } };
}
