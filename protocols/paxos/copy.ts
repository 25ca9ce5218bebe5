/**
 * The log's copy of a register, the value of `covey/register/NAME`, which every board and host reads like a setting's:
 *
 * ```
 * [1, epoch, version, value, by, atMs]
 * ```
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { readValue } from "./state-codec.ts";
import { type Chosen, copyKeyPrefix, type RegisterValue, registerLimits } from "./types.ts";

export interface Copy {
  /** In which it was chosen. */
  readonly epoch: number;
  readonly version: number;
  readonly value: RegisterValue;
  readonly by: string;
  readonly atMs: number;
}

export const copyVersion = 1;

export function copyKey(register: string): string {
  return copyKeyPrefix + register;
}

/** undefined for a key that is no copy's. */
export function copiedRegister(key: string): string | undefined {
  return key.startsWith(copyKeyPrefix) ? key.slice(copyKeyPrefix.length) : undefined;
}

export function copyOf({ epoch, state: { version, value, by, atMs } }: Chosen): Copy {
  return { epoch, version, value, by, atMs };
}

export function copyToWire({ epoch, version, value, by, atMs }: Copy): CborValue {
  return [copyVersion, epoch, version, value, by, atMs];
}

/** Throws `ShapeError`. */
export function copyFromWire(value: CborValue): Copy {
  const items = new ItemReader(value, format, "", 6);
  items.version(copyVersion);
  return {
    epoch: items.integer("the epoch", 1, registerLimits.epochMax),
    version: items.integer("the version", 0, registerLimits.versionMax),
    value: readValue(items, format),
    by: items.text("by", registerLimits.nameLengthMax),
    atMs: items.integer("atMs", 0, Number.MAX_SAFE_INTEGER),
  };
}

/**
 * Of two states of one register that were chosen, whether the first is the later one. Within an epoch, and from one to the next, versions only grow; a register
 * that was taken out and declared anew begins again, in a later epoch.
 */
export function isLater(a: Pick<Copy, "epoch" | "version">, b: Pick<Copy, "epoch" | "version">): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.version > b.version);
}

const format = "copy of a register";
