/**
 * What the firmware does on the Moddable SDK itself, for whoever has it: `npx node test/firmware/platform/moddable/on-lin/prove.ts`.
 *
 * With MODDABLE set it builds a board for the SDK's platform `lin` and runs it without a display against a leader of its
 * own; then the adapter's other parts, its ciphers and what its TLS takes, each in a program of its own; then it links every kind of board's image for its chip.
 * A minute each, and not part of `npm test`, because the SDK is not a package. Ends with 0 only when all was seen.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findModdable } from "../../../../../host-tools/builder/moddable.ts";
import { proveAdapter } from "./adapter.ts";
import { proveBoard } from "./board.ts";
import { proveCiphers } from "./ciphers.ts";
import { proveLan } from "./lan.ts";
import { proveLink } from "./link.ts";
import { proveTlsHeap } from "./tls-heap.ts";

/** Told as it is seen. */
export type Seen = (what: string) => void;

const proofs = {
  board: proveBoard,
  adapter: proveAdapter,
  ciphers: proveCiphers,
  lan: proveLan,
  "tls-heap": proveTlsHeap,
  link: proveLink,
};

const sdk = findModdable(process.env);
if ("tools" in sdk) {
  const folder = await mkdtemp(join(tmpdir(), "covey-on-lin-"));
  try {
    for (const [name, prove] of Object.entries(proofs)) {
      if (process.argv.length > 2 && !process.argv.includes(name)) continue;
      console.log(`${name}:`);
      const startedMs = performance.now();
      const seen: Seen = (what) => {
        console.log(`  ${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${what}`);
      };
      await prove(sdk, join(folder, name), seen);
    }
    console.log("All was seen.");
    await rm(folder, { recursive: true });
  } catch (error) {
    console.error(`Failed: ${(error as Error).message}\nWhat was built is left in ${folder}.`);
    process.exitCode = 1;
  }
} else {
  console.log(`Skipped: no Moddable SDK here. ${sdk.what}: ${sdk.remedy}`);
}
