/** The chip proper: it starts, runs the ROM's loader or a stub, or an application, and stops when power or EN goes. */
import type { Faults } from "../faults.ts";
import type { Loader, Machine } from "../loader/machine.ts";
import { commandName } from "../loader/packet.ts";
import { RomLoader } from "../loader/rom-loader.ts";
import { StubLoader } from "../loader/stub-loader.ts";
import { SlipReader, slipFrame } from "../serial/slip.ts";
import { AddressSpace } from "./address-space.ts";
import { boot } from "./boot.ts";
import type { ChipTraits, EfuseFacts, ResetCause } from "./chip-table.ts";
import { NorFlash, PowerLost } from "./nor-flash.ts";

/** "download": the ROM's loader. "no-image": the ROM found nothing to boot. "crashed": code ran that isn't there. */
export type ChipMode = "off" | "reset" | "download" | "stub" | "application" | "no-image" | "crashed";

export interface CoreSetup {
  readonly traits: ChipTraits;
  readonly efuses: EfuseFacts & { readonly secureDownload: boolean };
  /** What the ROM's variable for its port holds. */
  readonly portNumber: number;
  readonly flashBytes: number;
  readonly faults: Faults;
  /** Programs and erases take their time. */
  readonly paced: boolean;
  /** IO0 is held low by its button. */
  bootHeld(): boolean;
  /** Out of the UART. */
  transmit(bytes: Uint8Array): void;
  /** The UART's rate from now on; "found" when the ROM takes it from what the host sends first. */
  setBaud(baud: number | "found"): void;
}

export class ChipCore {
  readonly flash: Uint8Array;
  readonly commands: Record<string, number> = {};
  erasedSectors = 0;
  programmedBytes = 0;
  starts = 0;
  readonly #setup: CoreSetup;
  readonly #space: AddressSpace;
  #mode: ChipMode = "off";
  /** Counts lives: what was begun in an earlier one is void. */
  #life = 0;
  #loader: Loader | undefined;
  #slip = new SlipReader(0);
  #waiting: Uint8Array | undefined;
  #receiver: ((packet: Uint8Array | undefined) => void) | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(setup: CoreSetup) {
    this.#setup = setup;
    this.flash = new Uint8Array(setup.flashBytes).fill(0xff);
    this.#space = new AddressSpace(setup.traits, setup.efuses, setup.portNumber, {
      flashId: () => new NorFlash(this.flash, this.#flashHost(this.#life)).jedecId,
      watchdog: (ms) => this.#setWatchdog(ms),
    });
  }

  get mode(): ChipMode {
    return this.#mode;
  }

  /** No power, or EN held low: whatever ran is gone. */
  stop(mode: "off" | "reset"): void {
    this.#life++;
    this.#mode = mode;
    this.#loader = undefined;
    this.#waiting = undefined;
    clearTimeout(this.#watchdog);
    this.#receiver?.(undefined);
    this.#receiver = undefined;
  }

  start(cause: ResetCause, download: boolean): void {
    this.stop("reset");
    this.starts++;
    this.#space.reset();
    this.#setup.setBaud(romBaud);
    const { mode, lines } = boot(this.#setup.traits, cause, download || this.#setup.bootHeld(), this.flash);
    this.#setup.transmit(Buffer.from(lines, "latin1"));
    this.#mode = mode;
    if (mode !== "download") return;
    this.#setup.setBaud("found");
    void this.#serve(new RomLoader(this.#machine()));
  }

  /** Into the UART. */
  hear(bytes: Uint8Array): void {
    if (this.#loader === undefined) return;
    for (const packet of this.#slip.read(bytes)) {
      const receiver = this.#receiver;
      this.#receiver = undefined;
      if (receiver !== undefined) receiver(packet);
      // While one packet is worked on there is room for one more; what comes then is lost.
      else this.#waiting ??= packet;
    }
  }

  /** Feeds a loader until the chip stops or another loader takes over. */
  async #serve(loader: Loader): Promise<void> {
    const life = this.#life;
    this.#loader = loader;
    this.#slip = new SlipReader(loader.maxPacketBytes, loader.endsEmptyFrames);
    try {
      for (;;) {
        const packet = await this.#receive(life);
        if (packet === undefined) return;
        this.#count(packet);
        await loader.handle(packet);
        if (life !== this.#life || this.#loader !== loader) return;
      }
    } catch (error) {
      if (!(error instanceof PowerLost)) throw error;
    }
  }

  #count(packet: Uint8Array): void {
    if (packet.length < 2 || packet[0] !== 0) return;
    const name = commandName(packet[1]!);
    this.commands[name] = (this.commands[name] ?? 0) + 1;
  }

  #receive(life: number): Promise<Uint8Array | undefined> {
    if (life !== this.#life) return Promise.resolve(undefined);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) return Promise.resolve(waiting);
    return new Promise((resolve) => {
      this.#receiver = resolve;
    });
  }

  /** The chip as a loader of this life sees it; of a life that is over, nothing is heard any more. */
  #machine(): Machine {
    const life = this.#life;
    const setup = this.#setup;
    const living = (act: () => void) => {
      if (life === this.#life) act();
    };
    const flash = new NorFlash(this.flash, this.#flashHost(life));
    return {
      traits: setup.traits,
      flash,
      space: this.#space,
      efuses: setup.efuses,
      send: (packet) => living(() => setup.transmit(slipFrame(packet))),
      receive: () => this.#receive(life),
      setBaud: (baud) => living(() => setup.setBaud(baud)),
      md5: (offset, length) => {
        const digest = flash.md5(offset, length);
        if ((setup.faults.wrongMd5 ?? 0) > 0) {
          setup.faults.wrongMd5!--;
          digest[0]! ^= 0xff;
        }
        return digest;
      },
      restart: () => living(() => this.start("software", false)),
      run: (entry) => living(() => this.#run(entry)),
    };
  }

  /** Code in RAM is entered: a stub when it lies there, else nothing good. */
  #run(entry: number): void {
    if (!this.#space.isLoaded(entry)) {
      this.stop("reset");
      this.#mode = "crashed";
      return;
    }
    const stub = new StubLoader(this.#machine());
    this.#mode = "stub";
    void this.#serve(stub);
    stub.greet();
  }

  #flashHost(life: number): ConstructorParameters<typeof NorFlash>[1] {
    const { faults, paced } = this.#setup;
    return {
      badCells: () => new Set(faults.badCells),
      power: (what, bytes) => {
        if (life !== this.#life) return "off";
        if (this.#givesWay(what, bytes)) return "fails";
        if (what === "page") this.programmedBytes += bytes;
        else this.erasedSectors++;
        return "on";
      },
      failed: () => {
        delete faults.brownOut;
        this.start("brown-out", false);
      },
      busy: (what, count) => {
        const ms = what === "page" ? (paced ? pageMs : 0) : (faults.sectorEraseMs ?? (paced ? sectorMs : 0));
        return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms * count)) : undefined;
      },
    };
  }

  /** Counts down to the brown-out, if one is set. */
  #givesWay(what: "page" | "sector", bytes: number): boolean {
    const { faults } = this.#setup;
    const fault = faults.brownOut;
    if (fault === undefined) return false;
    if ("programmedBytes" in fault && what === "page") {
      if (fault.programmedBytes < bytes) return true;
      faults.brownOut = { programmedBytes: fault.programmedBytes - bytes };
    } else if ("erasedSectors" in fault && what === "sector") {
      if (fault.erasedSectors === 0) return true;
      faults.brownOut = { erasedSectors: fault.erasedSectors - 1 };
    }
    return false;
  }

  #setWatchdog(ms: number | undefined): void {
    clearTimeout(this.#watchdog);
    if (ms !== undefined) this.#watchdog = setTimeout(() => this.start("watchdog", false), ms);
  }
}

/** What the ROM begins with, and prints its lines at. */
const romBaud = 115_200;
/** Of a usual 4 MB part (Winbond W25Q32JV: 0.7 ms a page, 45 ms a sector). */
const pageMs = 0.7;
const sectorMs = 45;
