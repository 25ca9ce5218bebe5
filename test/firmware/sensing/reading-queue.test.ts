import fc from "fast-check";
import { expect, test } from "vitest";
import { ReadingQueue } from "../../../firmware/sensing/reading-queue.ts";
import type { Reading } from "../../../protocols/messages/board-messages.ts";

test("keeps the newest in order, counts what it dropped, and gives what it keeps", () => {
  const step = fc.oneof(fc.constant("push" as const), fc.record({ take: fc.nat(6) }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 100 }), (readingsMax, steps) => {
      const queue = new ReadingQueue(readingsMax);
      let plain: Reading[] = [];
      let dropped = 0;
      let count = 0;
      for (const each of steps) {
        if (each === "push") {
          const reading = { metric: `m${count % 3}`, takenMs: count, value: count / 2, quality: 0 as const };
          count++;
          plain.push(reading);
          if (plain.length > readingsMax) dropped++;
          plain = plain.slice(-readingsMax);
          queue.push(reading.metric, reading.takenMs, reading.value, reading.quality);
        } else {
          const readings = queue.peek(each.take);
          expect(readings).toEqual(plain.slice(0, each.take));
          queue.drop(readings.length);
          plain = plain.slice(each.take);
        }
        expect([queue.length, queue.dropped]).toEqual([plain.length, dropped]);
      }
    }),
  );
});
