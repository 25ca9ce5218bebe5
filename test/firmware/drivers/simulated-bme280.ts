/** A BME280 as its data sheet describes it (BST-BME280-DS002): registers, power modes, and the time that things take. */
import type { Clock } from "../../../firmware/platform/ports.ts";
import type { SimulatedDevice } from "./simulated-i2c.ts";

/** Calibration words of table 16. */
export interface Calibration {
  readonly t: readonly [number, number, number];
  readonly p: readonly [number, number, number, number, number, number, number, number, number];
  readonly h: readonly [number, number, number, number, number, number];
}

export interface RawReading {
  readonly temperature: number;
  readonly pressure: number;
  readonly humidity: number;
}

export class SimulatedBme280 implements SimulatedDevice {
  readonly #clock: Clock;
  readonly #registers = new Uint8Array(256);
  #pointer = 0;
  #isPointerSet = false;
  #isReading = false;
  #loadedAtMs = 0;
  #measuredAtMs = Infinity;
  /** 5.4.3: what counts of `ctrl_hum` is what it was when `ctrl_meas` was written last. */
  #humidityOversampling = 0;
  #data = new Uint8Array(8);
  /** 4.1: a burst sees one measurement, even if another ends meanwhile. */
  #shadow = new Uint8Array(8);
  raw: RawReading = { temperature: 0x80000, pressure: 0x80000, humidity: 0x8000 };
  id = 0x60;
  measurements = 0;
  /** 5.4.4: how long the calibration takes to load; at most 2 ms of a good chip. */
  loadMs = 2;

  constructor(clock: Clock, calibration: Calibration) {
    this.#clock = clock;
    this.calibrate(calibration);
    this.powerUp();
  }

  calibrate({ t, p, h }: Calibration): void {
    const words = new DataView(this.#registers.buffer);
    for (const [i, word] of [...t, ...p].entries()) words.setInt16(0x88 + 2 * i, word, true);
    words.setUint8(0xa1, h[0]);
    words.setInt16(0xe1, h[1], true);
    words.setUint8(0xe3, h[2]);
    words.setInt8(0xe4, h[3] >> 4);
    words.setUint8(0xe5, (h[3] & 0x0f) | ((h[4] & 0x0f) << 4));
    words.setInt8(0xe6, h[4] >> 4);
    words.setInt8(0xe7, h[5]);
  }

  /** Power-on reset, also by the word 0xB6 (5.4.2). */
  powerUp(): void {
    this.#registers.fill(0, 0xf2, 0xf6);
    this.#data.set([0x80, 0, 0, 0x80, 0, 0, 0x80, 0]);
    this.#humidityOversampling = 0;
    this.#measuredAtMs = Infinity;
    this.#loadedAtMs = this.#clock.nowMs() + this.loadMs;
  }

  get mode(): number {
    this.#live();
    return this.#registers[0xf4]! & 3;
  }

  /** What counts now, as tables 20, 23, 24, 27 and 28 read the registers. */
  get settings(): object {
    const control = this.#registers[0xf4]!;
    const config = this.#registers[0xf5]!;
    return {
      temperatureOversampling: factorOf(control >> 5),
      pressureOversampling: factorOf((control >> 2) & 7),
      humidityOversampling: factorOf(this.#humidityOversampling),
      filter: [0, 2, 4, 8, 16][(config >> 2) & 7],
      standbyMs: standbyMsOf(config),
    };
  }

  start(isRead: boolean): boolean {
    this.#live();
    this.#isReading = isRead;
    this.#isPointerSet = false;
    this.#shadow = this.#data.slice();
    return true;
  }

  /** 6.2.1: pairs of register and value. */
  write(byte: number): boolean {
    if (!this.#isPointerSet) {
      this.#pointer = byte;
      this.#isPointerSet = true;
      return true;
    }
    this.#isPointerSet = false;
    this.#set(this.#pointer, byte);
    return true;
  }

  /** 6.2.2: from the register's address upward. */
  read(): number {
    const register = this.#pointer++ & 0xff;
    if (register === 0xd0) return this.id;
    if (register === 0xf3) return this.#status();
    if (register >= 0xf7 && register <= 0xfe) return this.#shadow[register - 0xf7]!;
    // 4.2.2: until the calibration is loaded, it is not there.
    if ((register < 0xa2 || (register >= 0xe1 && register < 0xf0)) && this.#isLoading()) return 0;
    return this.#registers[register]!;
  }

  stop(): void {
    if (!this.#isReading) this.#isPointerSet = false;
  }

  #isLoading(): boolean {
    return this.#clock.nowMs() < this.#loadedAtMs;
  }

  #isMeasuring(): boolean {
    return this.#clock.nowMs() >= this.#measuredAtMs - this.#measureMs();
  }

  #status(): number {
    return (this.#isMeasuring() ? 0x08 : 0) | (this.#isLoading() ? 0x01 : 0);
  }

  #set(register: number, value: number): void {
    if (register === 0xe0 && value === 0xb6) this.powerUp();
    if (register === 0xf2) this.#registers[0xf2] = value & 0x07;
    // 5.4.6: writes to config may be ignored in normal mode; this chip ignores all of them.
    if (register === 0xf5 && (this.#registers[0xf4]! & 3) === 0) this.#registers[0xf5] = value & 0xfd;
    if (register === 0xf4) this.#control(value);
  }

  /** 3.3.1: what is written to ctrl_meas during a measurement is ignored. */
  #control(value: number): void {
    if (this.#isMeasuring()) return;
    this.#registers[0xf4] = value;
    this.#humidityOversampling = this.#registers[0xf2]!;
    this.#measuredAtMs = (value & 3) === 0 ? Infinity : this.#clock.nowMs() + this.#measureMs();
  }

  /** 9.1, maximum. */
  #measureMs(): number {
    const temperature = factorOf(this.#registers[0xf4]! >> 5);
    const pressure = factorOf((this.#registers[0xf4]! >> 2) & 7);
    const humidity = factorOf(this.#humidityOversampling);
    return (
      1.25 + 2.3 * (temperature + pressure + humidity) + 0.575 * (Number(pressure > 0) + Number(humidity > 0))
    );
  }

  /** Brings the chip to the present: ends a measurement, goes to sleep or begins the next. */
  #live(): void {
    if (this.#clock.nowMs() < this.#measuredAtMs) return;
    this.measurements++;
    const { temperature, pressure, humidity } = this.raw;
    const control = this.#registers[0xf4]!;
    const t = control >> 5 === 0 ? 0x80000 : temperature;
    const p = ((control >> 2) & 7) === 0 ? 0x80000 : pressure;
    const h = this.#humidityOversampling === 0 ? 0x8000 : humidity;
    this.#data.set([p >> 12, p >> 4, p << 4, t >> 12, t >> 4, t << 4, h >> 8, h]);
    if ((control & 3) === 3) {
      const standbyMs = standbyMsOf(this.#registers[0xf5]!);
      this.#measuredAtMs = this.#clock.nowMs() + standbyMs + this.#measureMs();
    } else {
      this.#registers[0xf4] = control & 0xfc;
      this.#measuredAtMs = Infinity;
    }
  }
}

function factorOf(code: number): number {
  return code === 0 ? 0 : 2 ** (Math.min(code, 5) - 1);
}

function standbyMsOf(config: number): number {
  return [0.5, 62.5, 125, 250, 500, 1000, 10, 20][config >> 5]!;
}
