/**
 * The images that a host has, one file each in `images/` of its folder, named by the digest that a release gives:
 *
 * ```
 * images/<64 hexadecimal digits>       whole, checked, durable
 * images/<...>.<random>.part           on its way in; whoever starts the host next removes it
 * ```
 *
 * The files together have at most `imageStoreLimits.bytesMax`. Where a new one finds no room, images are dropped that no agreed release names, the one that
 * came first goes first; one that a release names is never dropped, and then the new one is refused.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import type { Release } from "../../../protocols/update/release.ts";
import type { Log } from "../log.ts";
import { ImageFile } from "./image-file.ts";
import { digestFromText, digestText, imageIdOf } from "./image-id.ts";
import { ImageReceiver } from "./image-receiver.ts";

export const imageStoreLimits = {
  /** Sixteen of the largest images; 130 of those of a chip with 4 MB. */
  bytesMax: 256 * 1024 * 1024,
  /** On their way in at the same time. */
  receiversMax: 4,
} as const;

/** No room, or too many on their way in. The message says what to do. */
export class ImageNotTaken extends Error {
  override readonly name = "ImageNotTaken";
}

export interface ImageStoreOptions {
  /** Made when the first image comes. */
  readonly directory: string;
  readonly log: Log;
  /** Whether an agreed release names this image. */
  isNamed(id: string): boolean;
  /** There is one more, or one less. */
  onChange(): void;
  /** If not as many as usual. */
  readonly bytesMax?: number;
}

interface Held {
  readonly path: string;
  readonly image: ImageFile;
}

export class ImageStore {
  readonly #options: ImageStoreOptions;
  /** By id, the one that came first first. */
  readonly #held = new Map<string, Held>();
  /** Bytes that receivers have room for. */
  #reservedBytes = 0;
  #receivers = 0;
  #isClosed = false;

  private constructor(options: ImageStoreOptions) {
    this.#options = options;
  }

  /** Checks what is there: a file that is not what its name says goes. Throws what the file system does. */
  static async open(options: ImageStoreOptions): Promise<ImageStore> {
    const store = new ImageStore(options);
    await store.#load();
    return store;
  }

  /** What this host has, by id. */
  get ids(): readonly string[] {
    return [...this.#held.keys()];
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  find(id: string): ImageFile | undefined {
    return this.#held.get(id)?.image;
  }

  /** A place for the image of this release. @throws {ImageNotTaken} and what the file system does */
  async receive({ digest, sizeBytes }: Release): Promise<ImageReceiver> {
    const { directory } = this.#options;
    if (this.#isClosed || this.#receivers >= imageStoreLimits.receiversMax) {
      throw new ImageNotTaken("This host is taking in other images; try again in a moment.");
    }
    this.#receivers++;
    this.#reservedBytes += sizeBytes;
    const release = () => {
      this.#receivers--;
      this.#reservedBytes -= sizeBytes;
    };
    try {
      await this.#makeRoom();
      await mkdir(directory, { recursive: true });
      const path = join(directory, digestText(digest));
      const partPath = `${path}.${randomBytes(4).toString("hex")}${partSuffix}`;
      return await ImageReceiver.open(partPath, sizeBytes, {
        complete: () => this.#complete(partPath, path, digest),
        end: release,
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { image } of this.#held.values()) await image.close();
    this.#held.clear();
  }

  /** The file is complete and durable under its first name. Gives whether it is the image. */
  async #complete(partPath: string, path: string, digest: Uint8Array): Promise<boolean> {
    const image = await ImageFile.open(partPath);
    if (image === undefined) return false;
    const id = imageIdOf(digest);
    if (!isSameBytes(image.digest, digest) || this.#isClosed || this.#held.has(id)) {
      await image.close();
      await rm(partPath, { force: true });
      return this.#held.has(id);
    }
    await rename(partPath, path);
    await syncFolder(this.#options.directory);
    this.#held.set(id, { path, image });
    this.#options.log.info("image-held", { image: id, bytes: image.sizeBytes });
    this.#options.onChange();
    return true;
  }

  async #makeRoom(): Promise<void> {
    const { bytesMax = imageStoreLimits.bytesMax, isNamed, log, onChange } = this.#options;
    for (const [id, { path, image }] of this.#held) {
      if (this.#bytes + this.#reservedBytes <= bytesMax) return;
      if (isNamed(id)) continue;
      this.#held.delete(id);
      await image.close();
      await rm(path, { force: true });
      log.info("image-dropped", { image: id });
      onChange();
    }
    if (this.#bytes + this.#reservedBytes > bytesMax) {
      throw new ImageNotTaken(
        `This host keeps ${this.#bytes} bytes of images that boards are to run, and ${bytesMax} at most; give kinds of boards one release instead of single boards.`,
      );
    }
  }

  get #bytes(): number {
    let sum = 0;
    for (const { image } of this.#held.values()) sum += image.sizeBytes;
    return sum;
  }

  async #load(): Promise<void> {
    const { directory, log } = this.#options;
    const found: { path: string; digest: Uint8Array; atMs: number }[] = [];
    for (const name of await namesIn(directory)) {
      const path = join(directory, name);
      const digest = digestFromText(name);
      if (digest !== undefined) found.push({ path, digest, atMs: (await stat(path)).mtimeMs });
      else if (name.endsWith(partSuffix)) await rm(path, { force: true });
    }
    for (const { path, digest } of found.sort((a, b) => a.atMs - b.atMs)) {
      const image = await ImageFile.open(path);
      if (image !== undefined && isSameBytes(image.digest, digest)) {
        this.#held.set(imageIdOf(digest), { path, image });
        continue;
      }
      await image?.close();
      await rm(path, { force: true });
      log.error("image-damaged", { image: imageIdOf(digest) });
    }
  }
}

const partSuffix = ".part";

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Where the system knows that of folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
