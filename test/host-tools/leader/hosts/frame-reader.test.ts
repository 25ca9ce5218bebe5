import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader, FrameTooLong, frameOf } from "../../../../host-tools/leader/hosts/frame-reader.ts";

test("frames come out as they went in, in whatever pieces they arrive", () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(payloads, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sent, lengths) => {
      const stream = Buffer.concat(sent.map(frameOf));
      const came: Uint8Array[] = [];
      const reader = new FrameReader(12, (payload) => came.push(new Uint8Array(payload)));
      for (let at = 0, i = 0; at < stream.length; i++) {
        const length = lengths[i % lengths.length]!;
        reader.push(Buffer.from(stream.subarray(at, at + length)));
        at += length;
      }
      expect(came).toEqual(sent);
    }),
  );
});

test("a frame that announces too much is refused by its header alone", () => {
  const reader = new FrameReader(12, () => {});
  expect(() => reader.push(Buffer.from([0, 0, 0, 13]))).toThrow(FrameTooLong);
});
