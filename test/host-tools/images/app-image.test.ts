/** App images. ESP-IDF, "App Image Format", and `esp_image_header_t`. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChipName, chips } from "../../../host-tools/chips/chips.ts";
import { isAppImage, readAppImage, writeAppImage } from "../../../host-tools/images/app-image.ts";
import { ImageError } from "../../../host-tools/images/image-error.ts";
import { descriptor, sampleApp, sampleBootloader } from "./sample-images.ts";

const flash = { mode: 2, frequency: 0, sizeBytes: 4 * 1024 * 1024 };

/** Put together by hand, from the format's description: one segment of four bytes, 1 2 3 4, for an ESP32-C3 from v0.3. */
const byHand = Buffer.from(
  [
    "e9010220", // One segment, DIO, 40 MHz and 4 MB.
    "00003840", // Entry 0x40380000.
    "ee000000", // No pin for write protection.
    "0500", // Chip.
    "03" + "0300" + "c700", // From v0.3, as the old byte says it and the new field; up to v1.99.
    "00000000" + "00", // No hash.
    "00003840" + "04000000", // Segment at 0x40380000, 4 bytes.
    "01020304",
    "000000000000000000" + "00" + "00", // Up to the last byte of a block of 16.
    "eb", // ef ^ 01 ^ 02 ^ 03 ^ 04
  ].join(""),
  "hex",
);

describe("an image", () => {
  test("put together by hand is read", () => {
    expect(byHand.length).toBe(48);
    expect(readAppImage(byHand)).toEqual({
      chipId: 5,
      entry: 0x4038_0000,
      flash,
      minRevision: 3,
      maxRevision: 199,
      segments: [{ address: 0x4038_0000, offsetBytes: 32, lengthBytes: 4 }],
      app: undefined,
      sha256: undefined,
      sizeBytes: 48,
    });
  });

  test("is written the same, and a hash behind it", () => {
    const written = writeAppImage({
      chipId: 5,
      entry: 0x4038_0000,
      flash,
      minRevision: 3,
      maxRevision: 199,
      segments: [{ address: 0x4038_0000, data: Uint8Array.of(1, 2, 3, 4) }],
    });
    const expected = new Uint8Array(byHand);
    expected[23] = 1;
    expect(written.subarray(0, 48)).toEqual(expected);
    expect(written.length).toBe(80);
  });

  test.for(Object.keys(chips) as ChipName[])("of a %s has its chip and its app's descriptor", (name) => {
    const bytes = sampleApp(name, 701, { minRevision: 301, maxRevision: 399 });
    const image = readAppImage(bytes);
    expect(image).toMatchObject({
      chipId: chips[name].id,
      minRevision: 301,
      maxRevision: 399,
      app: descriptor,
    });
    expect(image.sizeBytes).toBe(bytes.length);
    expect(image.segments.map(({ lengthBytes }) => lengthBytes)).toEqual([320, 704]);
    expect(readAppImage(sampleBootloader(name)).app).toBeUndefined();
  });

  test("is found at the beginning of a partition's dump", () => {
    const bytes = sampleApp("esp32");
    const dump = new Uint8Array(0x1_0000).fill(0xff);
    dump.set(bytes);
    expect(readAppImage(dump)).toEqual(readAppImage(bytes));
  });

  test("holds any segments", () => {
    const segment = fc.record({ address: fc.nat(0xffff_ffff), data: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 16 }),
        fc.nat(7),
        fc.nat(0xffff_ffff),
        (segments, code, entry) => {
          const header = { ...flash, sizeBytes: 0x10_0000 * 2 ** code };
          const bytes = writeAppImage({ chipId: 9, entry, flash: header, segments });
          const image = readAppImage(bytes);
          expect(image).toMatchObject({ entry, flash: header, minRevision: 0, maxRevision: 0xffff });
          expect(image.segments.map(({ address }) => address)).toEqual(
            segments.map(({ address }) => address),
          );
          for (const [i, { offsetBytes, lengthBytes }] of image.segments.entries()) {
            const data = new Uint8Array(lengthBytes);
            data.set(segments[i]!.data);
            expect(bytes.subarray(offsetBytes, offsetBytes + lengthBytes)).toEqual(data);
          }
          expect(bytes.length % 16).toBe(0);
        },
      ),
    );
  });
});

describe("revisions", () => {
  const withHeader = (chipId: number, old: number, min: number, max: number) => {
    const bytes = new Uint8Array(byHand);
    const view = new DataView(bytes.buffer);
    view.setUint16(12, chipId, true);
    bytes[14] = old;
    view.setUint16(15, min, true);
    view.setUint16(17, max, true);
    const { minRevision, maxRevision } = readAppImage(bytes);
    return [minRevision, maxRevision];
  };

  test("of an image from before they were of two numbers are the major one", () => {
    expect(withHeader(0, 3, 0, 0)).toEqual([300, 0xffff]);
    expect(withHeader(0, 1, 0, 0xffff)).toEqual([100, 0xffff]);
  });

  test("of such an image for an ESP32-C3 are the minor one", () => {
    expect(withHeader(5, 3, 0, 0)).toEqual([3, 0xffff]);
  });

  test("of two numbers go before the old byte", () => {
    expect(withHeader(0, 3, 301, 399)).toEqual([301, 399]);
    expect(withHeader(0, 3, 101, 0xffff)).toEqual([101, 0xffff]);
    expect(withHeader(0, 3, 0, 399)).toEqual([0, 399]);
  });
});

describe("a damaged image", () => {
  const app = sampleApp("esp32", 100);

  test("is refused wherever it is cut", () => {
    for (let length = 0; length < app.length; length++) {
      expect(() => readAppImage(app.subarray(0, length))).toThrow(ImageError);
    }
  });

  test("is refused for any wrong bit but the one that says there is a hash", () => {
    const hashBit = 23 * 8;
    for (let bit = 0; bit < app.length * 8; bit++) {
      if (bit === hashBit) continue;
      const damaged = app.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readAppImage(damaged)).toThrow(ImageError);
    }
  });

  test.for<[string, (bytes: Uint8Array) => void, string]>([
    ["its magic", (bytes) => (bytes[0] = 0xea), "it begins with 0xea, not 0xe9"],
    ["its segments", (bytes) => (bytes[1] = 17), "it says that it has 17 segments"],
    ["a length", (bytes) => (bytes[28] = 2), "a segment's length is no multiple of 4"],
    ["a long segment", (bytes) => (bytes[31] = 1), "it ends within a segment"],
    ["its checksum", (bytes) => (bytes[47]! ^= 1), "its checksum is wrong (at 0x2f)"],
    ["its flash", (bytes) => (bytes[3] = 0x80), "its size of flash has the code 8"],
  ])("tells of %s", ([, damage, problem]) => {
    const bytes = new Uint8Array(byHand);
    damage(bytes);
    expect(() => readAppImage(bytes)).toThrow(problem);
  });

  test("tells of its hash", () => {
    const damaged = app.slice();
    damaged[app.length - 1]! ^= 1;
    expect(() => readAppImage(damaged)).toThrow("its SHA-256 does not fit");
  });
});

test("other files are told from images", () => {
  expect(isAppImage(byHand)).toBe(true);
  expect(isAppImage(new Uint8Array(100))).toBe(false);
  expect(isAppImage(Uint8Array.of(0xe9))).toBe(false);
});

test("no image is made of no segment, of 17, or for a flash of no size", () => {
  const image = { chipId: 0, entry: 0, flash };
  const segment = { address: 0, data: new Uint8Array(4) };
  expect(() => writeAppImage({ ...image, segments: [] })).toThrow(RangeError);
  expect(() => writeAppImage({ ...image, segments: Array.from({ length: 17 }, () => segment) })).toThrow(
    RangeError,
  );
  expect(() => writeAppImage({ ...image, flash: { ...flash, sizeBytes: 3 }, segments: [segment] })).toThrow(
    RangeError,
  );
});
