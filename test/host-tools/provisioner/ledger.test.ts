/** Who is who, over power cuts. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type BoardEntry, BoardLedger } from "../../../host-tools/provisioner/ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "covey-ledger-"));
afterAll(() => rmSync(folder, { recursive: true }));

const entry = (name: string, mac: string, state: BoardEntry["state"] = "done"): BoardEntry => ({
  ...{ at: "2026-11-23T09:00:00.000Z", name, mac, state },
  ...{ chip: "ESP32-C3", model: "esp32c3-devkit", identity: "0123456789abcdef" },
});

test("the last line of a name counts, and the same again is no line", () => {
  const ledger = BoardLedger.open(folder);
  ledger.write(entry("gate", "m1", "begun"));
  ledger.write(entry("gate", "m1"));
  ledger.write({ ...entry("gate", "m1"), at: "later" });
  ledger.write(entry("door", "m2"));
  const again = BoardLedger.open(folder);
  expect(again.entries.map(({ name, state }) => `${name} ${state}`)).toEqual(["gate done", "door done"]);
  expect(again.withMac("m2")?.name).toBe("door");
  expect(again.named("attic")).toBeUndefined();
  expect(readFileSync(ledger.file, "utf8").split("\n")).toHaveLength(4);
  expect(statSync(ledger.file).mode & 0o777).toBe(0o600);
});

test("half a line that a power cut left is forgotten; anything else that is no line is told with its place", () => {
  const { file } = BoardLedger.open(folder);
  const whole = readFileSync(file, "utf8");
  appendFileSync(file, '{"at":"2026-11-23T09:0');
  const ledger = BoardLedger.open(folder);
  expect(ledger.entries).toHaveLength(2);
  ledger.write(entry("loft", "m3"));
  expect(
    readFileSync(file, "utf8").startsWith(`${whole}{"at":"2026-11-23T09:00:00.000Z","name":"loft"`),
  ).toBe(true);
  writeFileSync(file, `${whole}{"name":7}\n`);
  expect(() => BoardLedger.open(folder)).toThrow(`${file}:4 is no line of this ledger`);
});
