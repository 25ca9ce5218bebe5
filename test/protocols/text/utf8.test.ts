import fc from "fast-check";
import { expect, test } from "vitest";
import { shortenedUtf8, utf8Length } from "../../../protocols/text/utf8.ts";

test("a text that is too long keeps as many whole characters as fit, and says that there was more", () => {
  expect(shortenedUtf8("fits", 4)).toBe("fits");
  expect(shortenedUtf8("does not fit", 8)).toBe("does \u2026");
  expect(shortenedUtf8("\u00fc\u00fc\u00fc\u00fc", 7)).toBe("\u00fc\u00fc\u2026");
  expect(shortenedUtf8("\u{1f98e}\u{1f98e}", 7)).toBe("\u{1f98e}\u2026".slice(0, 3));
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.integer({ min: 3, max: 60 }),
      (text, bytesMax) => {
        const short = shortenedUtf8(text, bytesMax);
        expect(utf8Length(short)).toBeLessThanOrEqual(bytesMax);
        if (utf8Length(text) <= bytesMax) {
          expect(short).toBe(text);
          return;
        }
        const kept = [...short].slice(0, -1);
        expect(text.startsWith(kept.join(""))).toBe(true);
        const next = [...text][kept.length]!;
        expect(utf8Length(short) + utf8Length(next)).toBeGreaterThan(bytesMax);
      },
    ),
  );
});
