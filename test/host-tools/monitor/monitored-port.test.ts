/** A port that is listened to: no board is reset by it, and it comes back. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import type { FlashProblem } from "../../../host-tools/flasher/problems.ts";
import { openDevice } from "../../../host-tools/flasher/serial/device-wire.ts";
import { MonitoredPort } from "../../../host-tools/monitor/monitored-port.ts";
import { attach } from "../../emulators/attach.ts";
import { PtyDevice } from "../../emulators/pty/pty.ts";
import { transistorReset, usbSerialJtagReset } from "../../emulators/serial/reset-lines.ts";
import { CoveyProcess, covey } from "../cli/covey-process.ts";

describe("at a serial server", () => {
  test.each([
    ["esp32", "uart-bridge"],
    ["esp32c3", "uart-bridge"],
    ["esp32c3", "usb-serial-jtag"],
    ["esp32s3", "usb-serial-jtag"],
  ] as const)("%s with %s: attached and let go without a reset, and reset on purpose", async (chip, usb) => {
    const { chip: board, url } = await attach({ chip, usb });
    const { port, log } = watch(url);
    await port.open();
    board.say("info: still here\n");
    await expect.poll(() => log.join("")).toContain("still here");
    expect(await port.send(Buffer.from("hello"))).toBe(true);
    await expect.poll(() => Buffer.from(board.typed).toString()).toBe("hello");
    await port.close();
    await expect.poll(async () => (await reopened(url)) && board.counters.starts).toBe(1);
    const again = watch(url);
    await again.port.open();
    expect(await again.port.reset()).toBe(true);
    await expect.poll(() => board.counters.starts).toBe(2);
    await expect.poll(() => again.log.join("")).toMatch(/rst:/);
    expect(board.mode).not.toBe("download");
  });

  test("a pulled cable: it says so, waits, and hears the board's start when it is back", async () => {
    const { chip, url } = await attach();
    const { port, log } = watch(url);
    await port.open();
    chip.pull();
    await port.send(Buffer.from("x"));
    await expect.poll(() => log.at(-1)).toMatch(/^away /);
    expect(await port.send(Buffer.from("lost"))).toBe(false);
    chip.plug();
    await expect.poll(() => log.at(-1), { timeout: 5000 }).toBe("attached again");
    chip.say("info: back\n");
    await expect.poll(() => log.at(-1)).toBe("info: back\n");
  });

  test("one that another program has: it is named, and no byte of the refusal is taken for the board's", async () => {
    const { chip, url } = await attach({ faults: { portBusy: true } });
    const { port, log } = watch(url);
    await expect(port.open()).rejects.toMatchObject({ code: "port-busy" });
    port.keepTrying();
    await expect.poll(() => log, { timeout: 5000 }).toEqual(["trouble port-busy"]);
    chip.faults.portBusy = false;
    await expect.poll(() => log.at(-1), { timeout: 5000 }).toBe("attached again");
  });

  test("nobody there", async () => {
    const { port } = watch("rfc2217://127.0.0.1:1");
    await expect(port.open()).rejects.toMatchObject({
      code: "no-port",
      message: expect.stringContaining("can't be reached"),
    });
  });
});

describe("as a device of this computer", () => {
  test("carries bytes both ways, goes away and comes back under its name", async () => {
    const device = await ptyDevice();
    const { port, log } = watch(device.path);
    await port.open();
    device.send("info: hello\n");
    await expect.poll(() => log.join("")).toContain("info: hello\n");
    expect(await port.send(Buffer.from("status\n"))).toBe(true);
    await expect.poll(() => device.heard.toString()).toBe("status\n");
    expect(await port.reset()).toBe(false);
    await device.pull();
    await expect.poll(() => log.at(-1), { timeout: 5000 }).toMatch(/^away /);
    await device.plug();
    await expect.poll(() => log.at(-1), { timeout: 5000 }).toBe("attached again");
    device.send("info: again\n");
    await expect.poll(() => log.at(-1)).toBe("info: again\n");
  });

  test("is held by one program at a time, and not there when it is not", async () => {
    const device = await ptyDevice();
    const wire = await openDevice(device.path, 115_200, { data: () => {}, gone: () => {} });
    const { port } = watch(device.path);
    await expect(port.open()).rejects.toMatchObject({ code: "port-busy" });
    await wire.close();
    await device.pull();
    await expect(port.open()).rejects.toMatchObject({ code: "no-port" });
  });

  /** Led to both circuits as the process set them; the first state is the kernel's at the open. */
  test("its control lines reset no board when it attaches and ends, and do when they are told to", async () => {
    const device = await ptyDevice();
    const { environment, file } = await device.withLines();
    await covey(["monitor", "--port", device.path, "--for", "1s"], "/", environment);
    const quiet = lineStates(file);
    expect(quiet).toEqual([[false, false]]);
    expect(await settled(startsOf(quiet))).toEqual({ transistors: 0, usb: 0 });
    await covey(["monitor", "--port", device.path, "--for", "1s", "--reset"], "/", environment);
    const reset = lineStates(file).slice(quiet.length);
    expect(await settled(startsOf(reset))).toEqual({ transistors: 1, usb: 1 });
  });
});

test("a line that is set alone leaves the other as it is", async () => {
  // serialport raises the one that it is not told: so a board with USB-Serial/JTAG was held in reset by a flasher on a real device.
  const device = await ptyDevice();
  const { environment, file } = await device.withLines();
  const flasher = new CoveyProcess(["flash", "--port", device.path, "--read"], "/", environment);
  onTestFinished(() => void flasher.interrupt());
  const changes = () => {
    const states = lineStates(file).map(([dtr, rts]) => `${dtr ? "D" : "-"}${rts ? "R" : "-"}`);
    return states.filter((state, i) => state !== states[i - 1]).join(" ");
  };
  // esptool's way in through the transistors, and then its way through the chip's own USB.
  await expect.poll(changes, { timeout: 20_000 }).toMatch(/^-- -R D- -- D- -- D- DR -R --/);
});

function watch(name: string): { readonly port: MonitoredPort; readonly log: string[] } {
  const log: string[] = [];
  const port = new MonitoredPort(name, 115_200, {
    bytes: (bytes) => log.push(Buffer.from(bytes).toString("latin1")),
    attached: (again) => again && log.push("attached again"),
    away: (reason) => log.push(`away ${reason}`),
    trouble: (found: FlashProblem) => log.push(`trouble ${found.code}`),
  });
  onTestFinished(() => port.close());
  return { port, log };
}

/** When the server gave the port to another, it let the first go. */
async function reopened(url: string): Promise<boolean> {
  const { port } = watch(url);
  const opened = await port.open().then(
    () => true,
    () => false,
  );
  await port.close();
  return opened;
}

async function ptyDevice(): Promise<PtyDevice> {
  const device = await PtyDevice.make();
  onTestFinished(() => device.remove());
  return device;
}

function lineStates(file: string): [dtr: boolean, rts: boolean][] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map((bit) => bit === "1") as [boolean, boolean]);
}

interface Starts {
  transistors: number;
  usb: number;
}

function startsOf(states: readonly (readonly [boolean, boolean])[]): Starts {
  const starts: Starts = { transistors: 0, usb: 0 };
  const pins = (kind: keyof Starts) => ({ hold: () => {}, start: () => void starts[kind]++ });
  const circuits = [
    transistorReset(pins("transistors"), () => "both", 0),
    usbSerialJtagReset(pins("usb"), () => "both"),
  ];
  for (const [dtr, rts] of [[true, true] as const, ...states])
    for (const circuit of circuits) circuit.set(dtr, rts);
  return starts;
}

/** EN rises a moment after it is let go. */
async function settled(starts: Starts): Promise<Starts> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return starts;
}
