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
    await loader.writeFlash({
      fileArray: [{ data: image, address: 0x10000 }],
      flashSize: "keep",
      flashMode: "keep",
      flashFreq: "keep",
      eraseAll: false,
      compress: true,
      calculateMD5Hash: (data: Uint8Array) => createHash("md5").update(data).digest("hex"),
    });
    expect(Buffer.compare(board.chip.flash.subarray(0x10000, 0x10000 + image.length), image)).toBe(0);
    expect(Buffer.compare(await loader.readFlash(0x10000, 5000), image.subarray(0, 5000))).toBe(0);
    expect(board.chip.counters.commands.FLASH_DEFL_DATA).toBeGreaterThan(5);
  },
);

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function attach(options: ChipOptions) {
  const chip = new EmulatedChip(options);
  const { url } = await chip.listen();
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
    loader: (baudrate: number) => {
      const transport = new Transport(new SerialClient(url) as never, false);
      transport.trace = () => undefined;
      return new ESPLoader({ transport, baudrate, terminal, romBaudrate: 115_200 });
    },
  };
}
