/**
 * The sensors that are on this board or wired to it: drivers in ECMA-419's shape, the SDK's or our own, listed by the
 * module `board-sensors` that is generated from the board's file.
 *
 * A sensor is opened when it is first read, and sampled once a round, however many of its quantities are asked for. One that
 * does not answer reads NaN and is left alone for a while, because an attempt may hold the board up for 350 ms (the SDK's
 * AHT10). Each trouble is told once.
 */
import type { BoardSensor, SensorDriver } from "board-sensors";
import type { Clock, LogLevel } from "../ports.ts";

/** How long a sensor that failed is left alone: at first, and at most; twice as long each time in between. */
const retryMsMin = 1_000;
const retryMsMax = 300_000;
/** What the SDK's drivers say when another kind of chip answers; our own have a sentence for it. */
const wrongChip = "unexpected sensor";

type Tell = (level: LogLevel, text: string) => void;

export class AttachedSensors {
  readonly #sensors: readonly AttachedSensor[];
  #round = 0;

  constructor(sensors: readonly BoardSensor[], clock: Clock, tell: Tell) {
    this.#sensors = sensors.map((sensor) => new AttachedSensor(sensor, clock, tell));
  }

  /** What is read from now on is sampled anew. */
  startRound(): void {
    this.#round++;
  }

  /** NaN when no sensor of the board reads it, or none can at present. */
  read(sensor: string): number {
    for (const attached of this.#sensors) {
      const value = attached.read(sensor, this.#round);
      if (!Number.isNaN(value)) return value;
    }
    return Number.NaN;
  }
}

class AttachedSensor {
  readonly #sensor: BoardSensor;
  readonly #clock: Clock;
  readonly #tell: Tell;
  #driver: SensorDriver | undefined;
  #retryMs = retryMsMin;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #round = -1;
  #sample: unknown;
  /** The driver is at work and may complain. */
  #isAsked = false;
  #complaint: unknown;
  /** The trouble that was told last; undefined once the sensor has answered since. */
  #told: string | undefined;

  constructor(sensor: BoardSensor, clock: Clock, tell: Tell) {
    this.#sensor = sensor;
    this.#clock = clock;
    this.#tell = tell;
  }

  read(name: string, round: number): number {
    for (const { sensor, path, scale } of this.#sensor.readings) {
      if (sensor === name) return valueIn(this.sampleOf(round), path) * scale;
    }
    return Number.NaN;
  }

  private sampleOf(round: number): unknown {
    if (round !== this.#round) {
      this.#round = round;
      const mayTry = this.#driver !== undefined || this.#clock.nowMs() >= this.#retryAtMs;
      this.#sample = mayTry ? this.take() : undefined;
    }
    return this.#sample;
  }

  /** A driver throws when its sensor does not answer; that must end neither the reading of others nor the board. */
  private take(): unknown {
    this.#isAsked = true;
    this.#complaint = undefined;
    try {
      this.#driver ??= this.open();
      const sample = this.#driver.sample();
      // The SDK's drivers complain of an answer that is garbled, and some of them go on to evaluate it.
      if (this.#complaint !== undefined) throw this.#complaint;
      if (sample !== undefined) this.onAnswer();
      return sample;
    } catch (error) {
      this.fail(error);
      return undefined;
    } finally {
      this.#isAsked = false;
    }
  }

  private open(): SensorDriver {
    const driver = this.#sensor.open({ clock: this.#clock, onError: (error) => this.onError(error) });
    // The SDK's drivers complain of another kind of chip and return, with their connection closed.
    if (this.#complaint !== undefined) throw this.#complaint;
    return driver;
  }

  private onError(error: unknown): void {
    if (this.#isAsked) this.#complaint = error;
    else this.fail(error);
  }

  private onAnswer(): void {
    if (this.#told !== undefined) this.#tell("info", `sensor ${this.#sensor.name}: answers again`);
    this.#told = undefined;
    this.#retryMs = retryMsMin;
  }

  private fail(error: unknown): void {
    this.#retryAtMs = this.#clock.nowMs() + this.#retryMs;
    this.#retryMs = Math.min(2 * this.#retryMs, retryMsMax);
    const trouble = troubleOf(error);
    if (trouble !== this.#told) this.#tell("warn", `sensor ${this.#sensor.name}: ${trouble}`);
    this.#told = trouble;
    try {
      this.#driver?.close();
    } catch {
      // It is given up either way.
    }
    this.#driver = undefined;
  }
}

function troubleOf(error: unknown): string {
  const text = `${error}`;
  return text.includes(wrongChip)
    ? "another kind of chip answers at its address; check the board's sensor list"
    : text;
}

function valueIn(sample: unknown, path: readonly string[]): number {
  let value = sample;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return Number.NaN;
    value = (value as Record<string, unknown>)[step];
  }
  return typeof value === "number" ? value : Number.NaN;
}
