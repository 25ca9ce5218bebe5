/**
 * The flash of a simulated board: one file, with the manners of NOR flash.
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
  /** True when there was no usable file, so that the board starts with erased flash. */
  readonly erased: boolean;
  /** One sentence when a damaged file was kept aside; undefined when all was well. */
  readonly warning: string | undefined;
}

export class FlashFile implements FlashRegion {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sectorBytes: number;
  readonly alignBytes: number;
  #descriptor: number | undefined;
  readonly #syncWrites: boolean;
  #wornWrites = 0;

  private constructor(path: string, descriptor: number, geometry: FlashGeometry, syncWrites: boolean) {
    this.path = path;
    this.#descriptor = descriptor;
    this.sizeBytes = geometry.sizeBytes;
    this.sectorBytes = geometry.sectorBytes;
    this.alignBytes = geometry.alignBytes;
    this.#syncWrites = syncWrites;
  }

  /**
   * Opens the flash at `path`, or makes an erased one. A file that cannot be this flash (another size, unreadable, not a file) is renamed
   * to `<path>.damaged-<time>` and replaced; the opening's `warning` says so. Throws `FlashFileError` when not even that works.
   */
  static open(path: string, geometry: FlashGeometry, syncWrites = false, now = new Date()): FlashOpening {
    const problem = problemWith(path, geometry);
    let warning: string | undefined;
    if (problem !== undefined && problem !== "absent") {
      const aside = `${path}.damaged-${now.toISOString().replaceAll(/[:.]/g, "-")}`;
      try {
        fs.renameSync(path, aside);
      } catch (error) {
        throw new FlashFileError(path, `${problem}, and it cannot be renamed: ${(error as Error).message}`);
      }
      warning = `The flash file ${path} was damaged (${problem}); it is kept as ${aside}, and the board starts with erased flash.`;
    }
    const erased = problem !== undefined;
    try {
      if (erased) createErased(path, geometry);
      const descriptor = fs.openSync(path, "r+");
      return { flash: new FlashFile(path, descriptor, geometry, syncWrites), erased, warning };
    } catch (error) {
      throw new FlashFileError(path, (error as Error).message);
    }
  }

  /** Writes that met bytes which were not erased: broken promises of the firmware. */
  get wornWrites(): number {
    return this.#wornWrites;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    this.#check(offsetBytes, lengthBytes, 1);
    const into = new Uint8Array(lengthBytes);
    this.#transfer(fs.readSync, into, offsetBytes);
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
    this.#transfer(fs.writeSync, cells, offsetBytes);
    if (this.#syncWrites) fs.fdatasyncSync(this.#open());
  }

  eraseSector(sector: number): void {
    const offsetBytes = sector * this.sectorBytes;
    this.#check(offsetBytes, this.sectorBytes, this.sectorBytes);
    this.#transfer(fs.writeSync, new Uint8Array(this.sectorBytes).fill(0xff), offsetBytes);
    if (this.#syncWrites) fs.fdatasyncSync(this.#open());
  }

  /** Idempotent; a closed flash refuses every call. */
  close(): void {
    if (this.#descriptor === undefined) return;
    fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new FlashFileError(this.path, "it is closed");
    return this.#descriptor;
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

/** What is wrong with the file at `path` as this flash: undefined for nothing, "absent" when there is none. */
function problemWith(path: string, geometry: FlashGeometry): string | undefined {
  try {
    const stat = fs.lstatSync(path);
    if (!stat.isFile()) return "it is not a file";
    if (stat.size !== geometry.sizeBytes)
      return `it holds ${stat.size} bytes instead of ${geometry.sizeBytes}`;
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "absent" : (error as Error).message;
  }
}

/** Complete or not there at all: written beside its place, then renamed into it. */
function createErased(path: string, geometry: FlashGeometry): void {
  const fresh = `${path}.new-${process.pid}`;
  fs.writeFileSync(fresh, new Uint8Array(geometry.sizeBytes).fill(0xff));
  fs.renameSync(fresh, path);
}
