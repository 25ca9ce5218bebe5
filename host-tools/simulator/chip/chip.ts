/**
 * The chip of a simulated board: its flash, a folder with a raw file for each partition (none for one that is erased), and what its boot ROM
 * starts from there.
 *
 * A chip may come with Covey's own firmware, as if it had been flashed over its cable: it stands for the image in `ota_0` as long as nothing was
 * ever written there, so that a hundred boards need no hundred images.
 */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { UpdateSlot } from "../../../firmware/platform/ports.ts";
import type { BoardDescription } from "../../boards/boards.ts";
import { chips } from "../../chips/chips.ts";
import { ImageError } from "../../images/image-error.ts";
import { type AppInFlash, appInFlash } from "./app-in-flash.ts";
import { boot, markValid, selectNext } from "./boot.ts";
import { FlashFile, FlashFileError, nor } from "./flash-file.ts";
import { NvsValues } from "./nvs-values.ts";

export interface ChipOptions {
  /** Made where there is none. */
  readonly folder: string;
  readonly board: BoardDescription;
  /** The SHA-256 of Covey's own firmware, if the chip comes with it. */
  readonly ownFirmware: Uint8Array | undefined;
}

/** What runs. */
export interface Started {
  /** undefined for Covey's own firmware. */
  readonly app: AppInFlash | undefined;
  /** Name of the partition that it lies in. */
  readonly partition: string;
  readonly update: UpdateSlot;
}

export class SimulatedChip {
  readonly log: FlashFile;
  /** undefined for a kind of board without room for it. */
  readonly series: FlashFile | undefined;
  readonly values: NvsValues;
  /** What was damaged and is kept aside, a sentence each. */
  readonly warnings: readonly string[];
  readonly #otadata: FlashFile;
  readonly #slots: readonly FlashFile[];
  readonly #chipId: number;
  readonly #ownFirmware: Uint8Array | undefined;

  /** @throws {FlashFileError} when the flash can be neither used nor replaced */
  constructor({ folder, board, ownFirmware }: ChipOptions) {
    makeFolder(folder);
    const warnings: string[] = [];
    const sizeOf = (name: string) => board.partitions.find((each) => each.name === name)!.sizeBytes;
    const partition = (name: string) => {
      const { flash, warning } = FlashFile.open(join(folder, name), { sizeBytes: sizeOf(name), ...nor });
      if (warning !== undefined) warnings.push(warning);
      return flash;
    };
    this.log = partition("log");
    this.series = board.partitions.some(({ name }) => name === "series") ? partition("series") : undefined;
    this.#otadata = partition("otadata");
    this.#slots = slotNames.map(partition);
    const { values, warning } = NvsValues.open(join(folder, "nvs"), sizeOf("nvs"));
    if (warning !== undefined) warnings.push(warning);
    this.values = values;
    this.warnings = warnings;
    this.#chipId = chips[board.chip].id;
    this.#ownFirmware = ownFirmware;
  }

  /** undefined when nothing in the flash starts. Throws `FlashFileError`, and is closed then. */
  boot(): Started | undefined {
    try {
      return this.#start();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #start(): Started | undefined {
    const booted = boot(this.#otadata, this.#slots.length, (slot) => this.#trouble(slot) === undefined);
    this.#otadata.letGo();
    if (booted === undefined) return undefined;
    const { slot, isOnTrial } = booted;
    const app = this.#holdsOwnFirmware(slot) ? undefined : appInFlash(this.#slots[slot]!, this.#chipId);
    this.#slots[slot]!.letGo();
    const other = (slot + 1) % this.#slots.length;
    return {
      app,
      partition: slotNames[slot]!,
      update: {
        region: this.#slots[other]!,
        isOnTrial,
        running: app === undefined ? this.#ownFirmware! : (app.image.sha256 ?? digestOf(app)),
        select: () => this.#select(other),
      },
    };
  }

  /** Why nothing in its flash starts, for a sentence. */
  get trouble(): string {
    return slotNames.map((name, slot) => `${name}: ${this.#trouble(slot) ?? "sound"}`).join("; ");
  }

  /** Writes that met bytes which were not erased: broken promises of the firmware. */
  get wornWrites(): number {
    return this.#data.reduce((sum, { wornWrites }) => sum + wornWrites, 0);
  }

  /** The firmware that was selected works. */
  markValid(): void {
    markValid(this.#otadata);
    this.#otadata.letGo();
  }

  close(): void {
    for (const flash of [...this.#data, this.#otadata]) flash.close();
  }

  get #data(): readonly FlashFile[] {
    return [this.log, ...(this.series ? [this.series] : []), ...this.#slots];
  }

  #holdsOwnFirmware(slot: number): boolean {
    return this.#ownFirmware !== undefined && slot === 0 && this.#slots[slot]!.isUntouched;
  }

  #trouble(slot: number): string | undefined {
    if (this.#holdsOwnFirmware(slot)) return undefined;
    const region = this.#slots[slot]!;
    if (region.isUntouched) return "it is empty";
    try {
      appInFlash(region, this.#chipId);
      return undefined;
    } catch (error) {
      if (error instanceof ImageError) return error.problem;
      throw error;
    }
  }

  #select(slot: number): void {
    const trouble = this.#trouble(slot);
    if (trouble !== undefined)
      throw new RangeError(`What lies in ${slotNames[slot]} does not start: ${trouble}.`);
    selectNext(this.#otadata, slot, this.#slots.length);
  }
}

/** Of an image that has none of its own in it. */
function digestOf({ bytes }: AppInFlash): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** Every board's table has them: `boards/`. */
const slotNames = ["ota_0", "ota_1"] as const;

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FlashFileError(folder, (error as Error).message);
  }
}
