/** Compiles `spectrum(...).stat(...)` and `goertzel(...)`. */
import { isNumberWithin, shown } from "./given.ts";
import type { CompiledStage, StageReader } from "./stage-reader.ts";

/** Series that the FFT takes: powers of two, as `protocols/pipeline/stage-codec.ts` has it. */
const spectrumCounts: readonly unknown[] = [16, 32, 64, 128, 256];

export function compileSpectrum(stage: StageReader): CompiledStage {
  const { given, signal } = stage;
  stage.needsSteady("a spectrum");
  const isCount = spectrumCounts.includes(given.samples);
  if (!isCount)
    stage.wrong(`a spectrum is of 16, 32, 64, 128 or 256 samples, not of ${shown(given.samples)}.`);
  const count = isCount ? (given.samples as number) : 16;
  const { everyMs } = signal;
  const after = { ...signal, everyMs: count * everyMs };
  if (given.statistic === "frequency" || given.statistic === "centroid") {
    const gives = given.statistic;
    return {
      stage: { op: "spectrum", count, everyMs, gives, low: 1, high: count / 2 },
      signal: { ...after, unit: "Hz" },
    };
  }
  return {
    stage: { op: "spectrum", count, everyMs, gives: "rms", ...bins(stage, count) },
    signal: after,
  };
}

export function compileGoertzel(stage: StageReader): CompiledStage {
  const { given, signal } = stage;
  stage.needsSteady("a Goertzel filter");
  const count = stage.number("goertzel", "count", "samples");
  const { hz } = given;
  const rateHz = 1000 / signal.everyMs;
  const after = { ...signal, everyMs: count * signal.everyMs };
  const of = (bin: number) =>
    ({ stage: { op: "goertzel", count, bin, everyMs: signal.everyMs }, signal: after }) as const;
  if (!isNumberWithin(hz, Number.MIN_VALUE, rateHz / 2) || hz >= rateHz / 2) {
    stage.wrong(`a frequency here is above 0 and below half the rate, ${rateHz / 2} Hz, not ${shown(hz)}.`);
    return of(1);
  }
  // A mistake that is told already.
  if (Number.isNaN(count)) return of(1);
  const waves = (hz * count) / rateHz;
  const bin = Math.round(waves);
  if (!isWhole(waves, count)) {
    const near = nearestCount(hz / rateHz, count);
    const help = near === undefined ? "take more of them" : `take ${near}`;
    stage.wrong(
      `${count} samples hold ${Number(waves.toPrecision(3))} waves of ${hz} Hz, and it has to be a whole number; ${help}.`,
    );
  }
  return of(bin);
}

/** As whole as makes no difference: what is that far off loses less than half a percent of its amplitude. */
function isWhole(waves: number, count: number): boolean {
  const bin = Math.round(waves);
  return bin >= 1 && 2 * bin < count && Math.abs(waves - bin) <= 0.05;
}

function nearestCount(wavesEach: number, count: number): number | undefined {
  for (let away = 1; away < 4096; away++) {
    for (const near of [count + away, count - away]) {
      if (near < 4 || near > 4096) continue;
      if (isWhole(wavesEach * near, near)) return near;
    }
  }
  return undefined;
}

/** The bins of `5-20hz`: from the first at or above 5 Hz to the last below 20, or at it where that is half the rate. */
function bins(stage: StageReader, count: number): { low: number; high: number } {
  const { statistic } = stage.given;
  const all = { low: 1, high: count / 2 };
  const [, from, to] =
    typeof statistic === "string" ? (/^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)hz$/.exec(statistic) ?? []) : [];
  if (from === undefined) {
    stage.wrong(
      `${shown(statistic)} is nothing of a spectrum; use "frequency", "centroid" or a band such as "5-20hz".`,
    );
    return all;
  }
  const binHz = 1000 / (count * stage.signal.everyMs);
  const [fromHz, toHz, mostHz] = [Number(from), Number(to), (binHz * count) / 2];
  if (fromHz >= toHz || toHz > mostHz) {
    stage.wrong(
      `a band goes from a frequency to a higher one, at most half the rate, ${mostHz} Hz, not ${statistic}.`,
    );
    return all;
  }
  // What rounding makes of a frequency that is a bin's is that bin.
  const low = Math.max(1, Math.ceil(fromHz / binHz - 1e-9));
  const high = toHz === mostHz ? count / 2 : Math.ceil(toHz / binHz - 1e-9) - 1;
  if (low <= high) return { low, high };
  stage.wrong(
    `no bin lies in the band ${statistic}: with ${count} samples they are ${Number(binHz.toPrecision(3))} Hz apart.`,
  );
  return all;
}
