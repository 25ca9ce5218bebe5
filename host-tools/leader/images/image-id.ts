/** What an image is called: by the digest of its first chunk, which covers all of it (`protocols/update/chunks.ts`). */

import { updateLimits } from "../../../protocols/update/messages.ts";
import { digestBytes } from "../../../protocols/update/release.ts";

/** 16 hexadecimal digits: what boards and hosts ask for. */
export function imageIdOf(digest: Uint8Array): string {
  return Buffer.from(digest.subarray(0, updateLimits.imageIdBytes)).toString("hex");
}

export function bytesOfId(id: string): Uint8Array {
  return new Uint8Array(Buffer.from(id, "hex"));
}

/** 64 hexadecimal digits: a file's name, and a path of the API. */
export function digestText(digest: Uint8Array): string {
  return Buffer.from(digest).toString("hex");
}

/** undefined for what is none. */
export function digestFromText(text: string): Uint8Array | undefined {
  const isDigest = text.length === 2 * digestBytes && /^[0-9a-f]+$/.test(text);
  return isDigest ? new Uint8Array(Buffer.from(text, "hex")) : undefined;
}
