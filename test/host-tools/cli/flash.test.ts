/** `covey flash` as a user runs it, against emulated boards at serial servers. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { writeSimulatorFiles } from "../../../host-tools/builder/simulator-image.ts";
import { attach, detachAll, holds } from "../flasher/attached.ts";
import { boardFiles, boardLayout, flash4MB } from "../flasher/board-image.ts";
import { covey, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);
afterEach(detachAll);

const image = { chip: "esp32c3", appBytes: 60_000 } as const;
beforeAll(() => {
  for (const chip of ["esp32c3", "esp32"] as const) {
    const place = join(folder, "build/boards", chip);
    mkdirSync(place, { recursive: true });
    for (const [name, bytes] of boardFiles({ ...image, chip })) writeFileSync(join(place, name), bytes);
  }
});

test("a dry run shows the plan and writes nothing; then it is written; then there is nothing to write", async () => {
  const { chip, url } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  const plan = await covey(["flash", "--port", url, "--dry-run"], folder);
  expect(plan.exitCode).toBe(0);
  expect(plan.stdout).toMatch(/would get 8\d,\d{3} of the \d+,\d{3} bytes of build\/boards\/esp32c3/);
  expect(plan.stdout).toMatch(/^ {2}0x020000 {2}ota_0 +60,\d{3} of 60,\d{3} bytes$/m);
  expect(chip.counters.programmedBytes).toBe(0);
  const written = await covey(["flash", "--port", url], folder);
  expect(written).toMatchObject({ exitCode: 0 });
  expect(written.stdout).toMatch(/ESP32-C3 24:0a:c4:00:00:01 .*written and verified, it starts$/m);
  expect(holds(chip, boardLayout(image))).toBe(true);
  const again = await covey(["flash", "--port", url], folder);
  expect(again.stdout).toMatch(/holds build\/boards\/esp32c3 already; nothing was written, it starts$/m);
});

test("several boards of two kinds at once; one that fails does not stop the others", async () => {
  const one = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  const two = await attach({ chip: "esp32", flashBytes: flash4MB });
  const busy = await attach({ chip: "esp32", flashBytes: flash4MB, faults: { portBusy: true } });
  const ports = [one, busy, two].flatMap(({ url }) => ["--port", url]);
  const { exitCode, stdout } = await covey(["flash", ...ports, "--json"], folder);
  expect(exitCode).toBe(1);
  const { boards } = JSON.parse(stdout);
  expect(boards).toMatchObject([
    { port: one.url, outcome: "written", chip: { label: "ESP32-C3" } },
    { port: busy.url, error: { code: "port-busy", board: "unchanged" } },
    { port: two.url, outcome: "written", chip: { label: "ESP32" } },
  ]);
  expect(holds(one.chip, boardLayout(image))).toBe(true);
  expect(holds(two.chip, boardLayout({ ...image, chip: "esp32" }))).toBe(true);
});

test("what a board holds is told and saved, for its owner's eyes only", async () => {
  const { chip, url } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  await covey(["flash", "--port", url], folder);
  const read = await covey(["flash", "--port", url, "--read", "--backup", "saved.bin"], folder);
  expect(read.exitCode).toBe(0);
  expect(read.stdout).toMatch(/ESP32-C3 v0\.4 24:0a:c4:00:00:01, 4 MB of flash$/m);
  expect(read.stdout).toMatch(/^ {2}0x020000 {2}ota_0 +1,900,544 bytes {2}xs_esp32 1\.0\.0$/m);
  const saved = join(folder, "saved.bin");
  expect(Buffer.compare(readFileSync(saved), chip.flash)).toBe(0);
  expect(statSync(saved).mode & 0o077).toBe(0);
  const other = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  await covey(["flash", "--port", other.url, "--image", "saved.bin"], folder);
  expect(holds(other.chip, boardLayout(image))).toBe(true);
});

test("--erase takes settings too, and asks first", async () => {
  const { chip, url } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  chip.flash.fill(0x42, 0x9000, 0xa000);
  expect(await covey(["flash", "--port", url, "--erase"], folder)).toMatchObject({
    exitCode: 2,
    stderr: "covey flash --erase asks before it goes ahead; without a terminal, say --yes.\n",
  });
  expect(chip.flash[0x9000]).toBe(0x42);
  expect(await covey(["flash", "--port", url, "--erase", "--yes"], folder)).toMatchObject({ exitCode: 0 });
  expect(chip.flash[0x9000]).toBe(0xff);
  expect(holds(chip, boardLayout(image))).toBe(true);
});

test("--erase where there is no image erases, verifies that, and says so", async () => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere, { recursive: true });
  const { chip, url } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  chip.flash.fill(0x42, 0x9000, 0xa000);
  const plan = await covey(["flash", "--port", url, "--erase", "--dry-run"], elsewhere);
  expect(plan.stdout).toMatch(/all of its 4 MB would be erased$/m);
  expect(chip.flash[0x9000]).toBe(0x42);
  const erased = await covey(["flash", "--port", url, "--erase", "--yes"], elsewhere);
  expect(erased.stdout).toMatch(/all of its 4 MB is erased: no program, no settings, no identity$/m);
  expect(chip.flash.every((byte) => byte === 0xff)).toBe(true);
  const named = await covey(["flash", "--port", url, "--erase", "--yes", "--image", "none"], elsewhere);
  expect(named).toMatchObject({ exitCode: 2, stdout: "" });
});

test("firmware for simulated boards is written where it is wanted, with a note that no chip starts from it", async () => {
  const board = loadBoards().get("esp32c3-devkit")!;
  const program = { slotBytes: 16, core: new Uint8Array(64), main: new Uint8Array(64) };
  await writeSimulatorFiles(program, { board, folder: join(folder, "simulated") });
  const { url } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  const written = await covey(["flash", "--port", url, "--image", "simulated"], folder);
  expect(written).toMatchObject({ exitCode: 0 });
  expect(written.stderr).toContain("simulated is for simulated boards: a chip does not start from it;");
});

test("the wrong chip, no board, no image: one sentence each with what to do", async () => {
  const { url } = await attach({ chip: "esp32s3", flashBytes: flash4MB });
  const wrong = await covey(["flash", "--port", url, "--image", "build/boards/esp32"], folder);
  expect(wrong).toMatchObject({ exitCode: 1, stdout: "" });
  expect(wrong.stderr).toContain(
    "is for an ESP32, and this board has an ESP32-S3: build it for this kind of board.",
  );
  const none = await covey(["flash", "--port", url, "--image", "elsewhere", "--json"], folder);
  expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: "wrong-input" } });
});
