/** Which sectors are written, for how many questions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { difference, md5 } from "../../../host-tools/flasher/difference.ts";

const sector = 0x1000;
const offsetBytes = 0x20000;

/** A chip that holds these bytes, and counts what it is asked. */
function chipWith(held: Uint8Array) {
  const asked = { count: 0 };
  const ask = async (offset: number, length: number) => {
    asked.count++;
    return md5(held.subarray(offset - offsetBytes, offset - offsetBytes + length));
  };
  return { asked, ask };
}

const program = Uint8Array.from({ length: 1_200_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
const piece = { name: "ota_0", offsetBytes, bytes: program };

describe("of 1.2 MB", () => {
  test("the same is one question", async () => {
    const { asked, ask } = chipWith(program);
    expect(await difference(piece, ask)).toEqual({ ranges: [], blank: false });
    expect(asked.count).toBe(1);
  });

  test("a blank chip is one question too", async () => {
    const { asked, ask } = chipWith(new Uint8Array(program.length).fill(0xff));
    const whole = { offsetBytes, lengthBytes: program.length };
    expect(await difference(piece, ask)).toEqual({ ranges: [whole], blank: true });
    expect(asked.count).toBe(1);
  });

  test("one other byte is one sector, found in under thirty", async () => {
    const held = Uint8Array.from(program);
    held[700_000]! ^= 1;
    const { asked, ask } = chipWith(held);
    const { ranges } = await difference(piece, ask);
    const at = offsetBytes + Math.floor(700_000 / sector) * sector;
    expect(ranges).toEqual([{ offsetBytes: at, lengthBytes: sector }]);
    expect(asked.count).toBeLessThan(30);
  });

  test("another program is one range, without asking for each sector", async () => {
    const { asked, ask } = chipWith(program.map((byte) => byte ^ 0x55));
    const { ranges } = await difference(piece, ask);
    expect(ranges).toEqual([{ offsetBytes, lengthBytes: program.length }]);
    expect(asked.count).toBeLessThan(60);
  });
});

test("a small piece across a border of 64 KB is written only where it differs", async () => {
  const bytes = new Uint8Array(2 * sector).fill(0xff);
  const held = Uint8Array.from(bytes);
  held[5] = 0;
  const small = { name: "otadata", offsetBytes: 0xf000, bytes };
  const ask = async (offset: number, length: number) =>
    md5(held.subarray(offset - 0xf000, offset - 0xf000 + length));
  expect((await difference(small, ask)).ranges).toEqual([{ offsetBytes: 0xf000, lengthBytes: sector }]);
});

test("whatever differs, writing the ranges makes them equal", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 * sector }),
      fc.array(fc.integer({ min: 0, max: 40 * sector }), { maxLength: 30 }),
      async (length, changedAt) => {
        const bytes = program.subarray(0, length);
        const held = Uint8Array.from(bytes);
        for (const at of changedAt) if (at < length) held[at]! ^= 1;
        const { ranges } = await difference({ name: "data", offsetBytes, bytes }, chipWith(held).ask);
        for (const { offsetBytes: from, lengthBytes } of ranges) {
          expect((from - offsetBytes) % sector).toBe(0);
          held.set(bytes.subarray(from - offsetBytes, from - offsetBytes + lengthBytes), from - offsetBytes);
        }
        expect(Buffer.compare(held, bytes)).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});
