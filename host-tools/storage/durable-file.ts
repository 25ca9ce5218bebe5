/** Files that are whole or not there at all, whatever the power does: written beside their place, made durable, then renamed into it. */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What stands beside a file until it is whole. */
export const stagedSuffix = ".new";

/** Of this file's owner alone. */
const ownerOnly = 0o600;

/** Makes the file or replaces it; only its owner may read it. Throws what the file system does. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  stage(path, content);
  place(path);
  syncFolder(dirname(path));
}

/** First half of `writeDurably`, for several files at once: the content is durable under another name. */
export function stage(path: string, content: string | Uint8Array): void {
  const file = openSync(`${path}${stagedSuffix}`, "w", ownerOnly);
  try {
    // One that was left over may have had other rights.
    fchmodSync(file, ownerOnly);
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Second half: durable after `syncFolder`. */
export function place(path: string): void {
  renameSync(`${path}${stagedSuffix}`, path);
}

/** Makes what was renamed in it durable, where the system knows that of folders. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
