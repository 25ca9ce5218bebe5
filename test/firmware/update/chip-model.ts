/**
 * A chip as an update meets it, in memory, whose power may fail at any byte: two slots and otadata in NOR flash (`FlashModel`), small values that are written whole or not at
 * all, and the simulator's boot ROM. What a firmware does is written in its image.
 */
import type { FlashRegion, KeyValue, UpdateSlot } from "../../../firmware/platform/ports.ts";
import { writeAppDescriptor, writeAppImage } from "../../../host-tools/images/app-image.ts";
import { ImageError } from "../../../host-tools/images/image-error.ts";
import { type AppInFlash, appInFlash } from "../../../host-tools/simulator/chip/app-in-flash.ts";
import { boot, markValid, selectNext } from "../../../host-tools/simulator/chip/boot.ts";
import { FlashModel, PowerCut } from "../storage/flash-model.ts";

/** `good` catches up with its swarm, `deaf` never does, `crash` crashes at once. */
export type Behaviour = "good" | "deaf" | "crash";

const chipId = 5;
const sectorBytes = 4096;
const otaSectors = 2;
const slotCount = 2;

/** An app image of about `kilobytes`; `name` tells images apart. */
export function imageOf(name: string, behaviour: Behaviour, kilobytes = 24): Uint8Array {
  const descriptor = writeAppDescriptor({
    ...{ version: `${behaviour} ${name}`, project: "test", built: "Nov 23 2026 04:54:03", idfVersion: "v6" },
    ...{ secureVersion: 0, elfSha256: new Uint8Array(32) },
  });
  const filler = new Uint8Array(kilobytes * 1024 - 400).map(
    (_, i) => (i * 31 + name.length * 7 + (i >> 8)) & 0xff,
  );
  return writeAppImage({
    chipId,
    entry: 0,
    flash: { mode: 2, frequency: 0, sizeBytes: 4 * 1024 * 1024 },
    segments: [{ address: 0x3c000020, data: Buffer.concat([descriptor, filler]) }],
  });
}

export interface Running {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly slot: UpdateSlot;
}

export class ChipModel implements KeyValue {
  readonly flash: FlashModel;
  readonly slotSectors: number;
  /** Values take no more than so many bytes in all. */
  valueBytesMax = Infinity;
  #values: ReadonlyMap<string, Uint8Array>;

  constructor(flash: FlashModel, values: ReadonlyMap<string, Uint8Array>) {
    this.flash = flash;
    this.#values = values;
    this.slotSectors = (flash.sizeBytes / sectorBytes - otaSectors) / slotCount;
  }

  /** As a board that was flashed by cable. */
  static flashed(image: Uint8Array, slotSectors: number): ChipModel {
    const flash = FlashModel.blank(otaSectors + slotCount * slotSectors, sectorBytes);
    flash.bytes.set(image, otaSectors * sectorBytes);
    return new ChipModel(flash, new Map());
  }

  /** The same with full power. */
  copy(): ChipModel {
    return new ChipModel(this.flash.reboot(), this.#values);
  }

  /** Another image into the slot that runs first, over the cable; the small values stay. */
  reflash(image: Uint8Array): void {
    const { bytes } = this.flash;
    bytes.fill(0xff, 0, (otaSectors + this.slotSectors) * sectorBytes);
    bytes.set(image, otaSectors * sectorBytes);
  }

  /** What the boot ROM starts. Throws when there is nothing: the end of a board. */
  start(): Running {
    const otadata = this.region(0, otaSectors);
    const booted = boot(otadata, slotCount, (slot) => this.app(slot) !== undefined);
    if (booted === undefined) throw new Error("Nothing in its flash starts.");
    const app = this.app(booted.slot)!;
    const [behaviour, name] = app.image.app!.version.split(" ") as [Behaviour, string];
    const other = 1 - booted.slot;
    const slot = {
      region: this.slotRegion(other),
      isOnTrial: booted.isOnTrial,
      running: app.image.sha256!,
      select: () => {
        if (this.app(other) === undefined) throw new Error("the image is torn");
        selectNext(otadata, other, slotCount);
      },
    };
    return { name, behaviour, slot };
  }

  markValid(): void {
    markValid(this.region(0, otaSectors));
  }

  read(key: string): Uint8Array | undefined {
    return this.#values.get(key)?.slice();
  }

  /** Costs two of the power: not begun, done. */
  write(key: string, value: Uint8Array): void {
    if (value.length > 1024) throw new RangeError("too long");
    const after = new Map(this.#values).set(key, value.slice());
    this.#spend();
    if ([...after.values()].reduce((sum, { length }) => sum + length, 0) > this.valueBytesMax)
      throw new Error("no room");
    this.#values = after;
    this.#spend();
  }

  delete(key: string): void {
    this.#spend();
    this.#values = new Map([...this.#values].filter(([each]) => each !== key));
  }

  slotRegion(slot: number): FlashRegion {
    return this.region(otaSectors + slot * this.slotSectors, this.slotSectors);
  }

  private app(slot: number): AppInFlash | undefined {
    try {
      return appInFlash(this.slotRegion(slot), chipId);
    } catch (error) {
      if (error instanceof ImageError) return undefined;
      throw error;
    }
  }

  private region(firstSector: number, sectors: number): FlashRegion {
    const { flash } = this;
    const from = firstSector * sectorBytes;
    const sizeBytes = sectors * sectorBytes;
    const check = (offset: number, length: number) => {
      if (offset < 0 || offset + length > sizeBytes) throw new RangeError("outside the partition");
    };
    return {
      ...{ sizeBytes, sectorBytes, alignBytes: flash.alignBytes },
      read: (offset, length) => {
        check(offset, length);
        return flash.read(from + offset, length);
      },
      write: (offset, bytes) => {
        check(offset, bytes.length);
        flash.write(from + offset, bytes);
      },
      eraseSector: (sector) => {
        check(sector * sectorBytes, sectorBytes);
        flash.eraseSector(firstSector + sector);
      },
    };
  }

  #spend(): void {
    if (this.flash.power === 0) throw new PowerCut();
    this.flash.power--;
    this.flash.spent++;
  }
}
