/** The adapter's ciphers in the SDK's engine, on its own native code: every case of Wycheproof that applies, and what each primitive costs. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import { wycheproof } from "../../../../conformance/wycheproof/cases.ts";
import { caseKinds, type WycheproofCase } from "../../../../conformance/wycheproof/check-case.ts";
import { compileRunner, LinProcess } from "./lin-process.ts";
import { buildProbe, probeName } from "./probe-image.ts";
import type { Seen } from "./prove.ts";

/** What the program measures, in order. */
const primitives = 8;

export async function proveCiphers(sdk: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  const cases = caseKinds.map((kind) => wycheproof[kind]().cases);
  const counts = cases.map(({ length }) => length);
  const program = await buildProbe(sdk, folder, {
    program: "ciphers-probe.js",
    given: { counts },
    tls: false,
  });
  seen("built for lin, with no warning of the linker");
  const flash = join(folder, "flash");
  mkdirSync(flash, { recursive: true });
  writeFileSync(join(flash, `${probeName}-${probeName}.cases`), Buffer.concat(cases.flat().map(encodeCase)));
  const board = new LinProcess(compileRunner(sdk.folder, folder), program, flash);
  try {
    for (const [index, kind] of caseKinds.entries()) {
      const line = await board.until(`tried ${kind}: ${counts[index]} cases`);
      assert(line.endsWith(", 0 faults"), board.lines.join("\n"));
      seen(`Wycheproof, ${line.slice("tried ".length)}`);
    }
    for (let index = 0; index < primitives; index++)
      seen((await board.until("costs ")).slice("costs ".length));
    seen(await board.until("all done"));
  } finally {
    await board.kill();
  }
}

/** Kind, number, whether it is valid, how many fields; their lengths; the fields. */
function encodeCase({ kind, number, isValid, fields }: WycheproofCase): Buffer {
  const head = [caseKinds.indexOf(kind), number >> 8, number & 255, isValid ? 1 : 0, fields.length];
  for (const { length } of fields) {
    assert(length < 65_536);
    head.push(length >> 8, length & 255);
  }
  return Buffer.concat([Buffer.from(head), ...fields]);
}
