import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AlertRecord,
  acknowledged,
  alertKey,
  alertOfKey,
  firing,
  recordFromText,
  recordToText,
  recovered,
  told,
  untold,
} from "../../../../host-tools/leader/alerts/alert-record.ts";
import { stateLimits } from "../../../../protocols/state/command.ts";

const value = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((given) => Number(given.toPrecision(6)));
const mark = fc.stringMatching(/^[0-9a-f]{4}$/);
const marks = fc.uniqueArray(mark, { maxLength: 3 });
const timeMs = fc.integer({ min: 0, max: 9_999_999_999_999 });
const record: fc.Arbitrary<AlertRecord> = fc
  .tuple(
    timeMs,
    timeMs,
    value,
    value,
    marks,
    marks,
    fc.option(fc.stringMatching(/^[\w.-]{1,24}$/)),
    fc.boolean(),
  )
  .map(([sinceMs, lastedMs, begun, ended, toldFiring, toldRecovered, who, isOver]) => {
    const fires = { ...firing(sinceMs, begun), toldFiring };
    const seen = who === null ? fires : acknowledged(fires, who);
    return isOver ? { ...recovered(seen, sinceMs + lastedMs, ended), toldRecovered } : seen;
  });

test("a record is a text that fits an agreed value, and comes back as it was", () => {
  fc.assert(
    fc.property(record, (given) => {
      const text = recordToText(given);
      expect(text.length).toBeLessThanOrEqual(stateLimits.textBytesMax);
      // -0 is told as 0.
      expect(recordToText(recordFromText(text)!)).toBe(text);
      expect(recordFromText(text)).toEqual(JSON.parse(JSON.stringify(given)));
    }),
  );
});

test("it reads well in the log", () => {
  const fires = acknowledged(told(firing(1_764_000_000_000, 31.25), "firing", "1a2b"), "anna b");
  expect(recordToText(fires)).toBe("firing 1764000000000 31.25 ack=anna-b told=1a2b");
  expect(recordToText(told(recovered(fires, 1_764_000_300_000, 27.9), "recovered", "77cc"))).toBe(
    "recovered 1764000000000+300000 31.25>27.9 ack=anna-b told=1a2b;77cc",
  );
});

test("no text makes it throw, and only a record is read as one", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), record.map(recordToText)),
      fc.nat(80),
      fc.string({ maxLength: 3 }),
      (text, at, bit) => {
        const damaged = text.slice(0, at) + bit + text.slice(at + 1);
        const read = recordFromText(damaged);
        if (read !== undefined) expect(recordFromText(recordToText(read))).toEqual(read);
      },
    ),
  );
  for (const text of ["", "firing", "firing 1 2>3", "recovered 1 2", "firing 1 NaN", 7, undefined]) {
    expect(recordFromText(text)).toBeUndefined();
  }
});

test("a webhook is told of each kind once, and first that it fires", () => {
  const over = recovered(firing(1, 2), 3, 4);
  expect(untold(firing(1, 2), "aaaa")).toEqual(["firing"]);
  expect(untold(over, "aaaa")).toEqual(["firing", "recovered"]);
  const half = told(over, "firing", "aaaa");
  expect(untold(half, "aaaa")).toEqual(["recovered"]);
  expect(untold(told(half, "recovered", "aaaa"), "aaaa")).toEqual([]);
  expect(untold(half, "bbbb")).toEqual(["firing", "recovered"]);
  expect(told(half, "firing", "aaaa")).toEqual(half);
});

test("its key names the alert and the board", () => {
  expect(alertOfKey(alertKey("too-hot", "north-1"))).toEqual({ alert: "too-hot", board: "north-1" });
  for (const key of ["covey/audit/00", "covey/alerts/x", "covey/alerts/a/b/c", "fan.duty"]) {
    expect(alertOfKey(key)).toBeUndefined();
  }
});
