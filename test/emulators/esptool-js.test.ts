/** The emulator, driven by a client that others wrote for real chips: esptool-js. */
import { createHash, randomBytes } from "node:crypto";
import { ESPLoader, Transport } from "esptool-js";
import { afterEach, expect, test } from "vitest";
import { type ChipOptions, EmulatedChip } from "./esp-chip.ts";
import { SerialClient } from "./serial-client.ts";

const chips = [
  { chip: "esp32", name: /^ESP32-D0WD-V3 \(revision 3\)/ },
  { chip: "esp32s3", name: /^ESP32-S3 \(QFN56\) \(revision v0\.2\)/ },
  { chip: "esp32c3", name: /^ESP32-C3 \(QFN32\) \(revision v0\.4\)/ },
] as const;

test.each(chips)(
  "esptool-js detects an $chip, uploads its stub, writes, verifies and reads back",
  async ({ chip, name }) => {
    const board = await attach({ chip, flashBytes: 0x400000, mac: "24:0a:c4:12:34:56" });
    const loader = board.loader(921_600);
    expect(await loader.main()).toMatch(name);
    expect(board.chip.mode).toBe("stub");
    expect(board.lines.join("\n")).toContain("MAC: 24:0a:c4:12:34:56");
    expect(await loader.detectFlashSize()).toBe("4MB");

    const image = Buffer.concat([randomBytes(100_000), Buffer.alloc(150_000, 0x5a), randomBytes(33)]);
    await write(loader, image, 0x10000);
    expect(Buffer.compare(board.chip.flash.subarray(0x10000, 0x10000 + image.length), image)).toBe(0);
    expect(Buffer.compare(await loader.readFlash(0x10000, 5000), image.subarray(0, 5000))).toBe(0);
    expect(board.chip.counters.commands.FLASH_DEFL_DATA).toBeGreaterThan(5);
  },
);

test.each(["esp32s3", "esp32c3"] as const)(
  "it reaches an %s through USB-Serial/JTAG, whatever rate it asks for",
  async (chip) => {
    const board = await attach({ chip, flashBytes: 0x400000, usb: "usb-serial-jtag" });
    const loader = board.loader(921_600);
    await loader.main("usb_reset");
    expect(board.chip.mode).toBe("stub");
    await write(loader, Buffer.alloc(5000, 0x33), 0x8000);
    expect(board.chip.flash[0x8000 + 4999]).toBe(0x33);
  },
);

test("it falls back to the ROM's rate where the cable can't carry more", async () => {
  const board = await attach({ chip: "esp32c3", flashBytes: 0x400000, faults: { maxBaud: 460_800 } });
  const loader = board.loader(921_600);
  await loader.main();
  expect(board.lines.join("\n")).toContain("Continuing at 115200 baud");
  await write(loader, Buffer.alloc(5000, 0x44), 0x8000);
  expect(board.chip.flash[0x8000 + 4999]).toBe(0x44);
});

test("in Secure Download Mode it writes through the ROM, once the flash is attached", async () => {
  const board = await attach({ chip: "esp32s3", flashBytes: 0x400000, efuses: { secureDownload: true } });
  const loader = board.loader(115_200);
  expect(await loader.main()).toBe("ESP32-S3");
  expect(loader.secureDownloadMode).toBe(true);
  expect(board.chip.mode).toBe("download");
  // esptool-js attaches nowhere, and its SPI_ATTACH lacks the word that the ROM wants.
  await expect(loader.flashSpiAttach(0)).rejects.toThrow("status 1,5");
  await loader.checkCommand("attach", loader.ESP_SPI_ATTACH, new Uint8Array(8));
  loader.FLASH_WRITE_SIZE = 0x400;
  await loader.flashBegin(0x800, 0x8000);
  await loader.flashBlock(new Uint8Array(0x400).fill(1), 0, 3000);
  await loader.flashBlock(new Uint8Array(0x400).fill(2), 1, 3000);
  expect([...board.chip.flash.subarray(0x83ff, 0x8401)]).toEqual([1, 2]);
});

test("over bare bytes, with the boot button held, it does without control lines", async () => {
  const board = await attach({ chip: "esp32", flashBytes: 0x400000 });
  board.chip.holdBoot(true);
  board.chip.powerCycle();
  const loader = board.loader(115_200, board.socketUrl);
  await loader.main("no_reset");
  expect(board.chip.mode).toBe("stub");
});

test("lost bytes: it sends the block again, and what is written is right", async () => {
  const board = await attach({ chip: "esp32c3", flashBytes: 0x400000 });
  const loader = board.loader(115_200);
  await loader.main();
  const image = randomBytes(40_000);
  // In the middle of the second block's data.
  board.chip.faults.toChip = { flipped: [board.chip.counters.bytesIn + 25_000] };
  await write(loader, image, 0x10000);
  expect(Buffer.compare(board.chip.flash.subarray(0x10000, 0x10000 + image.length), image)).toBe(0);
  expect(board.chip.counters.commands.FLASH_DEFL_DATA).toBe(4);
});

test("a paced board takes as long as its rate and its flash do", async () => {
  const board = await attach({ chip: "esp32c3", flashBytes: 0x400000, paced: true });
  const loader = board.loader(921_600);
  await loader.main();
  const image = randomBytes(64_000);
  board.chip.flash.fill(0, 0x10000, 0x20000);
  const start = performance.now();
  await write(loader, image, 0x10000);
  // 64 KB at 92,160 bytes/s, while a block of 64 KB is erased as sixteen sectors of 45 ms.
  expect(performance.now() - start).toBeGreaterThan(1100);
});

async function write(loader: ESPLoader, data: Uint8Array, address: number): Promise<void> {
  await loader.writeFlash({
    fileArray: [{ data, address }],
    flashSize: "keep",
    flashMode: "keep",
    flashFreq: "keep",
    eraseAll: false,
    compress: true,
    calculateMD5Hash: (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex"),
  });
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function attach(options: ChipOptions) {
  const chip = new EmulatedChip(options);
  const { url, socketUrl } = await chip.listen();
  const lines: string[] = [];
  const terminal = {
    clean: () => undefined,
    writeLine: (line: string) => void lines.push(line),
    write: (text: string) => void lines.push(text),
  };
  open.push(() => chip.close());
  return {
    chip,
    lines,
    socketUrl,
    loader: (baudrate: number, at = url) => {
      const transport = new Transport(new SerialClient(at) as never, false);
      transport.trace = () => undefined;
      return new ESPLoader({ transport, baudrate, terminal, romBaudrate: 115_200 });
    },
  };
}
