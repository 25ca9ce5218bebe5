/**
 * Bosch BME280: temperature, relative humidity and pressure of the air, over I2C.
 *
 * Data sheet: BST-BME280-DS002, https://www.bosch-sensortec.com/products/environmental-sensors/humidity-sensors-bme280/
 * (section numbers are those of revision 1.6).
 *
 * In normal mode the chip measures by itself and `sample()` reads what it measured last. In forced mode it sleeps;
 * `sample()` then begins one measurement and returns undefined, `onSample` tells when it is done, and the next
 * `sample()` returns it. A chip that was without power for a moment is recognised by its settings and set up again.
 */
import type { Clock, Timer } from "../platform/ports.ts";
import { Bme280Compensation } from "./bme280-compensation.ts";
import {
  type Bme280Settings,
  checkSettings,
  configOf,
  defaultSettings,
  humidityControlOf,
  measurementControlOf,
  measurementMsMax,
} from "./bme280-settings.ts";
import { type NoReading, SensorBus, SensorIoError, type SensorOptions, WrongSensorError } from "./sensor.ts";

/** Section 5.3, memory map. */
const Register = Object.freeze({
  calibrationLow: 0x88,
  id: 0xd0,
  reset: 0xe0,
  calibrationHigh: 0xe1,
  controlHumidity: 0xf2,
  controlMeasurement: 0xf4,
  config: 0xf5,
  data: 0xf7,
});

/** Section 5.4.1. */
const chipId = 0x60;
/** Section 5.4.2: the word that resets the chip as switching it on does. */
const resetWord = 0xb6;
/** Section 5.4.4, register `status`. */
const Status = Object.freeze({ measuring: 0x08, loadingCalibration: 0x01 });
/** Section 5.4.5, `mode` in `ctrl_meas`. */
const Mode = Object.freeze({ sleep: 0, forced: 1, normal: 3 });

/** Section 1.1, table 1: start-up takes 2 ms; more, because a timer of a board may be early by one. */
const startUpMs = 4;
/** Beyond it, a calibration that is still being loaded is no calibration. */
const startUpTriesMax = 10;

/** Section 1, operating range. */
const Rated = Object.freeze({ celsiusMin: -40, celsiusMax: 85, pascalMin: 30_000, pascalMax: 110_000 });

/** The sub-objects and units of ECMA-419's sensor classes. What is skipped or out of range is NaN. */
export interface Bme280Sample {
  /** °C */
  thermometer: { temperature: number };
  /** Relative humidity, 0 to 1. */
  hygrometer: { humidity: number };
  /** Pascal */
  barometer: { pressure: number };
}

type State = "starting" | "ready" | "lost" | "closed";

export class Bme280 {
  readonly #bus: SensorBus;
  readonly #clock: Clock;
  readonly #onSample: (() => void) | undefined;
  readonly #onError: ((error: Error) => void) | undefined;
  readonly #pointer = new Uint8Array(1);
  readonly #setting = new Uint8Array(2);
  /** Registers 0xF2 to 0xF5. */
  readonly #control = new Uint8Array(4);
  /** Registers 0xF7 to 0xFE. */
  readonly #data = new Uint8Array(8);

  #settings = defaultSettings;
  #compensation: Bme280Compensation | undefined;
  #state: State = "starting";
  #startUpTries = 0;
  /** A measurement in forced mode was begun and not read. */
  #isForced = false;
  #readyAtMs = 0;
  #timer: Timer | undefined;
  #reason: NoReading | undefined;

  /**
   * Resets the sensor; readings follow some milliseconds later.
   *
   * @throws SensorIoError when nothing answers, WrongSensorError when something else does
   */
  constructor(options: SensorOptions) {
    this.#bus = new SensorBus("BME280", options.sensor, { address: 0x76, hz: 400_000 });
    this.#clock = options.clock;
    this.#onSample = options.onSample;
    this.#onError = options.onError;
    try {
      this.checkId();
      this.reset();
    } catch (error) {
      this.#bus.close();
      throw error;
    }
  }

  /** Why the last `sample()` gave nothing, or NaN. */
  get reason(): NoReading | undefined {
    return this.#reason;
  }

  /**
   * Changes settings; those that are left out stay. The sensor starts anew with them.
   *
   * @throws RangeError for a setting that the chip does not have, SensorIoError when it does not answer
   */
  configure(settings: Partial<Bme280Settings>): void {
    const wanted: Bme280Settings = { ...this.#settings, ...settings };
    checkSettings(wanted);
    this.#settings = wanted;
    if (this.#state !== "closed") this.reset();
  }

  /**
   * The reading, written into `into` where given; undefined, and `reason`, when there is none.
   *
   * @throws SensorIoError when the sensor does not answer; the next call tries again
   */
  sample(into: Bme280Sample = emptySample()): Bme280Sample | undefined {
    if (this.#state === "closed") return this.without("closed");
    if (this.#state === "lost") {
      const isCorrupt = this.#reason === "corrupt";
      this.reset();
      return this.without(isCorrupt ? "corrupt" : "starting");
    }
    if (this.#state === "starting") return this.without("starting");

    this.readFrom(Register.controlHumidity, this.#control);
    if (!this.holdsSettings()) {
      this.reset();
      return this.without("restarted");
    }
    if (this.#settings.mode === "forced" && !this.#isForced) {
      this.force();
      return this.without("measuring");
    }
    if (this.#clock.nowMs() < this.#readyAtMs) return this.without("measuring");
    if (this.#isForced && (this.#control[1]! & Status.measuring) !== 0) return this.without("measuring");
    this.#isForced = false;
    this.readFrom(Register.data, this.#data);
    this.evaluate(into);
    return into;
  }

  /** Puts the sensor to sleep, if it answers, and lets the bus go. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    if (this.#bus.isOpen) {
      try {
        this.set(Register.reset, resetWord);
      } catch {
        // It is gone already.
      }
    }
    this.#bus.close();
    this.#state = "closed";
  }

  private without(reason: NoReading): undefined {
    this.#reason = reason;
    return undefined;
  }

  private reset(): void {
    this.#timer?.cancel();
    this.#isForced = false;
    this.#state = "lost";
    this.set(Register.reset, resetWord);
    this.#state = "starting";
    this.#startUpTries = 0;
    this.#timer = this.#clock.setTimer(startUpMs, () => this.startUp());
  }

  private startUp(): void {
    try {
      this.checkId();
      this.readFrom(Register.controlHumidity, this.#control);
      if ((this.#control[1]! & Status.loadingCalibration) !== 0) {
        if (++this.#startUpTries === startUpTriesMax) this.lose("corrupt");
        else this.#timer = this.#clock.setTimer(startUpMs, () => this.startUp());
        return;
      }
      const compensation = this.readCalibration();
      if (!compensation.isPlausible) {
        this.lose("corrupt");
        return;
      }
      this.#compensation = compensation;
      this.applySettings();
      this.#state = "ready";
    } catch (error) {
      if (error instanceof WrongSensorError) {
        this.close();
        this.#onError?.(error);
      } else if (error instanceof SensorIoError) {
        // There is nobody here to tell; the next sample() begins again, and throws if it is still gone.
        this.lose("starting");
      } else {
        throw error;
      }
    }
  }

  private lose(reason: NoReading): void {
    this.#state = "lost";
    this.#reason = reason;
  }

  private checkId(): void {
    const id = this.#data.subarray(0, 1);
    this.readFrom(Register.id, id);
    if (id[0] !== chipId) throw new WrongSensorError("BME280", this.#bus.address, id[0]!, "0x60");
  }

  private readCalibration(): Bme280Compensation {
    const low = new Uint8Array(26);
    const high = new Uint8Array(7);
    this.readFrom(Register.calibrationLow, low);
    this.readFrom(Register.calibrationHigh, high);
    return new Bme280Compensation(low, high);
  }

  /**
   * Out of reset the chip sleeps, and only then does it heed every write to `config` (5.4.6); `ctrl_hum` counts from the
   * next write to `ctrl_meas` on (5.4.3), so that comes last.
   */
  private applySettings(): void {
    this.set(Register.config, configOf(this.#settings));
    this.set(Register.controlHumidity, humidityControlOf(this.#settings));
    const mode = this.#settings.mode === "normal" ? Mode.normal : Mode.sleep;
    this.set(Register.controlMeasurement, measurementControlOf(this.#settings) | mode);
    this.#readyAtMs = this.#clock.nowMs() + measurementMsMax(this.#settings);
  }

  /** False after a loss of power: temperature is then skipped (5.4.5), which no settings of ours do. */
  private holdsSettings(): boolean {
    const mode = this.#settings.mode === "normal" ? Mode.normal : this.#control[2]! & 3;
    return (
      (this.#control[0]! & 0x07) === humidityControlOf(this.#settings) &&
      this.#control[2] === (measurementControlOf(this.#settings) | mode) &&
      (this.#control[3]! & 0xfc) === configOf(this.#settings)
    );
  }

  private force(): void {
    this.set(Register.controlMeasurement, measurementControlOf(this.#settings) | Mode.forced);
    this.#isForced = true;
    const delayMs = measurementMsMax(this.#settings);
    this.#readyAtMs = this.#clock.nowMs() + delayMs;
    if (this.#onSample !== undefined) this.#timer = this.#clock.setTimer(delayMs, this.#onSample);
  }

  /** Sections 4 and 5.4.7 to 5.4.9: three bytes of pressure, three of temperature, two of humidity, high byte first. */
  private evaluate(into: Bme280Sample): void {
    const data = this.#data;
    const compensation = this.#compensation!;
    const temperature = compensation.temperature((data[3]! << 12) | (data[4]! << 4) | (data[5]! >> 4));
    const isRated = temperature >= Rated.celsiusMin && temperature <= Rated.celsiusMax;
    let pressure = Number.NaN;
    let humidity = Number.NaN;
    this.#reason = isRated ? undefined : "out-of-range";
    if (isRated && this.#settings.pressureOversampling !== 0) {
      const pascal = compensation.pressure((data[0]! << 12) | (data[1]! << 4) | (data[2]! >> 4));
      if (pascal >= Rated.pascalMin && pascal <= Rated.pascalMax) pressure = pascal;
      else this.#reason = "out-of-range";
    }
    if (isRated && this.#settings.humidityOversampling !== 0) {
      humidity = compensation.humidity((data[6]! << 8) | data[7]!);
    }
    into.thermometer.temperature = isRated ? temperature : Number.NaN;
    into.barometer.pressure = pressure;
    into.hygrometer.humidity = humidity;
  }

  /** Section 6.2.2: the register's address is written, then any number of bytes is read from there on. */
  private readFrom(register: number, into: Uint8Array): void {
    this.#pointer[0] = register;
    this.#bus.write(this.#pointer);
    this.#bus.read(into);
  }

  /** Section 6.2.1. */
  private set(register: number, value: number): void {
    this.#setting[0] = register;
    this.#setting[1] = value;
    this.#bus.write(this.#setting);
  }
}

export type { Bme280Settings };
export { Bme280 as default };

function emptySample(): Bme280Sample {
  return {
    thermometer: { temperature: Number.NaN },
    hygrometer: { humidity: Number.NaN },
    barometer: { pressure: Number.NaN },
  };
}
