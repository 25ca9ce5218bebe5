import fc from "fast-check";
import { expect, test } from "vitest";
import { Backoff } from "../../../firmware/board/backoff.ts";

test("each pause is between half and all of a step that doubles up to the most, and starts over", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }), (bytes) => {
      let at = 0;
      const backoff = new Backoff(250, 8000, { fill: (into) => into.fill(bytes[at++ % bytes.length]!) });
      for (const stepMs of [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]) {
        const pauseMs = backoff.next();
        expect(pauseMs).toBeGreaterThanOrEqual(stepMs / 2);
        expect(pauseMs).toBeLessThanOrEqual(stepMs);
        expect(Number.isInteger(pauseMs)).toBe(true);
      }
      backoff.reset();
      expect(backoff.next()).toBeLessThanOrEqual(250);
    }),
  );
});
