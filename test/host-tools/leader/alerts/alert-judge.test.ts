import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Judgement,
  SilenceJudge,
  ThresholdJudge,
} from "../../../../host-tools/leader/alerts/alert-judge.ts";

const hot = {
  kind: "threshold" as const,
  metric: "temperature",
  when: "above" as const,
  threshold: 30,
  boards: ["north-1"],
  hysteresis: 2,
  forMs: 1_000,
};

function judgeOf(more: Partial<Record<"hysteresis" | "forMs", number>> = {}): ThresholdJudge {
  const judge = new ThresholdJudge({ ...hot, ...more });
  judge.threshold(30, 0);
  return judge;
}

type Step =
  | { readonly kind: "reading"; readonly value: number; readonly afterMs: number }
  | { readonly kind: "tick"; readonly isHeard: boolean; readonly afterMs: number };

/** The same by looking back over all that happened: plain, and slow. */
function model(steps: readonly Step[], hysteresis: number, forMs: number): Judgement {
  let nowMs = 0;
  let state: Judgement = "quiet";
  let begunMs = 0;
  for (const step of steps) {
    nowMs += step.afterMs;
    if (step.kind === "reading") {
      if (state === "holding") {
        if (step.value <= 30 - hysteresis) state = "quiet";
      } else if (step.value <= 30) state = "quiet";
      else {
        if (state === "quiet") begunMs = nowMs;
        state = nowMs - begunMs >= forMs ? "holding" : "pending";
      }
    } else if (state === "pending" && step.isHeard && nowMs - begunMs >= forMs) state = "holding";
  }
  return state;
}

test("it holds once the metric was beyond for long enough, and until it is back by the hysteresis", () => {
  const afterMs = fc.integer({ min: 0, max: 700 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ kind: fc.constant("reading" as const), value: fc.integer({ min: 26, max: 34 }), afterMs }),
    fc.record({ kind: fc.constant("tick" as const), isHeard: fc.boolean(), afterMs }),
  );
  const options = fc.record({
    hysteresis: fc.integer({ min: 0, max: 3 }),
    forMs: fc.constantFrom(0, 500, 1_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), options, (steps, given) => {
      const judge = judgeOf(given);
      let nowMs = 0;
      for (const one of steps) {
        nowMs += one.afterMs;
        if (one.kind === "reading") judge.reading(one.value, nowMs);
        else judge.tick(nowMs, one.isHeard);
      }
      expect(judge.state).toBe(model(steps, given.hysteresis, given.forMs));
    }),
    { numRuns: 500 },
  );
});

test("below is above, mirrored", () => {
  const values = fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 30 });
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 2 }), (offsets, hysteresis) => {
      const above = judgeOf({ hysteresis, forMs: 0 });
      const below = new ThresholdJudge({ ...hot, when: "below", hysteresis, forMs: 0 });
      below.threshold(30, 0);
      offsets.forEach((offset, i) => {
        above.reading(30 + offset, i);
        below.reading(30 - offset, i);
        expect(below.state).toBe(above.state);
      });
    }),
  );
});

test("a board that is away neither begins nor ends an alert, and what comes late or is no number says nothing", () => {
  const judge = judgeOf();
  judge.reading(35, 100);
  judge.tick(60_000, false);
  expect(judge.state).toBe("pending");
  judge.tick(60_001, true);
  expect(judge.state).toBe("holding");
  judge.reading(35, 60_001);
  judge.reading(20, 50_000);
  judge.reading(Number.NaN, 60_002);
  expect(judge.state).toBe("holding");
  judge.reading(20, 60_003);
  expect(judge.state).toBe("quiet");
});

test("another threshold is judged with the value at hand; none, not at all", () => {
  const judge = judgeOf({ forMs: 0 });
  judge.reading(25, 0);
  judge.threshold(Number.NaN, 1);
  expect(judge.state).toBe("quiet");
  judge.threshold(20, 2);
  expect(judge.state).toBe("holding");
  judge.threshold(40, 3);
  expect(judge.state).toBe("quiet");
});

test("what the hosts agreed on is gone on from: a host that starts keeps what fires until a reading ends it", () => {
  const started = judgeOf();
  started.agree(true, 0);
  started.tick(10_000, true);
  expect(started.state).toBe("holding");
  started.reading(29, 10_001);
  expect(started.state).toBe("holding");
  started.reading(28, 10_002);
  expect(started.state).toBe("quiet");
  // One that knows better says so.
  started.agree(true, 10_003);
  expect(started.state).toBe("quiet");
});

test("a silence counts from the last word, or from the start of a host that heard none", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 20 }),
      fc.nat(20_000),
      (gaps, lastMs) => {
        const judge = new SilenceJudge(5_000, 0);
        let nowMs = 0;
        for (const gapMs of gaps) {
          nowMs += gapMs;
          judge.tick(nowMs);
          expect(judge.state).toBe(gapMs >= 5_000 ? "holding" : "quiet");
          judge.heard(nowMs);
          expect(judge.state).toBe("quiet");
        }
        judge.tick(nowMs + lastMs);
        expect(judge.state).toBe(lastMs >= 5_000 ? "holding" : "quiet");
      },
    ),
  );
});

test("a silence that was agreed on lasts over a restart of the host until the board is heard", () => {
  const judge = new SilenceJudge(5_000, 0);
  judge.agree(true, 0);
  judge.tick(10);
  expect(judge.state).toBe("holding");
  judge.heard(20);
  expect(judge.state).toBe("quiet");
  // This host heard the board: it knows better.
  judge.agree(true, 30);
  expect(judge.state).toBe("quiet");
});
