/**
 * Releases of firmware, signed by the root. Each gets the next sequence of this swarm, which is noted durably before anything is signed with it: a power cut leaves
 * a gap, and never two releases with one sequence.
 */
import { chunkDigests } from "../../protocols/update/chunks.ts";
import { digestBytes, type Release, releaseLimits, signRelease } from "../../protocols/update/release.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";
import { CannotSign } from "./key-error.ts";
import type { KeyFolder } from "./key-folder.ts";
import type { RootKeys } from "./root-file.ts";

export interface NewRelease {
  readonly model: string;
  /** For people: `0.2.0`. */
  readonly firmware: string;
  readonly image: Uint8Array;
}

export interface SignedRelease {
  readonly release: Release;
  readonly signed: Uint8Array;
}

/**
 * @param after the highest sequence that the swarm knows, which may be more than this folder does: one that was put back from a copy
 * @throws {CannotSign} {KeysInUse} {KeyFolderUnusable}
 */
export function signReleases(
  folder: KeyFolder,
  keys: RootKeys,
  wanted: readonly NewRelease[],
  after: number,
): SignedRelease[] {
  for (const { model, firmware, image } of wanted) check(model, firmware, image.length);
  const { ledger } = folder.change((now) => {
    const lastRelease = Math.max(now.lastRelease ?? 0, after) + wanted.length;
    if (lastRelease > releaseLimits.sequenceMax)
      throw new CannotSign(`There is no sequence after ${releaseLimits.sequenceMax}.`);
    return { ledger: { ...now, lastRelease }, issued: [] };
  });
  const first = ledger.lastRelease! - wanted.length + 1;
  return wanted.map(({ model, firmware, image }, i) => {
    const digest = chunkDigests(nodeCiphers, image).slice(0, digestBytes);
    const release = {
      ...{ swarm: folder.swarm, model, sequence: first + i, firmware },
      ...{ sizeBytes: image.length, digest },
    };
    return { release, signed: signRelease(nodeCiphers, keys.root, release) };
  });
}

function check(model: string, firmware: string, sizeBytes: number): void {
  const { modelBytesMax, firmwareBytesMax, sizeBytesMax } = releaseLimits;
  if (Buffer.byteLength(model) > modelBytesMax)
    throw new CannotSign(
      `A kind of board has a name of at most ${modelBytesMax} bytes, and ${model} has more.`,
    );
  if (firmware === "" || Buffer.byteLength(firmware) > firmwareBytesMax)
    throw new CannotSign(
      `A version of firmware has 1 to ${firmwareBytesMax} bytes, and ${JSON.stringify(firmware)} has not.`,
    );
  if (sizeBytes < 1 || sizeBytes > sizeBytesMax)
    throw new CannotSign(`An image has 1 to ${sizeBytesMax} bytes, and this one ${sizeBytes}.`);
}
