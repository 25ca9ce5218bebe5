/** An SCD4x as its data sheet describes it (version 1.7): commands, their times, what is refused and when. */
import type { Clock } from "../../../firmware/platform/ports.ts";
import type { SimulatedDevice } from "./simulated-i2c.ts";

type Words = readonly number[];

export class SimulatedScd4x implements SimulatedDevice {
  readonly #clock: Clock;
  #mode: "idle" | "periodic" | "low-power" = "idle";
  #busyUntilMs = 0;
  #nextAtMs = Infinity;
  #measurement: Words | undefined;
  #incoming: number[] = [];
  #answer: number[] = [];
  /** 3.10.6: the data sheet's SCD41. */
  variant = 0x1440;
  /** CO2, temperature, humidity; those of the example in 3.6.2. */
  air: Words = [0x01f4, 0x6667, 0x5eb9];
  selfCalibration = 1;
  temperatureOffset = 0x05da;
  altitude = 0;
  /** Everything that was sent while it may not be. */
  readonly refused: number[][] = [];
  /** Changes bytes on their way out, to break them. */
  garble: (bytes: number[]) => number[] = (bytes) => bytes;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get mode(): string {
    return this.#mode;
  }

  powerUp(): void {
    this.#mode = "idle";
    this.#measurement = undefined;
    this.#nextAtMs = Infinity;
    this.#busyUntilMs = this.#clock.nowMs() + 30;
    this.selfCalibration = 1;
    this.temperatureOffset = 0x05da;
    this.altitude = 0;
  }

  /** As after a restart of the board alone: a single shot is under way. */
  beginSingleShot(): void {
    this.#busyUntilMs = this.#clock.nowMs() + 5000;
  }

  start(isRead: boolean): boolean {
    this.#live();
    this.#incoming = [];
    if (this.#clock.nowMs() < this.#busyUntilMs) {
      this.refused.push([isRead ? 1 : 0]);
      return false;
    }
    return !isRead || this.#answer.length > 0;
  }

  write(byte: number): boolean {
    this.#incoming.push(byte);
    return true;
  }

  /** Past its answer a device leaves the wire alone: ones. */
  read(): number {
    return this.#answer.shift() ?? 0xff;
  }

  stop(): void {
    if (this.#incoming.length === 0) {
      this.#answer = [];
      return;
    }
    const [high = 0, low = 0, ...parameter] = this.#incoming;
    this.#execute((high << 8) | low, parameter);
  }

  /** 3.5, table 9. */
  #execute(command: number, parameter: number[]): void {
    if (this.#mode !== "idle" && ![0xec05, 0x3f86, 0xe4b8].includes(command)) {
      this.refused.push([command]);
      return;
    }
    this.#answer = [];
    switch (command) {
      case 0x21b1:
        this.#begin("periodic", 5000);
        break;
      case 0x21ac:
        this.#begin("low-power", 30_000);
        break;
      case 0x3f86:
        this.#mode = "idle";
        this.#nextAtMs = Infinity;
        this.#work(500);
        break;
      case 0x219d:
        // 3.11: not for the SCD40, which does nothing.
        if (this.variant >> 12 === 0) break;
        this.#measurement = this.air;
        this.#work(5000);
        break;
      case 0xe4b8:
        this.#reply([this.#measurement === undefined ? 0x8000 : 0x8006]);
        break;
      case 0xec05:
        // 3.6.2: an empty buffer is refused at the read.
        if (this.#measurement !== undefined) this.#reply(this.#measurement);
        this.#measurement = undefined;
        this.#work(1);
        break;
      case 0x3682:
        this.#reply([0xf896, 0x9f07, 0x3bbe]);
        break;
      case 0x202f:
        this.#reply([this.variant]);
        break;
      case 0x2416:
        this.selfCalibration = wordOf(parameter) ?? this.selfCalibration;
        this.#work(1);
        break;
      case 0x241d:
        this.temperatureOffset = wordOf(parameter) ?? this.temperatureOffset;
        this.#work(1);
        break;
      case 0x2427:
        this.altitude = wordOf(parameter) ?? this.altitude;
        this.#work(1);
        break;
      default:
        this.refused.push([command]);
    }
  }

  #begin(mode: "periodic" | "low-power", intervalMs: number): void {
    this.#mode = mode;
    this.#measurement = undefined;
    this.#nextAtMs = this.#clock.nowMs() + intervalMs;
  }

  #reply(words: Words): void {
    this.#answer = this.garble(words.flatMap((word) => [word >> 8, word & 0xff, checksum(word)]));
    this.#work(1);
  }

  #work(ms: number): void {
    this.#busyUntilMs = this.#clock.nowMs() + ms;
  }

  #live(): void {
    while (this.#clock.nowMs() >= this.#nextAtMs) {
      this.#measurement = this.air;
      this.#nextAtMs += this.#mode === "periodic" ? 5000 : 30_000;
    }
  }
}

/** 3.3: a word without its right checksum is not taken. */
function wordOf([high, low, crc]: number[]): number | undefined {
  if (high === undefined || low === undefined) return undefined;
  const word = (high << 8) | low;
  return crc === checksum(word) ? word : undefined;
}

/** 3.12, by long division of the word's bits, begun with 0xFF over the first eight. */
function checksum(word: number): number {
  let remainder = (word ^ 0xff00) * 0x100;
  for (let bit = 23; bit >= 8; bit--) {
    if ((remainder & (1 << bit)) !== 0) remainder ^= 0x131 << (bit - 8);
  }
  return remainder;
}
