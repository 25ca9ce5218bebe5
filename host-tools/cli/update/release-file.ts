/**
 * Releases in a file, on their way from the computer that has the root's keys to one that reaches the swarm. Nothing in it is secret; the image goes with it.
 *
 * ```
 * {"swarm": "house", "releases": [{"signed": "base64url", ...for people}]}
 * ```
 */
import { readFileSync, writeFileSync } from "node:fs";
import { releaseUnchecked } from "../../../protocols/update/release.ts";
import type { SignedRelease } from "../../keys/release.ts";
import { digestText } from "../../leader/images/image-id.ts";
import { Failed, WrongInput } from "../failure.ts";

export function writeReleases(path: string, releases: readonly SignedRelease[]): void {
  const content = {
    swarm: releases[0]!.release.swarm,
    releases: releases.map(({ release, signed }) => ({
      ...describeRelease(release),
      signed: Buffer.from(signed).toString("base64url"),
    })),
  };
  try {
    writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
  } catch (error) {
    throw new Failed(`${path} can't be written (${(error as NodeJS.ErrnoException).code}).`, "file");
  }
}

/** Whether the root signed them, the hosts find out. @throws {WrongInput} */
export function readReleases(path: string): SignedRelease[] {
  try {
    const { releases } = JSON.parse(readFileSync(path, "utf8")) as { releases: { signed: string }[] };
    const read = releases.map(({ signed: text }) => {
      const signed = new Uint8Array(Buffer.from(text, "base64url"));
      return { release: releaseUnchecked(signed)!, signed };
    });
    if (read.length > 0 && read.every(({ release }) => release !== undefined)) return read;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new WrongInput(`There is no ${path}; ${howMade}.`);
    // Said below.
  }
  throw new WrongInput(`${path} holds no releases; ${howMade}.`);
}

const howMade = "covey update IMAGE --sign-only FILE writes such a file";

/** As JSON and people read it. */
export function describeRelease({ model, sequence, firmware, sizeBytes, digest }: SignedRelease["release"]) {
  return { model, sequence, firmware, sizeBytes, digest: digestText(digest) };
}
