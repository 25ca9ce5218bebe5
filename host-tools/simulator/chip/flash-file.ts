/**
 * A partition of a simulated board's flash: one raw file, with the manners of NOR flash. It reaches as far as anything was ever written, in
 * whole sectors; what is beyond its end is erased, and so is a partition without a file.
 *
 * An erase sets a whole sector to 0xFF; a write can only clear bits, so what lands is `old AND new`, exactly as on the
 * chip. The firmware promises more (it never writes a word twice between erases, so that flash encryption stays
 * possible), so a write that meets bytes other than 0xFF is carried out and counted as a broken promise.
 *
 * Durable means here: a call that has returned survives SIGKILL of the board and of the simulator, because the bytes are in the
 * operating system's page cache. With `syncWrites` they are also forced to the disk, and survive the computer's power cut.
 */
import * as fs from "node:fs";
import type { FlashRegion } from "../../../firmware/platform/ports.ts";
import { SimulationError } from "../simulation-error.ts";

export interface FlashGeometry {
  /** A multiple of `sectorBytes`. */
  readonly sizeBytes: number;
  readonly sectorBytes: number;
  readonly alignBytes: number;
}

/** Every ESP32: 4 KB sectors; 16-byte writes keep flash encryption possible. */
export const nor = Object.freeze({ sectorBytes: 4096, alignBytes: 16 });

/** The flash file can be neither used nor kept aside. */
export class FlashFileError extends SimulationError {
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`The flash file ${path} cannot be used (${reason}); check its permissions or move it away.`);
    this.path = path;
  }
}

export interface FlashOpening {
  readonly flash: FlashFile;
  /** One sentence when a damaged file was kept aside; undefined when all was well. */
  readonly warning: string | undefined;
}

export class FlashFile implements FlashRegion {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sectorBytes: number;
  readonly alignBytes: number;
  readonly #syncWrites: boolean;
  /** undefined until it is needed: few of a board's partitions are, most of the time. */
  #descriptor: number | undefined;
  #isClosed = false;
  #fileBytes: number;
  #wornWrites = 0;

  private constructor(path: string, fileBytes: number, geometry: FlashGeometry, syncWrites: boolean) {
    this.path = path;
    this.#fileBytes = fileBytes;
    this.sizeBytes = geometry.sizeBytes;
    this.sectorBytes = geometry.sectorBytes;
    this.alignBytes = geometry.alignBytes;
    this.#syncWrites = syncWrites;
  }

  /**
   * The flash at `path`, erased where there is no file. A file that cannot be this flash (too large, no whole sectors, unreadable, not a file)
   * is renamed to `<path>.damaged-<time>`; the opening's `warning` says so. Throws `FlashFileError` when not even that works.
   */
  static open(path: string, geometry: FlashGeometry, syncWrites = false, now = new Date()): FlashOpening {
    const found = look(path, geometry);
    const fresh = (fileBytes: number) => new FlashFile(path, fileBytes, geometry, syncWrites);
    if (typeof found === "number") return { flash: fresh(found), warning: undefined };
    const aside = `${path}.damaged-${now.toISOString().replaceAll(/[:.]/g, "-")}`;
    try {
      fs.renameSync(path, aside);
    } catch (error) {
      throw new FlashFileError(path, `${found}, and it cannot be renamed: ${(error as Error).message}`);
    }
    const warning = `The flash file ${path} was damaged (${found}); it is kept as ${aside}, and the board starts with erased flash.`;
    return { flash: fresh(0), warning };
  }

  /** Nothing was written since the flash was made or last erased as a whole. */
  get isUntouched(): boolean {
    return this.#fileBytes === 0;
  }

  /** Writes that met bytes which were not erased: broken promises of the firmware. */
  get wornWrites(): number {
    return this.#wornWrites;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    this.#refuseClosed();
    this.#check(offsetBytes, lengthBytes, 1);
    const into = new Uint8Array(lengthBytes);
    const keptBytes = Math.min(Math.max(this.#fileBytes - offsetBytes, 0), lengthBytes);
    into.fill(0xff, keptBytes);
    if (keptBytes > 0) this.#transfer(fs.readSync, into.subarray(0, keptBytes), offsetBytes);
    return into;
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#check(offsetBytes, bytes.length, this.alignBytes);
    const cells = this.read(offsetBytes, bytes.length);
    let worn = false;
    for (let i = 0; i < cells.length; i++) {
      if (cells[i] !== 0xff) worn = true;
      cells[i]! &= bytes[i]!;
    }
    if (worn) this.#wornWrites++;
    this.#reach(offsetBytes + bytes.length);
    this.#transfer(fs.writeSync, cells, offsetBytes);
    if (this.#syncWrites) fs.fdatasyncSync(this.#open());
  }

  eraseSector(sector: number): void {
    const offsetBytes = sector * this.sectorBytes;
    this.#refuseClosed();
    this.#check(offsetBytes, this.sectorBytes, this.sectorBytes);
    if (offsetBytes >= this.#fileBytes) return;
    this.#transfer(fs.writeSync, new Uint8Array(this.sectorBytes).fill(0xff), offsetBytes);
    if (this.#syncWrites) fs.fdatasyncSync(this.#open());
  }

  /** Idempotent; a closed flash refuses every call. */
  close(): void {
    this.letGo();
    this.#isClosed = true;
  }

  /** Closes the file until it is needed again: a simulator of many boards has not got that many descriptors. */
  letGo(): void {
    if (this.#descriptor === undefined) return;
    fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    this.#refuseClosed();
    try {
      const { O_RDWR, O_CREAT } = fs.constants;
      // Flash has secrets in it.
      this.#descriptor ??= fs.openSync(this.path, O_RDWR | O_CREAT, 0o600);
    } catch (error) {
      throw new FlashFileError(this.path, (error as Error).message);
    }
    return this.#descriptor;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new FlashFileError(this.path, "it is closed");
  }

  /** The file grows by whole sectors. */
  #reach(endBytes: number): void {
    if (endBytes <= this.#fileBytes) return;
    const grownBytes = Math.ceil(endBytes / this.sectorBytes) * this.sectorBytes;
    const erased = new Uint8Array(grownBytes - this.#fileBytes).fill(0xff);
    this.#transfer(fs.writeSync, erased, this.#fileBytes);
    this.#fileBytes = grownBytes;
  }

  #check(offsetBytes: number, lengthBytes: number, alignBytes: number): void {
    if (
      !Number.isInteger(offsetBytes) ||
      !Number.isInteger(lengthBytes) ||
      offsetBytes < 0 ||
      lengthBytes < 0
    ) {
      throw new RangeError(`Flash has no bytes at ${offsetBytes}, length ${lengthBytes}.`);
    }
    if (offsetBytes + lengthBytes > this.sizeBytes) {
      throw new RangeError(
        `Flash ends at ${this.sizeBytes}; bytes ${offsetBytes} to ${offsetBytes + lengthBytes} are outside it.`,
      );
    }
    if (offsetBytes % alignBytes !== 0 || lengthBytes % alignBytes !== 0) {
      throw new RangeError(
        `Flash wants multiples of ${alignBytes} bytes, not offset ${offsetBytes}, length ${lengthBytes}.`,
      );
    }
  }

  /** A file may take or give less than asked; a flash does not. */
  #transfer(
    step: (
      descriptor: number,
      buffer: Uint8Array,
      offset: number,
      length: number,
      position: number,
    ) => number,
    bytes: Uint8Array,
    position: number,
  ): void {
    const descriptor = this.#open();
    let done = 0;
    while (done < bytes.length) {
      const moved = step(descriptor, bytes, done, bytes.length - done, position + done);
      if (moved === 0) throw new FlashFileError(this.path, "it has become shorter while in use");
      done += moved;
    }
  }
}

/** How many bytes the file at `path` has, 0 when there is none; or what is wrong with it as this flash. */
function look(path: string, { sizeBytes, sectorBytes }: FlashGeometry): number | string {
  try {
    const stat = fs.lstatSync(path);
    if (!stat.isFile()) return "it is not a file";
    if (stat.size > sizeBytes || stat.size % sectorBytes !== 0)
      return `it holds ${stat.size} bytes instead of whole sectors, ${sizeBytes} at most`;
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    return stat.size;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? 0 : (error as Error).message;
  }
}
