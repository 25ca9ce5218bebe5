/** What was in a board's settings, from before they are written until that is verified: a file beside the keys for each board, for its owner's eyes only, gone when all went well. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../storage/durable-file.ts";
import type { Rescue } from "./provision-board.ts";

/** @param folder that of the keys */
export function rescueFiles(folder: string): Rescue {
  const file = (mac: string) => join(folder, `settings-of-${mac.replaceAll(":", "")}.bin`);
  return {
    take: (mac) => (existsSync(file(mac)) ? new Uint8Array(readFileSync(file(mac))) : undefined),
    put: (mac, partition) => writeDurably(file(mac), partition),
    drop: (mac) => rmSync(file(mac), { force: true }),
  };
}
