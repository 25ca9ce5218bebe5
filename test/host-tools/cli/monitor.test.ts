/** `covey monitor` as a user runs it, against emulated boards at serial servers. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { attach } from "../../emulators/attach.ts";
import { PtyDevice } from "../../emulators/pty/pty.ts";
import { boardFiles, flash4MB } from "../flasher/board-image.ts";
import { CoveyProcess, covey, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);

test("several boards in one log, each under its own name once it said it", async () => {
  const one = await attach();
  const two = await attach({ chip: "esp32c3" });
  const process = new CoveyProcess(["monitor", "--port", one.url, "--port", two.url, "--no-time"], folder);
  await expect.poll(() => process.stdout.match(/attached, without a reset/g)?.length).toBe(2);
  one.chip.say("info: recovered member=north-1.4f1c applied=1 keys=2\n");
  await expect.poll(() => process.stdout).toContain("recovered");
  two.chip.say("warn: link-lost host=main\n");
  one.chip.say("debug: turn\n");
  await expect.poll(() => process.stdout).toMatch(/debug +turn/);
  const { exitCode, stdout } = await process.interrupt();
  expect(exitCode).toBe(0);
  const label = two.url.slice("rfc2217://".length);
  expect(stdout.split("\n").slice(2)).toEqual([
    "north-1          info   recovered member=north-1.4f1c applied=1 keys=2",
    `${label}  warn   link-lost host=main`.replace(/^(\S+) +/, (_, name: string) => `${name.padEnd(15)}  `),
    "north-1          debug  turn",
    "",
  ]);
  expect([one.chip.counters.starts, two.chip.counters.starts]).toEqual([1, 1]);
});

test("in a pipe: what comes in goes to the board, what it says comes out, a JSON object a line", async () => {
  const { chip, url } = await attach();
  const process = new CoveyProcess(["monitor", "--port", url, "--json", "--level", "warn"], folder);
  await process.firstLine();
  process.child.stdin.end("status\n");
  await expect.poll(() => Buffer.from(chip.typed).toString()).toBe("status\n");
  chip.say("info: hidden\nerror: flash-damaged member=a.1 what=log\n");
  await expect.poll(() => process.stdout).toContain("flash-damaged");
  const { stdout, stderr } = await process.interrupt();
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events).toMatchObject([
    { kind: "port", state: "attached", port: url },
    { kind: "line", level: "error", event: "flash-damaged", facts: { what: "log" }, board: "a" },
  ]);
  expect(Date.parse(events[1].at)).toBeGreaterThan(0);
  expect(stderr).toBe("");
});

test("another rate is recognised", async () => {
  const { chip, url } = await attach();
  const process = new CoveyProcess(["monitor", "--port", url], folder);
  await process.firstLine();
  chip.say("info: a line that is long enough to be told from noise, and then some more of it\n", 460_800);
  await expect.poll(() => process.stdout).toContain("noise at 115200 bit/s");
  await process.interrupt();
  const right = new CoveyProcess(["monitor", "--port", url, "--baud", "460800"], folder);
  await right.firstLine();
  chip.say("info: heard\n", 460_800);
  await expect.poll(() => right.stdout).toMatch(/info +heard/);
  await right.interrupt();
});

test("flashed, and then watched from the start", async () => {
  const { chip, url } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  for (const [name, bytes] of boardFiles({ chip: "esp32c3", appBytes: 20_000 }))
    writeFileSync(join(folder, name), bytes);
  const process = new CoveyProcess(["flash", "--port", url, "--image", folder, "--monitor"], folder);
  await expect.poll(() => process.stdout, { timeout: 20_000 }).toMatch(/info +main_task: Started/);
  const { exitCode, stdout } = await process.interrupt();
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/written and verified, it starts\n.*attached[\s\S]*started because/);
  expect(chip.mode).toBe("application");
});

test("what can't be: one sentence each", async () => {
  const { url } = await attach({ faults: { portBusy: true } });
  expect(await covey(["monitor", "--port", url], folder)).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `${url} is held by another program: close the monitor or editor that has it open, and run the same command again.\n`,
  });
  const wrong = await covey(["monitor", "--port", url, "--elf", "nothing.elf"], folder);
  expect(wrong).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^nothing\.elf can't be read \(ENOENT\)/),
  });
  writeFileSync(join(folder, "text.elf"), "not an ELF file");
  const noElf = await covey(["monitor", "--port", url, "--elf", "text.elf", "--json"], folder);
  expect(JSON.parse(noElf.stdout).error.message).toMatch(/^text\.elf: this is no ELF file; name the \.elf/);
});

test("a device that is unplugged and comes back", async () => {
  const device = await PtyDevice.make();
  onTestFinished(() => device.remove());
  const process = new CoveyProcess(["monitor", "--port", device.path, "--no-time"], folder);
  await process.firstLine();
  device.send("info: joined host=main member=hall.1 term=2\nprompt> ");
  await expect.poll(() => process.stdout).toContain("prompt>");
  await device.pull();
  await expect
    .poll(() => process.stdout, { timeout: 5000 })
    .toMatch(/hall .*it went away \(.*\): waiting for it/);
  await device.plug();
  await expect.poll(() => process.stdout, { timeout: 5000 }).toMatch(/hall .*it is back/);
  await process.interrupt();
});
