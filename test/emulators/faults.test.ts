/** Each thing that can go wrong with a board, its cable and its port, as a client sees it. */
import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { attach, inRom, inStub, startRom } from "./attach.ts";
import { EmulatedChip } from "./esp-chip.ts";
import { pause, RawClient, syncBody, words } from "./raw-client.ts";

const readMagic = [0x0a, words(0x40001000)] as const;

test("lost and turned bytes, at their positions and in both directions", async () => {
  const { client, chip } = await inRom();
  const { bytesIn, bytesOut } = chip.counters;
  chip.faults.toChip = { lost: [bytesIn + 3] };
  await client.send(...readMagic);
  // One byte short of what its header says, so the length is wrong.
  expect((await client.answer()).data).toEqual([1, 5, 0, 0]);
  chip.faults.toChip = {};
  chip.faults.toHost = { lost: [bytesOut + 14 + 5] };
  await client.send(...readMagic);
  expect((await client.packet()).length).toBe(11);
  const now = chip.counters.bytesOut;
  chip.faults.toHost = { flipped: [now + 10] };
  await client.send(...readMagic);
  const turned = Buffer.from(await client.packet());
  expect(turned.equals(Buffer.from("010a04000900000000000000", "hex"))).toBe(false);
  expect(turned.length).toBe(12);
});

test("a cable pulled at a byte ends the connection there, and the board has no power until it is back", async () => {
  const { client, chip, url } = await inStub();
  const data = randomBytes(0x3000);
  const stream = deflateSync(data);
  await client.ask(0x10, words(data.length, 12, 0x400, 0x1000));
  const before = chip.counters.bytesIn;
  chip.pull(5000);
  for (let n = 0; chip.mode !== "off"; n++) {
    const sent = client.block(0x11, stream.subarray(n * 0x400, (n + 1) * 0x400), n);
    await Promise.race([sent.catch(() => undefined), client.ended]);
  }
  await client.ended;
  expect(chip.counters.bytesIn).toBe(before + 5000);
  expect(chip.mode).toBe("off");
  const refused = await RawClient.open(url);
  await refused.ended;
  expect(refused.heard).toContain("No such device");
  chip.plug();
  expect(chip.mode).toBe("no-image");
  const again = await RawClient.open(url);
  await startRom(again, chip);
  expect((await again.sync())[0]!.value).not.toBe(0);
  await again.port.close();
});

test("a cable pulled on the way to the host leaves half an answer", async () => {
  const { client, chip } = await inRom();
  const heard = client.heard.length;
  chip.pull(6, "to-host");
  await client.send(...readMagic);
  await client.ended;
  expect(client.heard.length).toBe(heard + 6);
});

test("a brown-out in the middle of a page leaves half of it, resets the chip, and says so", async () => {
  const { client, chip } = await inStub({ faults: { brownOut: { programmedBytes: 0x180 } } });
  await client.ask(0x02, words(0x1000, 1, 0x1000, 0));
  expect((await client.block(0x03, new Uint8Array(0x1000), 0)).data).toEqual([0, 0]);
  await expect.poll(() => client.heard).toMatch(/BROWNOUT_RST.*SPI_FAST_FLASH_BOOT/);
  expect(chip.mode).toBe("no-image");
  expect(chip.flash.lastIndexOf(0)).toBe(0x17f);
  expect(chip.counters.programmedBytes).toBe(0x100);
  await startRom(client, chip);
  await client.sync();
});

test("a brown-out in the middle of an erase leaves a sector that is neither old nor blank", async () => {
  const { client, chip } = await inStub({ faults: { brownOut: { erasedSectors: 1 } } });
  chip.flash.fill(0, 0, 0x3000);
  await client.send(0xd1, words(0, 0x3000));
  await expect.poll(() => chip.mode).toBe("no-image");
  expect(new Set(chip.flash.subarray(0, 0x1000))).toEqual(new Set([0xff]));
  expect(new Set(chip.flash.subarray(0x1000, 0x2000))).toEqual(new Set([0, 0xff]));
  expect(new Set(chip.flash.subarray(0x2000, 0x3000))).toEqual(new Set([0]));
});

test("power that is cut while a slow erase goes on leaves the rest as it was", async () => {
  const { client, chip } = await inStub({ faults: { sectorEraseMs: 30 } });
  chip.flash.fill(0);
  await client.send(0xd1, words(0, 0x8000));
  await pause(75);
  chip.powerCycle();
  await pause(100);
  expect(chip.flash[0]).toBe(0xff);
  expect(chip.flash[0x7000]).toBe(0);
});

test("a slow erase delays its answer", async () => {
  const { client, chip } = await inStub({ faults: { sectorEraseMs: 60 } });
  chip.flash.fill(0);
  const start = performance.now();
  await client.ask(0xd1, words(0, 0x3000));
  expect(performance.now() - start).toBeGreaterThan(170);
});

test("a wrong MD5, as often as asked for", async () => {
  const { client, chip } = await inStub();
  const right = await client.ask(0x13, words(0, 100, 0, 0));
  chip.faults.wrongMd5 = 2;
  expect(await client.ask(0x13, words(0, 100, 0, 0))).not.toEqual(right);
  expect(await client.ask(0x13, words(0, 100, 0, 0))).not.toEqual(right);
  expect(await client.ask(0x13, words(0, 100, 0, 0))).toEqual(right);
});

test("worn cells: the stub says nothing, the MD5 does", async () => {
  const { client, chip } = await inStub({ faults: { badCells: [0x42] } });
  await client.ask(0x02, words(0x100, 1, 0x100, 0));
  await client.block(0x03, new Uint8Array(0x100), 0);
  expect((await client.ask(0x04, words(1))).data).toEqual([0, 0]);
  expect(chip.flash.indexOf(0xff)).toBe(0x42);
  const wanted = createHash("md5").update(new Uint8Array(0x100)).digest();
  expect((await client.ask(0x13, words(0, 0x100, 0, 0))).data.slice(0, 16)).not.toEqual([...wanted]);
});

test("both ends must have the same rate, and a bad cable has a highest one", async () => {
  const { client, chip } = await inStub({ faults: { maxBaud: 460_800 } });
  expect((await client.ask(0x0f, words(460_800, 115_200))).data).toEqual([0, 0]);
  const before = chip.counters.commands.READ_REG;
  await client.send(...readMagic);
  await pause(40);
  expect(chip.counters.commands.READ_REG).toBe(before);
  client.port.setBaudRate(460_800);
  await pause(20);
  const noisy = chip.counters.commands.SYNC!;
  for (let i = 0; i < 4 && chip.counters.commands.SYNC === noisy; i++) {
    // Noise may have begun a frame: another end puts the stub back in step.
    await client.write(Uint8Array.of(0xc0));
    await client.send(0x08, syncBody);
    await pause(20);
  }
  expect(chip.counters.commands.SYNC).toBeGreaterThan(noisy);
  await client.send(0x0f, words(921_600, 460_800));
  await pause(40);
  client.port.setBaudRate(921_600);
  const synced = chip.counters.commands.SYNC;
  await client.send(0x08, syncBody);
  await pause(40);
  expect(chip.counters.commands.SYNC).toBe(synced);
});

test("the ROM takes its rate from the first bytes that it hears", async () => {
  const { url, chip } = await attach({ chip: "esp32c3" });
  const client = await RawClient.open(url, 230_400);
  await startRom(client, chip);
  expect((await client.sync()).length).toBe(8);
  client.port.setBaudRate(115_200);
  await client.send(...readMagic);
  await pause(40);
  expect(chip.counters.commands.READ_REG).toBeUndefined();
  await client.port.close();
});

test("a port that another program holds says so and hangs up", async () => {
  const { url, chip } = await attach({ faults: { portBusy: true } });
  const refused = await RawClient.open(url);
  await refused.ended;
  expect(refused.heard).toBe("Port already in use\r\n");
  chip.faults.portBusy = false;
  const first = await RawClient.open(url);
  await pause(20);
  const second = await RawClient.open(url);
  await second.ended;
  expect(second.heard).toBe("Port already in use\r\n");
  await first.port.close();
});

test("a board without a reset circuit stays in its application; its button and power get it out", async () => {
  const { url, chip } = await attach({ faults: { resetCircuit: "absent" } });
  const client = await RawClient.open(url);
  const starts = chip.counters.starts;
  await client.enterDownload();
  await client.send(0x08, syncBody);
  expect(await client.silent()).toBe(true);
  expect(chip.counters.starts).toBe(starts);
  chip.holdBoot(true);
  chip.powerCycle();
  chip.holdBoot(false);
  expect((await client.sync()).length).toBe(8);
  await client.port.close();
});

test("a board whose IO0 is not wired resets into its application and tells its boot mode", async () => {
  const { url, chip } = await attach({ chip: "esp32", faults: { resetCircuit: "boot-pin-unwired" } });
  const client = await RawClient.open(url);
  await client.enterDownload();
  await expect.poll(() => client.heard).toContain("boot:0x13 (SPI_FAST_FLASH_BOOT)");
  expect(chip.mode).toBe("no-image");
  await client.port.close();
});

test("a chip that can't be is refused when it is made", () => {
  expect(() => new EmulatedChip({ chip: "esp32", flashBytes: 3_000_000 })).toThrow("power of two");
  expect(() => new EmulatedChip({ chip: "esp32", flashBytes: 0x400000, usb: "usb-serial-jtag" })).toThrow(
    "ESP32 has no USB-Serial/JTAG",
  );
  expect(
    () => new EmulatedChip({ chip: "esp32", flashBytes: 0x400000, efuses: { secureDownload: true } }),
  ).toThrow("ESP32 has no Secure Download Mode");
});
