/** The rule of the Numenta Anomaly Benchmark, against cases worked out by hand and against scores that Numenta has published. */
import { describe, expect, test } from "vitest";
import { PROFILES, type Profile } from "../../bench/nab/profiles.ts";
import { probationaryRows, type Scored, scoreCorpus, scoreFiles, worthAt } from "../../bench/nab/scorer.ts";

const [standard, lowFP, lowFN] = PROFILES as [Profile, Profile, Profile];

/** A file of `rows` with detections at `hits`. */
function scored(
  rows: number,
  windows: readonly [number, number][],
  hits: readonly number[],
  file = "a.csv",
): Scored {
  const scores = new Float64Array(rows);
  for (const row of hits) scores[row] = 1;
  return { series: { file, windows: windows.map(([first, last]) => ({ first, last })) }, scores };
}

const scoreOf = (one: Scored, profile: Profile) => scoreFiles([one], profile, 1)[0]!.score;

describe("the rule", () => {
  test("weighs a detection by where it is, along 2 / (1 + e^5y) - 1", () => {
    // The paper's figure 2, and the values that the benchmark's own scorer states in its comments.
    expect(worthAt(-1)).toBeCloseTo(0.98661, 5);
    expect(worthAt(-0.5)).toBeCloseTo(0.84828, 5);
    expect(worthAt(0)).toBe(0);
    expect(worthAt(1)).toBeCloseTo(-0.98661, 5);
    expect(worthAt(3.01)).toBe(-1);
  });

  test("does not judge the first 15 %, nor more than 750 rows", () => {
    expect([20, 1_000, 5_000, 22_695].map(probationaryRows)).toEqual([3, 150, 750, 750]);
    expect(scoreOf(scored(100, [], [14]), standard)).toBe(0);
    expect(scoreOf(scored(100, [], [15]), standard)).toBe(-0.11);
  });

  test("counts the earliest detection of a window, once", () => {
    // Rows 40 to 49: row 44 is at -(49 - 44 + 1) / 10 = -0.6 of the window.
    const alone = worthAt(-0.6) / worthAt(-1);
    expect(scoreOf(scored(100, [[40, 49]], [44]), standard)).toBeCloseTo(alone, 12);
    expect(scoreOf(scored(100, [[40, 49]], [44, 45, 49]), standard)).toBeCloseTo(alone, 12);
  });

  test("charges little just after a window, and all before the first or far from any", () => {
    // Row 58 is (58 - 49) / (49 - 40) = 1 window past its end; row 77 is more than 3.
    const after = 0.11 * worthAt(1);
    const found = scoreOf(scored(100, [[40, 49]], [40]), standard);
    expect(found).toBe(1);
    expect(scoreOf(scored(100, [[40, 49]], [40, 58]), standard)).toBeCloseTo(1 + after, 12);
    expect(scoreOf(scored(100, [[40, 49]], [40, 77]), standard)).toBeCloseTo(0.89, 12);
    expect(scoreOf(scored(100, [[40, 49]], [39, 40]), standard)).toBeCloseTo(0.89, 12);
  });

  test("charges a missed window and a false detection by the profile", () => {
    const missed = scored(100, [[40, 49]], [20]);
    expect(scoreOf(missed, standard)).toBeCloseTo(-1.11, 12);
    expect(scoreOf(missed, lowFP)).toBeCloseTo(-1.22, 12);
    expect(scoreOf(missed, lowFN)).toBeCloseTo(-2.11, 12);
  });
});

describe("the scale", () => {
  const windows: [number, number][] = [
    [400, 449],
    [700, 749],
  ];

  test.each(PROFILES)("is 100 for all windows at their left edges, 0 for no detection: $name", (profile) => {
    expect(
      scoreCorpus([scored(1_000, windows, [400, 700]), scored(1_000, [], [])], profile).score,
    ).toBeCloseTo(100, 9);
    const nothing = scoreCorpus([scored(1_000, windows, [])], profile);
    expect(nothing.score).toBe(0);
  });

  test("has one threshold for all files, the one that earns most", () => {
    const quiet: Scored = scored(1_000, [[400, 449]], []);
    const loud: Scored = scored(1_000, [], []);
    (quiet.scores as Float64Array)[400] = 0.4;
    for (let row = 200; row < 205; row++) (loud.scores as Float64Array)[row] = 0.6;
    const few = scoreCorpus([quiet, loud], standard);
    expect(few.threshold).toBe(0.4);
    expect(few.score).toBeCloseTo((100 * (1 - 5 * 0.11 + 1)) / 2, 9);
    for (let row = 300; row < 320; row++) (loud.scores as Float64Array)[row] = 0.6;
    const many = scoreCorpus([quiet, loud], standard);
    expect(many.threshold).toBe(1.1);
    expect(many.score).toBe(0);
  });
});

/**
 * Rows, windows and detections of published runs (numenta/NAB, results/windowedGaussian, threshold 1), with the scores that
 * are published for them in the three profiles.
 */
const published = [
  {
    file: "realAdExchange/exchange-3_cpc_results.csv",
    rows: 1_538,
    windows: [
      [271, 321],
      [413, 463],
      [952, 1_002],
    ],
    hits: [296, 297, 438, 439, 976, 1_121],
    scores: [2.50266326119, 2.39266475507, 2.50266326119],
  },
  {
    file: "realAdExchange/exchange-4_cpc_results.csv",
    rows: 1_643,
    windows: [
      [340, 394],
      [749, 803],
      [1_249, 1_303],
    ],
    hits: [367, 372, 514, 518, 1_276, 1_401, 1_565],
    scores: [0.292288463428, -0.147680769569, -0.707711536572],
  },
  {
    file: "realKnownCause/ec2_request_latency_system_failure.csv",
    rows: 4_032,
    windows: [
      [2_014, 2_148],
      [3_328, 3_462],
      [3_956, 4_031],
    ],
    hits: [2_081, 3_394, 3_395, 4_023, 4_025, 4_027, 4_029, 4_030],
    scores: [2.02150685678, 2.02150685678, 2.02150685678],
  },
  {
    file: "realTraffic/TravelTime_387.csv",
    rows: 2_500,
    windows: [
      [387, 469],
      [948, 1_030],
      [1_485, 1_567],
    ],
    hits: [989, 2_039, 2_040, 2_041, 2_042, 2_132, 2_133],
    scores: [-1.79598133079, -2.45598133079, -3.79598133079],
  },
  {
    file: "realTraffic/speed_7578.csv",
    rows: 1_127,
    windows: [
      [303, 331],
      [740, 768],
      [909, 937],
      [945, 973],
    ],
    hits: [317, 625, 752, 753, 754, 920, 921, 922, 925, 926, 927, 959],
    scores: [3.47059145681, 3.36059145681, 3.47059145681],
  },
];

test.each(published)("gives the published score of $file", ({ file, rows, windows, hits, scores }) => {
  const one = scored(rows, windows as [number, number][], hits, file);
  PROFILES.forEach((profile, i) => {
    expect(scoreOf(one, profile)).toBeCloseTo(scores[i]!, 10);
  });
});
