/**
 * The Numenta Anomaly Benchmark's rule. A detector gives each row a score of 0 to 1, and a row whose score reaches the
 * threshold is a detection. Of the detections in a window only the earliest counts: nearly 1 at the window's left edge,
 * falling to 0 at its right edge along a sigmoid. A detection outside costs: little right after a window, which it came
 * too late for, up to the whole weight far from one. A window without a detection costs too. The threshold is one for all
 * files, the one that earns most; the result is put on a scale from 0, no detection at all, to 100, all at the left edges.
 *
 * Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015; details as of release 1.1.
 */
import type { Profile } from "./profiles.ts";
import type { Series, Window } from "./series.ts";

/** A series and a detector's score of each of its rows, 0 to 1. */
export interface Scored {
  series: Pick<Series, "file" | "windows">;
  scores: ArrayLike<number>;
}

export interface FileScore {
  file: string;
  /** Not on the scale: the sum of what its windows and false detections earn. */
  score: number;
  /** Rows that are detections in a window, and outside. */
  truePositives: number;
  falsePositives: number;
  windows: number;
  /** Windows with a detection. */
  found: number;
}

export interface CorpusScore {
  /** On the scale where no detection is 0 and the perfect detector 100. NaN if there is no window. */
  score: number;
  /** Rows with this score or more are detections. 1.1, which none has, if it is best to detect nothing. */
  threshold: number;
  files: FileScore[];
}

const NEVER = 1.1;

/** The score of a detector over all `scored` with the best threshold for `profile`. */
export function scoreCorpus(scored: readonly Scored[], profile: Profile): CorpusScore {
  const threshold = bestThreshold(scored, profile);
  const files = scoreFiles(scored, profile, threshold);
  return { score: onScale(files, profile), threshold, files };
}

/** What each file earns at one threshold. */
export function scoreFiles(scored: readonly Scored[], profile: Profile, threshold: number): FileScore[] {
  return scored.map((one) => scoreFile(one, profile, threshold));
}

/** What the files earn together, on the scale where no detection is 0 and the perfect detector 100; NaN without windows. */
export function onScale(files: readonly FileScore[], profile: Profile): number {
  const windows = files.reduce((sum, file) => sum + file.windows, 0);
  const total = files.reduce((sum, file) => sum + file.score, 0);
  const nothing = -profile.falseNegative * windows;
  const perfect = profile.truePositive * windows;
  return (100 * (total - nothing)) / (perfect - nothing);
}

function scoreFile(scored: Scored, profile: Profile, threshold: number): FileScore {
  const { file, windows } = scored.series;
  const points = pointsOf(scored, profile);
  const best = new Array<number>(windows.length).fill(-profile.falseNegative);
  const result: FileScore = {
    file,
    score: 0,
    truePositives: 0,
    falsePositives: 0,
    windows: windows.length,
    found: 0,
  };
  for (const point of points) {
    if (point.score < threshold) continue;
    if (point.window < 0) {
      result.falsePositives++;
      result.score += point.worth;
    } else {
      result.truePositives++;
      best[point.window] = Math.max(best[point.window]!, point.worth);
    }
  }
  for (const worth of best) {
    result.score += worth;
    if (worth !== -profile.falseNegative) result.found++;
  }
  return result;
}

/** Rows at the beginning of a file that are not judged, for the detector to learn: 15 %, at most of 5,000 rows. */
export function probationaryRows(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 750);
}

/**
 * What a detection is worth at a position relative to a window, before weighting: -1 is the left edge (0.987), 0 the right
 * edge (0), beyond it a false positive, -1 from 3 window widths on.
 */
export function worthAt(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

/** One judged row. */
interface Point {
  score: number;
  worth: number;
  /** Index of the window that the row is in, counted over all files; -1 outside. */
  window: number;
}

/** The judged rows of a file. `windowBase` is the index of its first window. */
function pointsOf(scored: Scored, profile: Profile, windowBase = 0): Point[] {
  const { windows } = scored.series;
  const rows = scored.scores.length;
  const points: Point[] = [];
  let next = 0;
  let past: Window | undefined;
  for (let row = 0; row < rows; row++) {
    while (next < windows.length && row > windows[next]!.last) past = windows[next++];
    const window = windows[next];
    const isInside = window !== undefined && row >= window.first;
    if (row < probationaryRows(rows)) continue;
    const worth = isInside ? insideWorth(row, window, profile) : outsideWorth(row, past, profile);
    points.push({ score: scored.scores[row]!, worth, window: isInside ? windowBase + next : -1 });
  }
  return points;
}

function insideWorth(row: number, window: Window, profile: Profile): number {
  const width = window.last - window.first + 1;
  return (profile.truePositive * worthAt(-(window.last - row + 1) / width)) / worthAt(-1);
}

function outsideWorth(row: number, past: Window | undefined, profile: Profile): number {
  if (past === undefined) return -profile.falsePositive;
  return profile.falsePositive * worthAt((row - past.last) / (past.last - past.first));
}

/** Goes through all rows from the highest score down, and keeps the score at which the sum was greatest. */
function bestThreshold(scored: readonly Scored[], profile: Profile): number {
  const points: Point[] = [];
  let windows = 0;
  for (const one of scored) {
    for (const point of pointsOf(one, profile, windows)) points.push(point);
    windows += one.series.windows.length;
  }
  points.sort((a, b) => b.score - a.score);
  const best = new Array<number>(windows).fill(-profile.falseNegative);
  let sum = -profile.falseNegative * windows;
  let bestSum = sum;
  let threshold = NEVER;
  for (let i = 0; i < points.length; i++) {
    const point = points[i]!;
    if (point.window < 0) sum += point.worth;
    else if (point.worth > best[point.window]!) {
      sum += point.worth - best[point.window]!;
      best[point.window] = point.worth;
    }
    const isLastOfItsScore = i + 1 === points.length || points[i + 1]!.score !== point.score;
    if (isLastOfItsScore && sum > bestSum) {
      bestSum = sum;
      threshold = point.score;
    }
  }
  return threshold;
}
