/**
 * The sensors that are on this board or wired to it: drivers in ECMA-419's shape, the SDK's or our own, listed by the
 * module `board-sensors` that is generated from the board's file.
 */
import type { BoardSensor, SensorDriver } from "board-sensors";
import type { Clock } from "../ports.ts";

/** Readings that are asked for together come of one sample. */
const sampleAgeMsMax = 100;
/** A sensor that failed is tried again after this long. */
const retryMs = 10_000;

export class AttachedSensors {
  readonly #sensors: readonly AttachedSensor[];

  constructor(sensors: readonly BoardSensor[], clock: Clock, warn: (text: string) => void) {
    this.#sensors = sensors.map((sensor) => new AttachedSensor(sensor, clock, warn));
  }

  /** NaN when no sensor of the board reads it, or none can at present. */
  read(sensor: string): number {
    for (const attached of this.#sensors) {
      const value = attached.read(sensor);
      if (!Number.isNaN(value)) return value;
    }
    return Number.NaN;
  }
}

class AttachedSensor {
  readonly #sensor: BoardSensor;
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  #driver: SensorDriver | undefined;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #sample: unknown;
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  #isWarned = false;

  constructor(sensor: BoardSensor, clock: Clock, warn: (text: string) => void) {
    this.#sensor = sensor;
    this.#clock = clock;
    this.#warn = warn;
  }

  read(name: string): number {
    for (const { sensor, path, scale } of this.#sensor.readings) {
      if (sensor === name) return valueIn(this.#latest(), path) * scale;
    }
    return Number.NaN;
  }

  /** A driver throws when its sensor does not answer; that must end neither the reading of others nor the board. */
  #latest(): unknown {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sampledAtMs < sampleAgeMsMax) return this.#sample;
    this.#sampledAtMs = nowMs;
    this.#sample = undefined;
    if (this.#driver === undefined && nowMs < this.#retryAtMs) return undefined;
    try {
      this.#driver ??= this.#sensor.open({ clock: this.#clock, onError: (error) => this.#fail(error) });
      this.#sample = this.#driver.sample();
      if (this.#sample !== undefined) this.#isWarned = false;
    } catch (error) {
      this.#fail(error);
    }
    return this.#sample;
  }

  #fail(error: unknown): void {
    this.#retryAtMs = this.#clock.nowMs() + retryMs;
    if (!this.#isWarned) this.#warn(`sensor ${this.#sensor.name}: ${error}`);
    this.#isWarned = true;
    try {
      this.#driver?.close();
    } catch {
      // It is given up either way.
    }
    this.#driver = undefined;
  }
}

function valueIn(sample: unknown, path: readonly string[]): number {
  let value = sample;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return Number.NaN;
    value = (value as Record<string, unknown>)[step];
  }
  return typeof value === "number" ? value : Number.NaN;
}
