import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { concat, encodeMap, SequenceReader } from "../../../protocols/cbor/sequence.ts";
import { RecordChannel } from "../../../protocols/security/record/channel.ts";
import { type RecordContext, recordAad } from "../../../protocols/security/record/context.ts";
import {
  parseGroupRecord,
  parseRecord,
  type RecordKeys,
  sealGroupRecord,
  sealRecord,
} from "../../../protocols/security/record/record.ts";
import { ReplayWindow, replayWindowSize } from "../../../protocols/security/record/replay-window.ts";
import { mutate } from "../../fuzz/mutate.ts";
import { randomOf } from "../../fuzz/random.ts";

const context: RecordContext = {
  epoch: 3,
  sender: "north-1.5f3a90c2",
  receiver: "main.00000001",
  topic: "covey/greenhouse/up/north-1/report",
  type: "report",
};
const aad = recordAad(context);
const payload = new TextEncoder().encode("27.4 degrees");

describe("a record", () => {
  test("opens on the other side, and says what was sealed", () => {
    const [board, host] = channels();
    expect(host.open(aad, board.seal(aad, payload))).toMatchObject({ payload, number: 0 });
    expect(board.open(aad, host.seal(aad, payload))).toMatchObject({ payload, number: 0 });
  });

  test.each(Object.keys(context) as (keyof RecordContext)[])(
    "does not open where its %s differs",
    (field) => {
      const [board, host] = channels();
      const other = { ...context, [field]: field === "epoch" ? 4 : "another" };
      expect(host.open(recordAad(other), board.seal(aad, payload))).toEqual({ fault: "forged" });
    },
  );

  test("does not open for the one who sealed it (reflection)", () => {
    const [board] = channels();
    expect(board.open(aad, board.seal(aad, payload))).toEqual({ fault: "forged" });
  });

  test("opens once (replay), in any order within the window", () => {
    const [board, host] = channels();
    const records = Array.from({ length: replayWindowSize }, () => board.seal(aad, payload));
    for (const record of records.toReversed()) expect(host.open(aad, record)).toHaveProperty("payload");
    for (const record of records) expect(host.open(aad, record)).toEqual({ fault: "replayed" });
    const late = board.seal(aad, payload);
    for (let i = 0; i < replayWindowSize; i++) host.open(aad, board.seal(aad, payload));
    expect(host.open(aad, late)).toEqual({ fault: "replayed" });
  });

  test("with any byte changed does not open, and a forged number moves no window", () => {
    const [board, host] = channels();
    const record = board.seal(aad, payload);
    for (let at = 0; at < record.length; at++) {
      const changed = record.slice();
      changed[at]! ^= 1;
      expect(host.open(aad, changed)).toHaveProperty("fault");
    }
    const keys = { key: new Uint8Array(16), iv: new Uint8Array(13) };
    host.open(aad, sealRecord(nodeCiphers, keys, 1_000_000, aad, payload));
    expect(host.open(aad, record)).toHaveProperty("payload");
  });

  test("is at most 20 bytes longer than its payload", () => {
    const keys = { key: new Uint8Array(16), iv: new Uint8Array(13) };
    const overhead = (number: number, length: number) =>
      sealRecord(nodeCiphers, keys, number, aad, new Uint8Array(length)).length - length;
    expect(overhead(0, 15)).toBe(15);
    expect(overhead(0, 128)).toBe(16);
    expect(overhead(2 ** 32 - 1, 4096)).toBe(20);
    expect(() => overhead(2 ** 32, 1)).toThrow(RangeError);
  });

  test("is written as the plain codec writes it, at every length of its number and payload", () => {
    const keys = { key: new Uint8Array(16), iv: new Uint8Array(13) };
    const id = Uint8Array.of(1, 2, 3, 4);
    const numbers = [0, 1, 255, 256, 65_535, 65_536, 2 ** 24 - 1, 2 ** 24, 2 ** 32 - 1];
    for (const number of numbers) {
      for (const length of [0, 15, 16, 247, 248, 300, 65_527]) {
        const content = new Uint8Array(length);
        const record = sealRecord(nodeCiphers, keys, number, aad, content);
        const { sealed } = parseRecord(record)!;
        expect(record).toEqual(plainRecord(undefined, number, sealed));
        const ofGroup = sealGroupRecord(nodeCiphers, { id, keys }, number, aad, content);
        expect(ofGroup).toEqual(plainRecord(id, number, sealed));
        expect(parseGroupRecord(ofGroup)).toEqual({ keyId: id, number, sealed });
      }
    }
    expect(() => sealRecord(nodeCiphers, keys, 0, aad, new Uint8Array(65_528))).toThrow(/at most 65527/);
  });

  test("is taken apart as the plain reader does, whatever comes", () => {
    const keys = { key: new Uint8Array(16), iv: new Uint8Array(13) };
    const seeds = [0, 300, 2 ** 24].flatMap((number) =>
      [1, 40, 300].flatMap((length) => [
        sealRecord(nodeCiphers, keys, number, aad, new Uint8Array(length)),
        sealGroupRecord(nodeCiphers, { id: new Uint8Array(4), keys }, number, aad, new Uint8Array(length)),
      ]),
    );
    fc.assert(
      fc.property(
        fc.nat(seeds.length - 1),
        fc.nat(),
        fc.integer({ min: 0, max: 4 }),
        (seed, chance, times) => {
          const bytes = mutate(seeds[seed]!, seeds, randomOf(chance), times);
          for (const [parse, hasKeyId] of [
            [parseRecord, false],
            [parseGroupRecord, true],
          ] as const) {
            const { number, sealed } = parse(bytes) ?? {};
            const plain = plainParse(bytes, hasKeyId);
            expect({ number, sealed }).toEqual({ number: plain?.number, sealed: plain?.sealed });
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("is read in one way only", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const record = parseRecord(bytes);
        if (record === undefined) return;
        const { number, sealed } = record;
        expect(number).toBeLessThan(2 ** 32);
        expect(bytes.length - sealed.length).toBeLessThanOrEqual(12);
      }),
    );
  });
});

test("the replay window agrees with a plain set of numbers", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 200 }), (numbers) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const number of numbers) {
        const fresh = !seen.has(number) && number > highest - replayWindowSize;
        expect(window.isFresh(number)).toBe(fresh);
        if (!fresh) continue;
        window.accept(number);
        seen.add(number);
        highest = Math.max(highest, number);
      }
    }),
  );
});

function channels(): [RecordChannel, RecordChannel] {
  const [there, back] = [keys(), keys()];
  return [new RecordChannel(nodeCiphers, there, back), new RecordChannel(nodeCiphers, back, there)];
}

function keys(): RecordKeys {
  const bytes = new Uint8Array(29);
  nodeCiphers.random(bytes);
  return { key: bytes.slice(0, 16), iv: bytes.slice(16) };
}

/** The plain model of what `record.ts` does by hand. */
function plainRecord(id: Uint8Array | undefined, number: number, sealed: Uint8Array): Uint8Array {
  const digits = [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256);
  const first = digits.findIndex((digit) => digit > 0);
  const partialIv = Uint8Array.from(first < 0 ? [0] : digits.slice(first));
  const pairs: [Uint8Array, Uint8Array][] = [[encodeCbor(6), encodeCbor(partialIv)]];
  if (id !== undefined) pairs.unshift([encodeCbor(4), encodeCbor(id)]);
  return concat(Uint8Array.of(0x83, 0x40), encodeMap(...pairs), encodeCbor(sealed));
}

function plainParse(
  bytes: Uint8Array,
  hasKeyId: boolean,
): { number: number; sealed: Uint8Array } | undefined {
  try {
    const reader = new SequenceReader(bytes);
    if (reader.array() !== 3 || reader.byteString().length !== 0) return undefined;
    if (reader.map() !== (hasKeyId ? 2 : 1)) return undefined;
    if (hasKeyId && (reader.integer() !== 4 || reader.byteString().length > 23)) return undefined;
    if (reader.integer() !== 6) return undefined;
    const partialIv = reader.byteString();
    const sealed = reader.byteString();
    reader.end();
    if (partialIv.length < 1 || partialIv.length > 4) return undefined;
    if (partialIv.length > 1 && partialIv[0] === 0) return undefined;
    return { number: partialIv.reduce((number, byte) => number * 256 + byte, 0), sealed };
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}
