/** Each construct that a board can't freeze is found once, and its good twin is not: `frozen-cases.txt`. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { projectRoot } from "../../../host-tools/bundler/bundle.ts";
import { checkFrozen, checkFrozenMain, formatFinding } from "../../../host-tools/bundler/frozen-check.ts";

const cases = parseCases(await readFile(new URL("frozen-cases.txt", import.meta.url), "utf8"));
const folder = await mkdtemp(join(tmpdir(), "covey-frozen-"));
afterAll(() => rm(folder, { recursive: true }));

describe("the frozen check", () => {
  test.for(cases)("$heading", async ({ source, expected }) => {
    const findings = await check(source);
    const lines = findings.map((finding) => `${finding.line}: ${finding.what}`);
    expect(lines.length === 0 ? ["ok"] : lines).toEqual(expected);
  });

  test("names the source file and says what to write instead", async () => {
    const [finding] = await check("export const roles = [];");
    expect(formatFinding(finding!)).toMatch(
      /core\.ts:1: unfrozen module-level array literal: .+ heap for it; wrap it in Object\.freeze/,
    );
  });

  test("passes the firmware's own core", async () => {
    expect((await checkFrozen()).map(formatFinding)).toEqual([]);
  });

  test("passes what a simulated board has linked", async () => {
    const linked = join(projectRoot, "firmware/platform/desktop/linked.ts");
    expect((await checkFrozen(linked)).map(formatFinding)).toEqual([]);
  });

  test("passes the main for the Moddable SDK", async () => {
    expect((await checkFrozenMain()).map(formatFinding)).toEqual([]);
  });
});

async function check(source: string) {
  const own = await mkdtemp(join(folder, "case-"));
  await writeFile(join(own, "core.ts"), source);
  return checkFrozen(join(own, "core.ts"));
}

interface Case {
  readonly heading: string;
  readonly source: string;
  readonly expected: readonly string[];
}

function parseCases(text: string): Case[] {
  const [, ...sections] = text.split("\n# ");
  return sections.map((section) => {
    const [head, tail] = section.split("\n----\n") as [string, string];
    const [heading, ...source] = head.split("\n");
    return { heading: heading!, source: source.join("\n"), expected: tail.trim().split("\n") };
  });
}
