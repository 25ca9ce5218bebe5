/** A recorded series as a sensor: a value is held until the next row, and after the last row it starts again. */
import { ReplayFileError, type Series } from "../../recording/series.ts";
import { convert, isUnit, type Unit } from "../../swarm-file/units.ts";
import type { SensorSource } from "./sensor-source.ts";

/** Replays `series`, converted by `convert`, at `speed` recorded seconds a second of `nowMs`. */
export class ReplaySensor implements SensorSource {
  readonly #series: Series;
  readonly #speed: number;
  readonly #convert: (value: number) => number;
  readonly #nowMs: () => number;
  readonly #startedMs: number;

  constructor(series: Series, speed: number, convert: (value: number) => number, nowMs: () => number) {
    this.#series = series;
    this.#speed = speed;
    this.#convert = convert;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  read(): number {
    const { atSeconds, values, periodSeconds } = this.#series;
    const position = this.#elapsedSeconds() % periodSeconds;
    let low = 0;
    let high = atSeconds.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (atSeconds[middle]! <= position) low = middle;
      else high = middle - 1;
    }
    return this.#convert(values[low]!);
  }

  /** How often the recording has come to its end. */
  get rounds(): number {
    return Math.floor(this.#elapsedSeconds() / this.#series.periodSeconds);
  }

  #elapsedSeconds(): number {
    return ((this.#nowMs() - this.#startedMs) / 1000) * this.#speed;
  }
}

/** Converter from the recording's unit to the sensor's. Throws `ReplayFileError` when the two do not measure the same thing. */
export function seriesConversion(file: string, from: string, to: Unit): (value: number) => number {
  try {
    if (!isUnit(from)) throw new RangeError(`${from} is no unit that Covey knows`);
    convert(0, from, to);
    return (value) => convert(value, from, to);
  } catch (error) {
    throw new ReplayFileError(
      file,
      undefined,
      `this series cannot be replayed: ${(error as Error).message}.`,
    );
  }
}
