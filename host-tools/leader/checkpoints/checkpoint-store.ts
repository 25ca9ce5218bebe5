/** The checkpoints that a host has, one file each in `checkpoints/` of its folder: whole or not there, whatever the power does. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import { stagedSuffix, writeDurably } from "../../storage/durable-file.ts";
import {
  type Checkpoint,
  CheckpointDamaged,
  checkpointFromBytes,
  checkpointLimits,
  isCheckpointName,
  statedDigest,
} from "./checkpoint-file.ts";

export type CopyState = "whole" | "damaged" | "missing";

export class CheckpointStore {
  readonly #directory: string;

  /** `directory` is made when the first one comes. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Of all files, whatever is in them. Throws what the file system does, as all methods. */
  names(): string[] {
    try {
      const files = readdirSync(this.#directory).filter((file) => file.endsWith(suffix));
      return files.map((file) => file.slice(0, -suffix.length)).filter(isCheckpointName);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  write(name: string, bytes: Uint8Array): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeDurably(this.#path(name), bytes);
  }

  /** Also of one whose writing the power ended. */
  remove(name: string): void {
    rmSync(this.#path(name), { force: true });
    rmSync(`${this.#path(name)}${stagedSuffix}`, { force: true });
  }

  /** undefined when there is none. */
  bytes(name: string): Uint8Array | undefined {
    try {
      // Whatever took its place is not read whole.
      if (statSync(this.#path(name)).size > checkpointLimits.bytesMax) return new Uint8Array(0);
      return new Uint8Array(readFileSync(this.#path(name)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Reads all of it. */
  check(name: string, digest: Uint8Array): CopyState {
    return this.#read(name, digest).state;
  }

  /** The checkpoint with this digest. @throws {CheckpointDamaged} */
  open(name: string, digest: Uint8Array): Checkpoint {
    const { checkpoint, why } = this.#read(name, digest);
    if (checkpoint === undefined) throw new CheckpointDamaged(why);
    return checkpoint;
  }

  #read(name: string, digest: Uint8Array) {
    const bytes = this.bytes(name);
    if (bytes === undefined) return { state: "missing", why: "this host has no copy" } as const;
    try {
      const checkpoint = checkpointFromBytes(bytes);
      if (isSameBytes(statedDigest(bytes), digest)) return { state: "whole", checkpoint } as const;
      return { state: "damaged", why: "its digest is not the one that was agreed on" } as const;
    } catch (error) {
      if (error instanceof CheckpointDamaged) return { state: "damaged", why: error.message } as const;
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.#directory, `${name}${suffix}`);
  }
}

const suffix = ".checkpoint";

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
