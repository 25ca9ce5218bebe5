/**
 * Sensirion SCD40, SCD41 and SCD43: carbon dioxide, temperature and relative humidity of the air, over I2C.
 *
 * Data sheet: SCD4x, version 1.7, April 2025, https://sensirion.com/products/catalog/SCD41
 *
 * The sensor wants a pause between a command and its answer, and refuses everything until a command is through (3.4,
 * table 9). So a conversation with it is a chain of steps, each begun by the clock: the driver polls, keeps the latest
 * reading, and `sample()` returns that at once. In single-shot mode `sample()` begins a measurement and returns
 * undefined, `onSample` tells when it is done, and the next `sample()` returns it.
 */
import type { Clock, Timer } from "../platform/ports.ts";
import { SensirionWords } from "./sensirion-words.ts";
import { type NoReading, SensorBus, SensorIoError, type SensorOptions, WrongSensorError } from "./sensor.ts";

/** Section 3.5, table 9. */
const Command = Object.freeze({
  startPeriodic: 0x21b1,
  startLowPowerPeriodic: 0x21ac,
  stopPeriodic: 0x3f86,
  readMeasurement: 0xec05,
  dataReady: 0xe4b8,
  measureSingleShot: 0x219d,
  setTemperatureOffset: 0x241d,
  setAltitude: 0x2427,
  setSelfCalibration: 0x2416,
  serialNumber: 0x3682,
  variant: 0x202f,
});

/** Table 9: execution times. A short command takes 1 ms; a timer of a board may be early by one. */
const shortMs = 2;
const stopMs = 501;
const singleShotMs = 5001;

/** Sections 3.6.1 and 3.9.1. */
const IntervalMs = Object.freeze({ periodic: 5000, "low-power": 30_000, "single-shot": 5000 });
/** A measurement that is not there in time is asked for again after this. */
const pollMs = 500;
/** So many intervals without a measurement mean that the sensor forgot what it was told. */
const missedIntervalsMax = 3;
/** Nothing answers: a single shot that was begun before a restart of the board lasts no longer. */
const retryMs = 5000;

/** Section 3.10.6: bits 15 to 12 of the variant; the SCD40 has no single shot (3.11). */
const variantScd40 = 0;

export interface Scd4xSettings {
  /** "periodic": every 5 s; "low-power": every 30 s; "single-shot": on demand, SCD41 and SCD43 only. */
  readonly mode: "periodic" | "low-power" | "single-shot";
  /** Automatic self-calibration (3.8): right where fresh air comes in at least once a week. On, as delivered. */
  readonly selfCalibration: boolean;
  /** °C, 0 to 20: how much warmer the sensor is than the air (3.7.1). 4, as delivered. */
  readonly temperatureOffset: number;
  /** Metres above sea level, 0 to 3,000 (3.7.3). */
  readonly altitude: number;
}

const defaults: Scd4xSettings = Object.freeze({
  mode: "periodic",
  selfCalibration: true,
  temperatureOffset: 4,
  altitude: 0,
});

/** The sub-objects and units of ECMA-419's sensor classes. */
export interface Scd4xSample {
  /** Parts per million; NaN for 0, which the sensor says when it has none. */
  carbonDioxideDetector: { CO2: number };
  /** °C */
  thermometer: { temperature: number };
  /** Relative humidity, 0 to 1. */
  hygrometer: { humidity: number };
}

/** What the driver does when the time of the step before is over. */
type Step =
  | "stop"
  | "ask-serial"
  | "check-serial"
  | "check-variant"
  | "set-calibration"
  | "set-offset"
  | "set-altitude"
  | "start"
  | "idle"
  | "measure-once"
  | "ask-ready"
  | "check-ready"
  | "ask-measurement"
  | "take-measurement"
  | "closed";

export class Scd4x {
  readonly #bus: SensorBus;
  readonly #clock: Clock;
  readonly #onSample: (() => void) | undefined;
  readonly #onError: ((error: Error) => void) | undefined;
  readonly #words: SensirionWords;
  readonly #advanced = () => this.advance();

  #settings = defaults;
  #step: Step = "stop";
  #timer: Timer | undefined;
  /** Until then the sensor is executing a command and acknowledges nothing. */
  #busyUntilMs = 0;
  #failure: SensorIoError | undefined;
  #reason: NoReading = "starting";

  #hasReading = false;
  #readAtMs = 0;
  #co2 = 0;
  #temperature = 0;
  #humidity = 0;

  /**
   * Stops whatever the sensor was doing and sets it up; readings follow some seconds later. A sensor that does not answer
   * is asked again every 5 s, because one that was begun on a single shot before the board restarted can't answer.
   *
   * @throws SensorIoError when the bus can't be opened
   */
  constructor(options: SensorOptions) {
    this.#bus = new SensorBus("SCD4x", options.sensor, { address: 0x62, hz: 100_000 });
    this.#words = new SensirionWords(this.#bus);
    this.#clock = options.clock;
    this.#onSample = options.onSample;
    this.#onError = options.onError;
    this.advance();
  }

  /** Why the last `sample()` gave nothing, or NaN. */
  get reason(): NoReading | undefined {
    return this.#hasReading ? undefined : this.#reason;
  }

  /**
   * Changes settings; those that are left out stay. The sensor starts anew with them. They are kept in the sensor's RAM
   * only: its EEPROM is good for 2,000 writes (3.10.1), and the board sends them at each start anyway.
   *
   * @throws RangeError for a setting that the sensor does not have
   */
  configure(settings: Partial<Scd4xSettings>): void {
    const wanted: Scd4xSettings = { ...this.#settings, ...settings };
    checkSettings(wanted);
    this.#settings = wanted;
    if (this.#step !== "closed") this.restart("starting");
  }

  /**
   * The latest reading, written into `into` where given; undefined, and `reason`, when there is none.
   *
   * @throws SensorIoError while the sensor does not answer; the driver goes on trying
   */
  sample(into: Scd4xSample = emptySample()): Scd4xSample | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const isSingleShot = this.#settings.mode === "single-shot";
    if (!this.#hasReading) {
      if (this.#step === "idle") this.measureOnce();
      return undefined;
    }
    into.carbonDioxideDetector.CO2 = this.#co2;
    into.thermometer.temperature = this.#temperature;
    into.hygrometer.humidity = this.#humidity;
    if (isSingleShot) this.#hasReading = false;
    return into;
  }

  /** Lets the sensor idle, if it answers, and lets the bus go. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    if (this.#bus.isOpen && this.#clock.nowMs() >= this.#busyUntilMs) {
      try {
        this.send(Command.stopPeriodic, 0);
      } catch {
        // It is gone already.
      }
    }
    this.#bus.close();
    this.#step = "closed";
    this.#hasReading = false;
    this.#failure = undefined;
    this.#reason = "closed";
  }

  private measureOnce(): void {
    this.#reason = "measuring";
    this.#step = "measure-once";
    this.advance();
    if (this.#failure !== undefined) throw this.#failure;
  }

  private restart(reason: NoReading): void {
    this.#hasReading = false;
    this.#reason = reason;
    this.later("stop", Math.max(0, this.#busyUntilMs - this.#clock.nowMs()));
  }

  private later(step: Step, delayMs: number): void {
    this.#timer?.cancel();
    this.#step = step;
    this.#timer = this.#clock.setTimer(delayMs, this.#advanced);
  }

  private advance(): void {
    try {
      this.take(this.#step);
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof SensorIoError)) throw error;
      this.#failure = error;
      this.#hasReading = false;
      this.#reason = "starting";
      this.later("stop", retryMs);
    }
  }

  private take(step: Step): void {
    switch (step) {
      case "stop":
        this.send(Command.stopPeriodic, stopMs);
        this.later("ask-serial", stopMs);
        break;
      case "ask-serial":
        this.ask(Command.serialNumber, "check-serial");
        break;
      case "check-serial":
        this.checkSerial();
        break;
      case "check-variant":
        this.checkVariant();
        break;
      case "set-calibration":
        this.set(Command.setSelfCalibration, this.#settings.selfCalibration ? 1 : 0, "set-offset");
        break;
      case "set-offset": {
        const ticks = Math.round((this.#settings.temperatureOffset * 65535) / 175);
        this.set(Command.setTemperatureOffset, ticks, "set-altitude");
        break;
      }
      case "set-altitude":
        this.set(Command.setAltitude, this.#settings.altitude, "start");
        break;
      case "start":
        this.start();
        break;
      case "measure-once":
        this.send(Command.measureSingleShot, singleShotMs);
        this.later("ask-measurement", singleShotMs);
        break;
      case "ask-ready":
        this.ask(Command.dataReady, "check-ready");
        break;
      case "check-ready":
        this.checkReady();
        break;
      case "ask-measurement":
        this.ask(Command.readMeasurement, "take-measurement");
        break;
      case "take-measurement":
        this.takeMeasurement();
        break;
    }
  }

  /** Section 3.10.2: the serial number says that a Sensirion is there; anything else would fail its checksums. */
  private checkSerial(): void {
    if (!this.#words.receiveThree()) this.restartLater();
    else if (this.#settings.mode === "single-shot") this.ask(Command.variant, "check-variant");
    else this.take("set-calibration");
  }

  private checkVariant(): void {
    const isIntact = this.#words.receiveOne();
    const variant = this.#words.at(0);
    if (!isIntact) {
      this.restartLater();
    } else if (variant >> 12 !== variantScd40) {
      this.take("set-calibration");
    } else {
      this.close();
      this.#onError?.(
        new WrongSensorError(
          "SCD41",
          this.#bus.address,
          variant,
          "an SCD41 or SCD43, which have single shots",
        ),
      );
    }
  }

  private start(): void {
    this.#readAtMs = this.#clock.nowMs();
    this.#reason = "measuring";
    if (this.#settings.mode === "single-shot") {
      this.#step = "idle";
      return;
    }
    const isLowPower = this.#settings.mode === "low-power";
    this.send(isLowPower ? Command.startLowPowerPeriodic : Command.startPeriodic, shortMs);
    this.later("ask-ready", this.intervalMs);
  }

  /** Section 3.9.2: the low eleven bits tell. */
  private checkReady(): void {
    if (this.#words.receiveOne() && (this.#words.at(0) & 0x07ff) !== 0) {
      this.ask(Command.readMeasurement, "take-measurement");
    } else if (this.#clock.nowMs() - this.#readAtMs > missedIntervalsMax * this.intervalMs) {
      this.restart("restarted");
    } else {
      this.later("ask-ready", pollMs);
    }
  }

  /** Section 3.6.2. */
  private takeMeasurement(): void {
    this.#hasReading = this.#words.receiveThree();
    if (this.#settings.mode === "single-shot") this.#step = "idle";
    else this.later("ask-ready", this.intervalMs - pollMs);
    this.#reason = this.#hasReading ? "measuring" : "corrupt";
    if (!this.#hasReading) return;
    this.#readAtMs = this.#clock.nowMs();
    this.#co2 = this.#words.at(0) === 0 ? Number.NaN : this.#words.at(0);
    this.#temperature = (175 * this.#words.at(1)) / 65535 - 45;
    this.#humidity = this.#words.at(2) / 65535;
    this.#onSample?.();
  }

  private get intervalMs(): number {
    return IntervalMs[this.#settings.mode];
  }

  private restartLater(): void {
    this.#reason = "corrupt";
    this.later("stop", retryMs);
  }

  private ask(command: number, then: Step): void {
    this.send(command, shortMs);
    this.later(then, shortMs);
  }

  private send(command: number, executionMs: number): void {
    this.#words.send(command);
    this.#busyUntilMs = this.#clock.nowMs() + executionMs;
  }

  private set(command: number, word: number, then: Step): void {
    this.#words.sendWord(command, word);
    this.#busyUntilMs = this.#clock.nowMs() + shortMs;
    this.later(then, shortMs);
  }
}

export { Scd4x as default };

function emptySample(): Scd4xSample {
  return {
    carbonDioxideDetector: { CO2: Number.NaN },
    thermometer: { temperature: Number.NaN },
    hygrometer: { humidity: Number.NaN },
  };
}

function checkSettings({ mode, temperatureOffset, altitude }: Scd4xSettings): void {
  if (mode !== "periodic" && mode !== "low-power" && mode !== "single-shot") {
    throw new RangeError(`SCD4x: the mode is "periodic", "low-power" or "single-shot", not ${mode}.`);
  }
  if (!(temperatureOffset >= 0 && temperatureOffset <= 20)) {
    throw new RangeError(`SCD4x: temperatureOffset is 0 to 20 °C, not ${temperatureOffset}.`);
  }
  if (!(Number.isInteger(altitude) && altitude >= 0 && altitude <= 3000)) {
    throw new RangeError(`SCD4x: altitude is a whole number of metres from 0 to 3000, not ${altitude}.`);
  }
}
