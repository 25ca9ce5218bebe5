/** What a loader, ROM or stub, has of the chip that it runs on. */
import type { AddressSpace } from "../esp/address-space.ts";
import type { ChipTraits } from "../esp/chip-table.ts";
import type { NorFlash } from "../esp/nor-flash.ts";

export interface Machine {
  readonly traits: ChipTraits;
  readonly flash: NorFlash;
  readonly space: AddressSpace;
  readonly efuses: {
    readonly secureBoot: boolean;
    readonly flashEncryption: boolean;
    readonly secureDownload: boolean;
  };
  /** One packet out, framed. */
  send(packet: Uint8Array): void;
  /** The next packet that comes in; undefined when the chip was reset. */
  receive(): Promise<Uint8Array | undefined>;
  /** In bit/s, from the next byte on. */
  setBaud(baud: number): void;
  /** MD5 of a piece of flash, wrong when that fault is on. */
  md5(offset: number, length: number): Uint8Array;
  /** The chip starts again and boots from flash, or from the boot pin if it is held. */
  restart(): void;
  /** Jumps to code in RAM. */
  run(entry: number): void;
}

/** A loader is fed one packet at a time and waits for nothing else. */
export interface Loader {
  /** The longest packet that it has room for. */
  readonly maxPacketBytes: number;
  /** What its receiver makes of two 0xC0 in a row: see `SlipReader`. */
  readonly endsEmptyFrames: boolean;
  handle(packet: Uint8Array): Promise<void>;
}
