/** What a board remembers of its updates comes back, and whatever else lies there counts as nothing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  failedMax,
  noRecord,
  readRecord,
  recordFromBytes,
  recordToBytes,
  type UpdateRecord,
} from "../../../firmware/update/update-record.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const sequence = fc.integer({ min: 1, max: 0xff_ff_ff_ff });
const orNone = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const records: fc.Arbitrary<UpdateRecord> = fc.record({
  vouched: orNone(digest),
  proved: orNone(fc.record({ sequence, image: digest, digest })),
  failed: fc.array(
    fc.record({ sequence, why: fc.constantFrom("not-joined", "crashed", "restarted", "power", "image") }),
    { maxLength: failedMax },
  ),
  fetched: orNone(
    fc.record({
      digest,
      chunk: fc.nat(16_384),
      next: fc.oneof(digest, fc.constant(new Uint8Array(0))),
      trials: fc.nat(255),
    }),
  ),
  trial: orNone(fc.record({ sequence, image: digest })),
});

test("a record comes back, and fits a small value", () => {
  fc.assert(
    fc.property(records, (record) => {
      const bytes = recordToBytes(record);
      expect(bytes.length).toBeLessThanOrEqual(400);
      expect(recordFromBytes(bytes)).toEqual(record);
    }),
  );
});

test("anything else is none, and a board without one has done nothing yet", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.jsonValue().map((value) => encodeCbor(JSON.stringify(value))),
      ),
      (bytes) => {
        expect(recordFromBytes(bytes)).toBeUndefined();
      },
    ),
  );
  const values = { read: () => Uint8Array.of(9), write: () => {}, delete: () => {} };
  expect(readRecord(values)).toEqual(noRecord);
  expect(readRecord({ ...values, read: () => undefined })).toEqual(noRecord);
});
