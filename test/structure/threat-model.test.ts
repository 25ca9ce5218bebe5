import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/threat-model.md"), "utf8");
const lines = page.split("\n");
const testFile = /`(test\/[\w./-]+\.test\.ts)`/g;

/** What issue 5 asks to be carried out. */
const attacks = [
  "replay",
  "reorder",
  "reflection",
  "topic spoofing",
  "cross-topic splice",
  "suite downgrade",
  "key-compromise impersonation",
  "rogue leader",
  "member forging the leader",
  "stale leader after revocation",
  "cloned board",
  "roll-back of an update",
  "off-curve point",
  "s = 0",
  "huge and malformed cbor",
  "half-open handshakes by the thousand",
  "operator beyond its role",
  "stolen flash image",
];

describe("the threat model", () => {
  it("names a test in every line of its tables of attacks", () => {
    const untested = attackRows().filter((row) => row.search(testFile) < 0);
    expect(untested).toEqual([]);
    expect(attackRows().length).toBeGreaterThan(30);
  });

  it("names only tests that are there, and that test something", () => {
    const named = new Set([...page.matchAll(testFile)].map(([, path]) => path!));
    const missing = [...named].filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
    for (const path of named) {
      expect(readFileSync(join(root, path), "utf8"), path).toMatch(/^\s*(it|test)(\.each)?\(/m);
    }
  });

  it("names every attack of the list, and every file of test/attacks", () => {
    const text = page.toLowerCase();
    expect(attacks.filter((attack) => !text.includes(attack))).toEqual([]);
    const files = readdirSync(join(root, "test/attacks")).filter((name) => name.endsWith(".test.ts"));
    expect(files.filter((name) => !page.includes(`test/attacks/${name}`))).toEqual([]);
  });
});

/** Rows of the tables whose last column is the test. */
function attackRows(): string[] {
  const rows: string[] = [];
  let isAttacks = false;
  for (const line of lines) {
    if (!line.startsWith("|")) isAttacks = false;
    else if (line.startsWith("| attack ")) isAttacks = true;
    else if (isAttacks && !line.startsWith("| ---")) rows.push(line);
  }
  return rows;
}
