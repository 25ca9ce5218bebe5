import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CALL_BYTES_MAX,
  encodeRefuse,
  encodeReturn,
  encodeTurn,
  FRAME_BYTES_MAX,
  FrameReader,
  FrameType,
  MESSAGE_BYTES_MAX,
  ProtocolViolation,
} from "../../../../host-tools/simulator/xs-host/frames.ts";

test("frames survive any cut of the stream", () => {
  const frame = fc.oneof(
    fc
      .tuple(fc.double({ noNaN: true }), fc.uint8Array({ maxLength: 300 }))
      .map(([now, message]) => encodeTurn(now, message)),
    fc.uint8Array({ maxLength: 300 }).map(encodeReturn),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(500)), (frames, cuts) => {
      const stream = Buffer.concat(frames);
      const read: Buffer[] = [];
      const reader = new FrameReader((type, body) => read.push(Buffer.concat([Buffer.from([type]), body])));
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        reader.push(stream.subarray(at, at + cut));
        at = Math.min(stream.length, at + cut);
      }
      expect(read).toEqual(frames.map((bytes) => Buffer.from(bytes.subarray(4))));
    }),
  );
});

test("a length that no frame can have is refused", () => {
  const reader = new FrameReader(() => {});
  expect(() => reader.push(Buffer.from([0, 0, 0, 0]))).toThrow(ProtocolViolation);
  const tooLong = Buffer.alloc(4);
  tooLong.writeUInt32LE(FRAME_BYTES_MAX + 1);
  expect(() => new FrameReader(() => {}).push(tooLong)).toThrow(ProtocolViolation);
});

test("the longest message and reply fit, one byte more does not", () => {
  expect(encodeTurn(0, new Uint8Array(MESSAGE_BYTES_MAX)).length).toBe(4 + FRAME_BYTES_MAX);
  expect(encodeReturn(new Uint8Array(CALL_BYTES_MAX)).length).toBe(4 + FRAME_BYTES_MAX);
  expect(() => encodeTurn(0, new Uint8Array(MESSAGE_BYTES_MAX + 1))).toThrow(RangeError);
  expect(() => encodeReturn(new Uint8Array(CALL_BYTES_MAX + 1))).toThrow(RangeError);
});

test("a refusal's reason is cut to fit", () => {
  const frame = encodeRefuse("x".repeat(100_000));
  expect(frame[4]).toBe(FrameType.refuse);
  expect(frame.length).toBeLessThan(2_000);
});
