/** What a simulated board keeps: its log, its small values and the firmware that is to run next, each in the parent's files. */
import type { FlashRegion, KeyValue, UpdateSlot } from "../ports.ts";
import { Call } from "./calls.ts";
import type { Parent } from "./parent.ts";

interface FlashCalls {
  readonly read: number;
  readonly write: number;
  readonly erase: number;
}

/** The log's partition. */
export const logCalls: FlashCalls = Object.freeze({
  read: Call.flashRead,
  write: Call.flashWrite,
  erase: Call.flashErase,
});
/** The slot that does not run. */
export const slotCalls: FlashCalls = Object.freeze({
  read: Call.slotRead,
  write: Call.slotWrite,
  erase: Call.slotErase,
});

/** The partition for kept blocks. */
export const keepCalls: FlashCalls = Object.freeze({
  read: Call.keepRead,
  write: Call.keepWrite,
  erase: Call.keepErase,
});

export class DesktopFlash implements FlashRegion {
  readonly sizeBytes: number;
  readonly sectorBytes: number;
  readonly alignBytes: number;
  readonly #parent: Parent;
  readonly #calls: FlashCalls;

  constructor(parent: Parent, calls: FlashCalls, sizeBytes: number, sectorBytes: number, alignBytes: number) {
    this.#parent = parent;
    this.#calls = calls;
    this.sizeBytes = sizeBytes;
    this.sectorBytes = sectorBytes;
    this.alignBytes = alignBytes;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    return this.#parent.call([this.#calls.read, offsetBytes, lengthBytes]) as Uint8Array;
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#parent.call([this.#calls.write, offsetBytes, bytes]);
  }

  eraseSector(sector: number): void {
    this.#parent.call([this.#calls.erase, sector]);
  }
}

export class DesktopKeyValue implements KeyValue {
  readonly #parent: Parent;

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  read(key: string): Uint8Array | undefined {
    return (this.#parent.call([Call.kvRead, key]) as Uint8Array | null) ?? undefined;
  }

  write(key: string, value: Uint8Array): void {
    this.#parent.call([Call.kvWrite, key, value]);
  }

  delete(key: string): void {
    this.#parent.call([Call.kvDelete, key]);
  }
}

export class DesktopUpdateSlot implements UpdateSlot {
  readonly region: FlashRegion;
  readonly isOnTrial: boolean;
  readonly #parent: Parent;

  constructor(parent: Parent, region: FlashRegion, isOnTrial: boolean) {
    this.#parent = parent;
    this.region = region;
    this.isOnTrial = isOnTrial;
  }

  get running(): Uint8Array {
    return this.#parent.call([Call.slotRunning]) as Uint8Array;
  }

  select(): void {
    this.#parent.call([Call.slotSelect]);
  }
}
