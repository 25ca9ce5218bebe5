/** What a chip does with what lies in its flash. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { boot } from "./boot.ts";
import { type ChipName, chipTable } from "./chip-table.ts";

test.each<ChipName>(["esp32", "esp32s3", "esp32c3"])(
  "an %s boots sound images, and says what it misses",
  (chip) => {
    const traits = chipTable[chip];
    const start = (flash: Uint8Array) => boot(traits, "power-on", false, flash);
    const flash = Buffer.alloc(0x40000, 0xff);
    expect(start(flash)).toMatchObject({
      mode: "no-image",
      lines: expect.stringContaining("invalid header: 0xffffffff"),
    });
    image("bootloader").copy(flash, traits.bootloaderOffset);
    expect(start(flash).lines).toContain("Failed to verify partition table");
    // nvs (type 1) at 0x9000, factory (type 0) at 0x10000.
    Buffer.from("aa5001020090000000600000", "hex").copy(flash, 0x8000);
    Buffer.from("aa5000000000010000000300", "hex").copy(flash, 0x8020);
    expect(start(flash).lines).toContain("No bootable app partitions");
    image("application").copy(flash, 0x10000);
    expect(start(flash).mode).toBe("application");
    const { download } = traits.boot;
    expect(boot(traits, "pin", true, flash)).toMatchObject({
      mode: "download",
      lines: expect.stringContaining(download),
    });
    flash[0x10000 + 40]! ^= 1;
    expect(start(flash).mode).toBe("no-image");
  },
);

/** One segment, checksum, SHA-256. */
function image(text: string): Buffer {
  const data = Buffer.from(text.padEnd(40, "."));
  const header = Buffer.alloc(24);
  header[0] = 0xe9;
  header[1] = 1;
  header[23] = 1;
  const segment = Buffer.alloc(8);
  segment.writeUInt32LE(data.length, 4);
  const body = Buffer.concat([header, segment, data]);
  const padded = Buffer.concat([body, Buffer.alloc(16 - (body.length % 16))]);
  padded[padded.length - 1] = data.reduce((sum, byte) => sum ^ byte, 0xef);
  return Buffer.concat([padded, createHash("sha256").update(padded).digest()]);
}
