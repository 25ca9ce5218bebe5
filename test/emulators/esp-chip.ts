/**
 * A board with an ESP32, ESP32-S3 or ESP32-C3 at the end of a serial port, as a flasher meets it: the ROM's loader
 * and the stub's, flash, eFuses, the reset circuit, the cable, and what goes wrong with each.
 *
 * Nothing is executed: a stub runs when it was downloaded whole and entered, an application when its image in the
 * flash is sound. The board is powered by its cable.
 */
import { type ChipName, type ChipTraits, chipTable } from "./esp/chip-table.ts";
import { ChipCore, type ChipMode } from "./esp/core.ts";
import type { Faults } from "./faults.ts";
import { type Direction, SerialLine } from "./serial/line.ts";
import { PortServer } from "./serial/port-server.ts";
import { type ResetLines, transistorReset, usbSerialJtagReset } from "./serial/reset-lines.ts";

export interface ChipOptions {
  readonly chip: ChipName;
  /** A power of two from 256 KB; blank at first. */
  readonly flashBytes: number;
  /** Six bytes in hexadecimal with colons. */
  readonly mac?: string;
  /** major * 100 + minor. */
  readonly revision?: number;
  readonly efuses?: {
    readonly secureBoot?: boolean;
    readonly flashEncryption?: boolean;
    readonly secureDownload?: boolean;
  };
  /** What the port is: a bridge to the UART with the two transistors, or the chip's own USB-Serial/JTAG. */
  readonly usb?: "uart-bridge" | "usb-serial-jtag";
  readonly faults?: Faults;
  /** True: bytes, erases and programs take the time that they take on a board. */
  readonly paced?: boolean;
  /** What chance is drawn from. */
  readonly seed?: number;
}

export interface Counters {
  /** On the serial line, to the chip and from it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** By Espressif's names. */
  readonly commands: Readonly<Record<string, number>>;
  readonly erasedSectors: number;
  readonly programmedBytes: number;
  /** How often the chip started, the first time included. */
  readonly starts: number;
}

export class EmulatedChip {
  /** May be changed at any time; what counts down, counts down here. */
  readonly faults: Faults;
  readonly #core: ChipCore;
  readonly #line: SerialLine;
  readonly #port: PortServer;
  readonly #reset: ResetLines;
  #bootHeld = false;
  #typed: Uint8Array = new Uint8Array(0);
  #lines = { dtr: false, rts: false };

  constructor(options: ChipOptions) {
    const traits = chipTable[options.chip];
    check(options, traits);
    const { paced = false, usb = "uart-bridge" } = options;
    const native = usb === "usb-serial-jtag";
    this.faults = options.faults ?? {};
    this.#line = new SerialLine(
      !native,
      {
        toChip: (bytes) => {
          if (this.#core.mode === "download" || this.#core.mode === "stub") this.#core.hear(bytes);
          else this.#typed = Buffer.concat([this.#typed, bytes]);
        },
        toHost: (bytes) => this.#port.send(bytes),
        pulled: () => {
          this.#core.stop("off");
          this.#port.drop();
        },
      },
      { faults: this.faults, random: randomFrom(options.seed ?? 1), paced },
    );
    this.#core = new ChipCore({
      traits,
      efuses: efuseFacts(options, traits),
      portNumber: native ? traits.uartBuffer!.usbSerialJtag : 0,
      flashBytes: options.flashBytes,
      faults: this.faults,
      paced,
      bootHeld: () => this.#bootHeld,
      transmit: (bytes) => this.#line.send("to-host", bytes),
      setBaud: (baud) => this.#line.setChipBaud(baud),
    });
    this.#reset = this.#wireReset(native);
    this.#port = this.#makePort();
    this.#core.start("power-on", false);
  }

  /** The flash's bytes: what is set here was flashed before. */
  get flash(): Uint8Array {
    return this.#core.flash;
  }

  get mode(): ChipMode {
    return this.#core.mode;
  }

  get counters(): Counters {
    const { commands, erasedSectors, programmedBytes, starts } = this.#core;
    const bytes = { bytesIn: this.#line.passed("to-chip"), bytesOut: this.#line.passed("to-host") };
    return { ...bytes, commands: { ...commands }, erasedSectors, programmedBytes, starts };
  }

  /** What the program on it would say on its console; `rate` in bit/s, when it is not the ROM's. */
  say(text: string | Uint8Array, rate?: number): void {
    if (rate !== undefined) this.#line.setChipBaud(rate);
    this.#line.send("to-host", typeof text === "string" ? Buffer.from(text) : text);
  }

  /** What came on its console while no loader listened. */
  get typed(): Uint8Array {
    return this.#typed;
  }

  /** Opens the port on loopback, with control lines and rate (`url`) and as bare bytes at 115,200 (`socketUrl`). */
  listen(): Promise<{ readonly url: string; readonly socketUrl: string }> {
    return this.#port.listen();
  }

  /** Pulls the cable after so many more bytes in that direction: the port goes and the board has no power. */
  pull(afterBytes = 0, direction: Direction = "to-chip"): void {
    this.#line.pullAfter(afterBytes, direction);
  }

  /** Puts the cable back. */
  plug(): void {
    this.#line.plug();
    this.#core.start("power-on", false);
  }

  /** Off and on, with the cable in. */
  powerCycle(): void {
    this.#core.stop("off");
    if (this.#line.plugged) this.#core.start("power-on", false);
  }

  /** The button on IO0; what counts is where it is when the chip starts. */
  holdBoot(down: boolean): void {
    this.#bootHeld = down;
  }

  async close(): Promise<void> {
    this.#core.stop("off");
    await this.#port.close();
  }

  #wireReset(native: boolean): ResetLines {
    const pins = {
      hold: () => this.#core.stop("reset"),
      start: (download: boolean) => {
        if (this.#line.plugged) this.#core.start("pin", download);
      },
    };
    const wiring = () => wiringOf[this.faults.resetCircuit ?? "working"];
    return native ? usbSerialJtagReset(pins, wiring) : transistorReset(pins, wiring);
  }

  #makePort(): PortServer {
    const line = this.#line;
    return new PortServer({
      refusal: () => {
        if (!line.plugged) return "Device open failure: No such device";
        return this.faults.portBusy ? "Port already in use" : undefined;
      },
      opened: () => {
        line.hostBaud = usualBaud;
        this.#lines = { dtr: false, rts: false };
      },
      closed: () => this.#reset.release(),
      data: (bytes) => line.send("to-chip", bytes),
      setBaud: (baud) => {
        line.hostBaud = baud;
      },
      baud: () => line.hostBaud,
      setLines: (lines) => {
        this.#lines = { ...this.#lines, ...lines };
        this.#reset.set(this.#lines.dtr, this.#lines.rts);
      },
      lines: () => this.#lines,
    });
  }
}

function check({ flashBytes, usb, efuses }: ChipOptions, traits: ChipTraits): void {
  if (flashBytes < 0x40000 || (flashBytes & (flashBytes - 1)) !== 0)
    throw new RangeError(`a flash of ${flashBytes} bytes: its size is a power of two from 262,144`);
  if (usb === "usb-serial-jtag" && !traits.usbSerialJtag)
    throw new RangeError(`${traits.label} has no USB-Serial/JTAG`);
  if (efuses?.secureDownload && !traits.secureDownload)
    throw new RangeError(`${traits.label} has no Secure Download Mode`);
}

function efuseFacts({ mac = "24:0a:c4:00:00:01", revision, efuses = {} }: ChipOptions, traits: ChipTraits) {
  return {
    mac: Buffer.from(mac.replaceAll(":", ""), "hex"),
    revision: revision ?? traits.revision,
    secureBoot: efuses.secureBoot ?? false,
    flashEncryption: efuses.flashEncryption ?? false,
    secureDownload: efuses.secureDownload ?? false,
  };
}

/** From 0 to below 1: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const usualBaud = 115_200;
const wiringOf = { working: "both", absent: "none", "boot-pin-unwired": "enable-only" } as const;
