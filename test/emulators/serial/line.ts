/**
 * The wire between the host's UART and the chip's, byte by byte: each end has its rate, and where they differ the
 * other hears noise. Bytes get lost or turned, and the cable can be pulled between any two.
 */
import type { Faults } from "../faults.ts";

export type Direction = "to-chip" | "to-host";

export interface LineEnds {
  toChip(bytes: Uint8Array): void;
  toHost(bytes: Uint8Array): void;
  /** The cable is out: after this nothing passes until `plug`. */
  pulled(): void;
}

export interface LineConditions {
  readonly faults: Faults;
  /** From 0 to below 1. */
  random(): number;
  /** True: a byte takes ten bits' time. */
  readonly paced: boolean;
}

export class SerialLine {
  /** In bit/s. */
  hostBaud = 115_200;
  #chipBaud = 115_200;
  #followsHost = false;
  /** False for USB, which has no rate. */
  readonly #rated: boolean;
  readonly #ends: LineEnds;
  readonly #conditions: LineConditions;
  #plugged = true;
  #cut: { direction: Direction; bytes: number } | undefined;
  readonly #passed = { "to-chip": 0, "to-host": 0 };
  readonly #freeAtMs = { "to-chip": 0, "to-host": 0 };

  constructor(rated: boolean, ends: LineEnds, conditions: LineConditions) {
    this.#rated = rated;
    this.#ends = ends;
    this.#conditions = conditions;
  }

  /** Bytes that set out in a direction so far, also those that were lost. */
  passed(direction: Direction): number {
    return this.#passed[direction];
  }

  /** "found": the chip measures the rate of what it hears first, and keeps it. */
  setChipBaud(baud: number | "found"): void {
    this.#followsHost = baud === "found";
    if (baud !== "found") this.#chipBaud = baud;
  }

  get plugged(): boolean {
    return this.#plugged;
  }

  /** Pulls the cable when `bytes` more have passed. */
  pullAfter(bytes: number, direction: Direction): void {
    this.#cut = { direction, bytes };
    if (bytes === 0) this.#pull();
  }

  plug(): void {
    this.#plugged = true;
  }

  send(direction: Direction, bytes: Uint8Array): void {
    if (!this.#plugged || bytes.length === 0) return;
    const maxBaud = this.#conditions.faults.maxBaud ?? Number.POSITIVE_INFINITY;
    if (this.#followsHost && direction === "to-chip" && this.hostBaud <= maxBaud) {
      this.#followsHost = false;
      this.#chipBaud = this.hostBaud;
    }
    const baud = direction === "to-chip" ? this.hostBaud : this.#chipBaud;
    const other = direction === "to-chip" ? this.#chipBaud : this.hostBaud;
    const clear = !this.#rated || (Math.abs(baud - other) <= other * 0.03 && baud <= maxBaud);
    if (!this.#conditions.paced) {
      this.#pass(direction, bytes, clear);
      return;
    }
    const now = performance.now();
    const start = Math.max(now, this.#freeAtMs[direction]);
    const end = start + (bytes.length * 10_000) / (this.#rated ? baud : usbBitsPerSecond);
    this.#freeAtMs[direction] = end;
    setTimeout(() => this.#pass(direction, bytes, clear), end - now);
  }

  #pass(direction: Direction, bytes: Uint8Array, clear: boolean): void {
    if (!this.#plugged) return;
    let passing = bytes;
    const cut = this.#cut;
    const cutNow = cut !== undefined && cut.direction === direction && cut.bytes <= bytes.length;
    if (cutNow) passing = bytes.subarray(0, cut.bytes);
    else if (cut?.direction === direction) cut.bytes -= bytes.length;
    const heard = clear ? this.#damage(direction, passing) : this.#noise(passing.length);
    this.#passed[direction] += passing.length;
    if (heard.length > 0) {
      if (direction === "to-chip") this.#ends.toChip(heard);
      else this.#ends.toHost(heard);
    }
    if (cutNow) this.#pull();
  }

  #pull(): void {
    this.#cut = undefined;
    this.#plugged = false;
    this.#freeAtMs["to-chip"] = 0;
    this.#freeAtMs["to-host"] = 0;
    this.#ends.pulled();
  }

  #damage(direction: Direction, bytes: Uint8Array): Uint8Array {
    const { toChip, toHost } = this.#conditions.faults;
    const faults = direction === "to-chip" ? toChip : toHost;
    if (faults === undefined) return bytes;
    const first = this.#passed[direction];
    const heard: number[] = [];
    bytes.forEach((byte, index) => {
      const at = first + index;
      if (faults.lost?.includes(at) || this.#strikes(faults.lostPerMillion)) return;
      const flipped = faults.flipped?.includes(at) || this.#strikes(faults.flippedPerMillion);
      heard.push(flipped ? byte ^ (1 << Math.floor(this.#conditions.random() * 8)) : byte);
    });
    return Uint8Array.from(heard);
  }

  #strikes(perMillion: number | undefined): boolean {
    return perMillion !== undefined && this.#conditions.random() * 1_000_000 < perMillion;
  }

  #noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#conditions.random() * 256));
  }
}

/** What full-speed USB carries of a CDC port's data, roughly. */
const usbBitsPerSecond = 8_000_000;
