import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where what is built once stays: `$COVEY_CACHE`, or `covey/` in the user's cache directory. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.COVEY_CACHE) return environment.COVEY_CACHE;
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "covey");
}

/** A name for what is made of these parts, 128 bits of SHA-256; a part's end can't be mistaken for the next's start. */
export function cacheKey(parts: Iterable<string | Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(`${part.length}:`);
    hash.update(part);
  }
  return hash.digest("hex").slice(0, 32);
}
