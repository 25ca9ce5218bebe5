import { describe, expect, it } from "vitest";
import {
  incompleteBeta,
  meanFirstTimeout,
  splitVoteProbability,
} from "../../../bench/raft/elections/closed-form.ts";
import { runTrials } from "../../../bench/raft/elections/experiment.ts";
import { idealElections, paperElections, published } from "../../../bench/raft/elections/settings.ts";

/** Five standard deviations of a share of `trials`: a correct core fails once in two million such checks, and the seed is fixed. */
const tolerance = (share: number, trials: number) => 5 * Math.sqrt((share * (1 - share)) / trials);

describe("Elections as the theory has them (thesis, chapter 9)", () => {
  const trials = 300;

  it.each([3, 5, 7, 9])("%i servers: votes split as often as the closed form says", (servers) => {
    for (const ratio of [0.05, 0.2, 0.4, 0.6]) {
      const all = runTrials(idealElections(servers, ratio), trials, 1);
      const share = all.filter(({ firstElectionFailed }) => firstElectionFailed).length / trials;
      const expected = splitVoteProbability(servers, servers - 1, ratio);
      expect(Math.abs(share - expected)).toBeLessThan(tolerance(expected, trials) + 1 / trials);
    }
  });

  it("the first timeout is the least of those drawn", () => {
    const all = runTrials(idealElections(5, 0.1), trials, 1).map(({ firstTimeoutMs }) => firstTimeoutMs);
    const mean = all.reduce((sum, ms) => sum + ms, 0) / trials;
    // The least of four uniform draws from a range of 100 ms deviates by 16.3 ms.
    expect(Math.abs(mean - meanFirstTimeout(4, 1000, 1100))).toBeLessThan((5 * 16.3) / Math.sqrt(trials));
  });

  it("the closed form is the known polynomial for five servers, and certain where messages are slower than waits differ", () => {
    for (const r of [0, 0.1, 0.5, 1]) {
      expect(splitVoteProbability(5, 4, r)).toBeCloseTo(6 * r ** 2 - 8 * r ** 3 + 3 * r ** 4, 12);
    }
    expect(splitVoteProbability(5, 4, 1.5)).toBe(1);
    expect(splitVoteProbability(5, 2, 0.1)).toBe(1);
    expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 12);
  });
});

describe("Elections as Ongaro measured them (Raft paper, section 9.3)", () => {
  const sortedMs = (fromMs: number, toMs: number, trials: number) =>
    runTrials(paperElections(fromMs, toMs), trials, 1)
      .map(({ withoutLeaderMs }) => withoutLeaderMs)
      .sort((a, b) => a - b);

  it("no randomness, no leader for over 10 s", () => {
    expect(sortedMs(150, 150, 5)[0]).toBeGreaterThan(published.least150to150Ms);
  });

  it("5 ms of randomness: the median is that of the paper, within a fifth", () => {
    const median = sortedMs(150, 155, 300)[150]!;
    expect(median / published.median150to155Ms).toBeGreaterThan(0.8);
    expect(median / published.median150to155Ms).toBeLessThan(1.2);
  });

  it("50 ms of randomness: the worst of 300 is no worse than a fifth above that of the paper's 1,000", () => {
    expect(sortedMs(150, 200, 300).at(-1)!).toBeLessThan(1.2 * published.worst150to200Ms);
  });

  it("12 to 24 ms: the mean is that of the paper, within a fifth", () => {
    const all = sortedMs(12, 24, 300);
    const mean = all.reduce((sum, ms) => sum + ms, 0) / all.length;
    expect(mean / published.mean12to24Ms).toBeGreaterThan(0.8);
    expect(mean / published.mean12to24Ms).toBeLessThan(1.2);
  });

  it("the same seed gives the same trials", () => {
    expect(runTrials(paperElections(150, 300), 20, 7)).toEqual(runTrials(paperElections(150, 300), 20, 7));
  });
});
