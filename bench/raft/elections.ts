/**
 * `npm run bench:elections`: Ongaro's election experiment, 1,000 trials a range, beside his published figures, and split votes beside
 * the closed form. Prints tables and draws the pictures of `docs/raft.md`. Everything is a function of the seed: `--seed N`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { percentile } from "../percentile.ts";
import { milliseconds, printTable } from "../table.ts";
import { type Chart, chartSvg, type Point, type Series } from "./chart/chart.ts";
import { meanFirstTimeout, splitVoteProbability } from "./elections/closed-form.ts";
import { type Elections, runTrials } from "./elections/experiment.ts";
import {
  idealElections,
  paperElections,
  published,
  scaledRanges,
  shippedElections,
  spreadRanges,
} from "./elections/settings.ts";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, trials: { type: "string", default: "1000" } },
});
const seed = Number(values.seed);
const trials = Number(values.trials);

const times = (elections: Elections): number[] =>
  runTrials(elections, elections.fromMs === elections.toMs ? trials / 10 : trials, seed)
    .map(({ withoutLeaderMs }) => withoutLeaderMs)
    .sort((a, b) => a - b);
const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
const shown = (all: readonly number[]) =>
  [percentile(all, 50), mean(all), percentile(all, 99), all.at(-1)!].map(milliseconds).join(" / ");

const paper = new Map<string, readonly number[]>();
const rangeName = ([from, to]: readonly [number, number]) => `${from}-${to} ms`;
for (const range of [...spreadRanges, ...scaledRanges])
  paper.set(rangeName(range), times(paperElections(range[0], range[1])));

printTable(`Time without a leader, ${trials} trials a range: median / mean / p99 / worst`, [
  ...[...paper].map(([what, all]) => ({ what, figure: shown(all), how: remark(what) })),
  {
    what: "150-300 ms as shipped",
    figure: shown(times(shippedElections(150, 300))),
    how: "with pre-vote, check-quorum and catching up",
  },
  {
    what: "1,000-2,000 ms as shipped",
    figure: shown(times(shippedElections(1000, 2000))),
    how: "Covey's own timeouts",
  },
]);

const ratios = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const sizes = [3, 5, 7, 9];
const splitRates = sizes.map((servers) =>
  ratios.map((ratio) => {
    const all = runTrials(idealElections(servers, ratio), trials, seed);
    return all.filter(({ firstElectionFailed }) => firstElectionFailed).length / all.length;
  }),
);
printTable("Split votes in the first election: simulated / closed form, by latency over timeout range", [
  ...sizes.flatMap((servers, row) =>
    [0.02, 0.1, 0.3].map((ratio) => ({
      what: `${servers} servers, ${ratio}`,
      figure: `${percent(splitRates[row]![ratios.indexOf(ratio)]!)} / ${percent(splitVoteProbability(servers, servers - 1, ratio))}`,
      how: "",
    })),
  ),
]);
const first = runTrials(idealElections(5, 0.01), trials, seed).map(({ firstTimeoutMs }) => firstTimeoutMs);
printTable("First timeout of four servers, 1,000-1,100 ms", [
  {
    what: "mean",
    figure: `${milliseconds(mean(first))} / ${milliseconds(meanFirstTimeout(4, 1000, 1100))}`,
    how: "simulated / closed form",
  },
]);

const folder = join(import.meta.dirname, "../../docs/images");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "elections.svg"), chartSvg(electionChart()));
writeFileSync(join(folder, "split-votes.svg"), chartSvg(splitChart()));
console.log(`\nDrawn: ${join(folder, "elections.svg")}, ${join(folder, "split-votes.svg")}`);

function remark(what: string): string {
  switch (what) {
    case "150-150 ms":
      return "paper: over 10 s, always";
    case "150-155 ms":
      return `paper: median ${published.median150to155Ms} ms`;
    case "150-200 ms":
      return `paper: worst ${published.worst150to200Ms} ms`;
    case "12-24 ms":
      return `paper: mean ${published.mean12to24Ms} ms, worst ${published.worst12to24Ms} ms`;
    default:
      return "";
  }
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)} %`;
}

/** The share of trials that were over by each time; 200 points are enough for the eye. */
function cumulative(all: readonly number[]): Point[] {
  const step = Math.max(1, Math.floor(all.length / 200));
  const points = all.flatMap((ms, at): Point[] =>
    at % step === 0 || at === all.length - 1 ? [[ms, (at + 1) / all.length]] : [],
  );
  return [[all[0]!, 0], ...points];
}

function electionChart(): Chart {
  const series = (ranges: readonly (readonly [number, number])[]): Series[] =>
    ranges.map((range) => ({ name: rangeName(range), line: cumulative(paper.get(rangeName(range))!) }));
  const y = {
    label: "trials with a leader again",
    from: 0,
    to: 1,
    ticks: [0, 0.25, 0.5, 0.75, 1],
    tickLabel: (value: number) => `${100 * value} %`,
  };
  return {
    title: "Time without a leader, by election timeout",
    subtitle: `Covey's core, five servers, broadcast about 15 ms, ${trials.toLocaleString("en-US")} trials a line; rings: published in the Raft paper, section 9.3`,
    panels: [
      {
        x: {
          label: "time without leader (ms, logarithmic)",
          from: 75,
          to: 100_000,
          ticks: [100, 300, 1000, 3000, 10_000, 30_000, 100_000],
          scale: "log",
          tickLabel: (value) => value.toLocaleString("en-US"),
        },
        y,
        series: series(spreadRanges),
        notes: [
          {
            at: [published.median150to155Ms, 0.5],
            text: `median ${published.median150to155Ms}`,
            series: 2,
            side: "right",
          },
          {
            at: [published.worst150to200Ms, 1],
            text: `worst ${published.worst150to200Ms}`,
            series: 4,
            side: "below",
          },
          { at: [published.least150to150Ms, 0.03], text: "always over 10,000", series: 0, side: "right" },
        ],
      },
      {
        x: { label: "time without leader (ms)", from: 0, to: 600, ticks: [0, 100, 200, 300, 400, 500, 600] },
        y,
        series: series(scaledRanges),
        notes: [
          {
            at: [published.mean12to24Ms, 0.5],
            text: `mean ${published.mean12to24Ms}`,
            series: 0,
            side: "below",
          },
          {
            at: [published.worst12to24Ms, 1],
            text: `worst ${published.worst12to24Ms}`,
            series: 0,
            side: "below",
          },
        ],
      },
    ],
  };
}

function splitChart(): Chart {
  const curve = Array.from({ length: 101 }, (_, at) => at / 100);
  return {
    title: "How often the first election is split",
    subtitle: `Lines: the closed form. Dots: Covey's core, ${trials.toLocaleString("en-US")} trials each. The leader is down, every message takes the same time.`,
    panels: [
      {
        x: {
          label: "message latency over width of the timeout range",
          from: 0,
          to: 1,
          ticks: [0, 0.2, 0.4, 0.6, 0.8, 1],
        },
        y: {
          label: "split votes",
          from: 0,
          to: 1,
          ticks: [0, 0.25, 0.5, 0.75, 1],
          tickLabel: (value) => `${100 * value} %`,
        },
        series: sizes.map((servers, row) => ({
          name: `${servers} servers`,
          line: curve.map((ratio): Point => [ratio, splitVoteProbability(servers, servers - 1, ratio)]),
          dots: ratios.map((ratio, at): Point => [ratio, splitRates[row]![at]!]),
        })),
        notes: [],
      },
    ],
  };
}
