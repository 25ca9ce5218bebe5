/** What a board of the SDK's simulator on Linux was given: the file that `firmware/platform/moddable/lin/key-value.ts` reads, in the folder where that board runs. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storedNamespace } from "../../protocols/provisioning/stored.ts";
import type { StoredValues } from "./board-settings.ts";

/** Bytes of a flash sector, which holds them all. */
const domainBytes = 4_096;

/** Replaces what the file holds; only its owner may read it. @returns its path @throws {RangeError} when they do not fit */
export function writeLinValues(folder: string, values: StoredValues): string {
  const entries = [...values].map(([key, value]) =>
    Buffer.concat([Buffer.of(key.length, value.length >> 8, value.length & 255), Buffer.from(key), value]),
  );
  const used = Buffer.concat(entries);
  if (used.length > domainBytes)
    throw new RangeError(`${used.length} bytes of values do not fit ${domainBytes}.`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `kv-${storedNamespace}.flash`);
  writeFileSync(file, Buffer.concat([used, Buffer.alloc(domainBytes - used.length, 0xff)]), { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}
