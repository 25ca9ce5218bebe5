import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CannotSign } from "../../../host-tools/keys/key-error.ts";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import { signReleases } from "../../../host-tools/keys/release.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { readRelease } from "../../../protocols/update/release.ts";

async function keys() {
  const folder = mkdtempSync(join(tmpdir(), "covey-release-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const made = await KeyFolder.create(join(folder, "keys"), "house", undefined);
  return { folder: made, unlocked: await made.unlock() };
}

const image = new Uint8Array(3_000).fill(7);
const one = { model: "esp32c3-devkit", firmware: "0.2.0", image };

test("each release gets the next sequence, which the ledger keeps, and the root's signature", async () => {
  const { folder, unlocked } = await keys();
  const [first, second] = signReleases(folder, unlocked, [one, { ...one, model: "esp32-devkit" }], 0);
  expect([first!.release.sequence, second!.release.sequence]).toEqual([1, 2]);
  expect(readRelease(nodeCiphers, folder.root, first!.signed)).toEqual(first!.release);
  expect(first!.release).toMatchObject({ swarm: "house", model: "esp32c3-devkit", sizeBytes: 3_000 });
  expect(KeyFolder.open(folder.path).ledger().lastRelease).toBe(2);
  expect(signReleases(folder, unlocked, [one], 0)[0]!.release.sequence).toBe(3);
});

test("the sequence goes on after what the swarm knows, where that is more", async () => {
  const { folder, unlocked } = await keys();
  expect(signReleases(folder, unlocked, [one], 40)[0]!.release.sequence).toBe(41);
  expect(signReleases(folder, unlocked, [one], 7)[0]!.release.sequence).toBe(42);
});

test("what is no release uses no sequence up", async () => {
  const { folder, unlocked } = await keys();
  const wrong = [
    { ...one, firmware: "" },
    { ...one, firmware: "x".repeat(33) },
    { ...one, image: new Uint8Array(0) },
    { ...one, model: "m".repeat(49) },
  ];
  for (const each of wrong) expect(() => signReleases(folder, unlocked, [one, each], 0)).toThrow(CannotSign);
  expect(() => signReleases(folder, unlocked, [one], 0xff_ff_ff_ff)).toThrow(CannotSign);
  expect(folder.ledger().lastRelease).toBeUndefined();
});
