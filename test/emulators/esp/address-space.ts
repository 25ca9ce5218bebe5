/**
 * What READ_REG and WRITE_REG see: RAM, eFuses, the SPI controller with the flash behind it, the RTC watchdog.
 */
import { type ChipTraits, type EfuseFacts, magicRegister } from "./chip-table.ts";

export interface Peripherals {
  /** JEDEC id of the flash. */
  flashId(): number;
  /** The RTC watchdog bites after `ms`, undefined when it was switched off. */
  watchdog(ms: number | undefined): void;
}

export class AddressSpace {
  readonly #traits: ChipTraits;
  readonly #peripherals: Peripherals;
  readonly #fixed: Map<number, number>;
  readonly #words = new Map<number, number>();
  /** What was downloaded into RAM since the reset, by first address. */
  #loaded: { readonly from: number; readonly to: number }[] = [];

  constructor(traits: ChipTraits, facts: EfuseFacts, port: number, peripherals: Peripherals) {
    this.#traits = traits;
    this.#peripherals = peripherals;
    this.#fixed = traits.efuseWords(facts);
    this.#fixed.set(magicRegister, traits.magic);
    if (traits.uartBuffer !== undefined) this.#fixed.set(traits.uartBuffer.address, port);
  }

  /** RAM and registers after a reset; eFuses are for ever. */
  reset(): void {
    this.#words.clear();
    this.#loaded = [];
  }

  read(address: number): number {
    const word = address & ~3;
    return (this.#fixed.get(word >>> 0) ?? this.#words.get(word >>> 0) ?? 0) >>> 0;
  }

  write(address: number, value: number): void {
    const word = (address & ~3) >>> 0;
    if (this.#fixed.has(word)) return;
    this.#words.set(word, value >>> 0);
    const { spi, watchdog } = this.#traits;
    if (word === spi.base && (value & spiUserCommand) !== 0) this.#runSpi();
    if (word === watchdog.config0) this.#watchdog(value);
  }

  /** Bytes of a download, at any address. */
  load(address: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const word = ((address + i) & ~3) >>> 0;
      const shift = ((address + i) & 3) * 8;
      const old = this.#words.get(word) ?? 0;
      this.#words.set(word, ((old & ~(0xff << shift)) | (bytes[i]! << shift)) >>> 0);
    }
    this.#loaded.push({ from: address >>> 0, to: (address + bytes.length) >>> 0 });
  }

  /** Whether code was downloaded to where it is to be run. */
  isLoaded(entry: number): boolean {
    return this.#loaded.some(({ from, to }) => entry >= from && entry < to);
  }

  /** One transaction of the SPI controller: the command in USR2, up to a word of answer in W0. */
  #runSpi(): void {
    const { base, usr2, w0 } = this.#traits.spi;
    this.#words.set(base, 0);
    const command = this.read(base + usr2) & 0xff;
    if (command === readJedecId) this.#words.set(base + w0, this.#peripherals.flashId());
    else if (command === readStatus) this.#words.set(base + w0, 0);
    else if (command !== writeEnable && command !== writeDisable) this.#words.set(base + w0, 0xffffffff);
  }

  #watchdog(config: number): void {
    const { config1, protect } = this.#traits.watchdog;
    if (this.read(protect) !== watchdogKey) return;
    const on = (config & 0x80000000) !== 0;
    this.#peripherals.watchdog(on ? this.read(config1) / slowClockKHz : undefined);
  }
}

const spiUserCommand = 1 << 18;
const [writeDisable, readStatus, writeEnable, readJedecId] = [0x04, 0x05, 0x06, 0x9f];
const watchdogKey = 0x50d83aa1;
/** The RTC's RC oscillator. */
const slowClockKHz = 136;
