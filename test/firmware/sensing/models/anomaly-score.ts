/** The anomaly score as one would write it with memory to spare: an object for each side, and a list of what each day was like. */
const dayParts = 24;

export function anomalyScores(
  values: readonly number[],
  timesMs: readonly number[],
  periodMs: number,
): number[] {
  const level = side(0.2);
  const jump = side(0.2);
  const trend = side(1);
  const roughness = side(1);
  const day = side(0.67);
  const fast = mean(20);
  const slow = mean(120);
  const steps = mean(120);
  const profile = new Profile(periodMs);
  const given: number[] = [];
  /** Index and height of what was last given. */
  let last = { at: -Infinity, score: 0 };
  values.forEach((x, i) => {
    const slowBefore = i === 0 ? x : slow.value();
    fast.add(x);
    slow.add(x);
    steps.add(i === 0 ? 0 : Math.abs(x - values[i - 1]!));
    const usual = profile.usual(x, timesMs[i]! - timesMs[0]!);
    const scores = [
      level(fast.value(), fast.value()),
      jump(x - slowBefore, fast.value()),
      trend(fast.value() - slow.value(), fast.value()),
      roughness(steps.value(), fast.value()),
      usual === undefined ? 0 : day(x - usual, fast.value()),
    ];
    const score = Math.max(...scores);
    const isCovered = i - last.at <= 80 && score <= last.score;
    given.push(isCovered ? 0 : score);
    if (!isCovered && score > 0) last = { at: i, score };
  });
  return given;
}

/** A mean of all values at first, then one that forgets: a new value weighs a `parts`-th. */
function mean(parts: number) {
  let count = 0;
  let current = 0;
  return {
    add(x: number) {
      count++;
      current = count === 1 ? x : current + (x - current) / Math.min(count, parts);
    },
    value: () => current,
  };
}

/** Gives how far each of its values exceeds all before. */
function side(margin: number) {
  const memory = 100_000;
  const center = mean(memory);
  let variance = 0;
  let count = 0;
  let lowest = Infinity;
  let highest = -Infinity;
  return (x: number, level: number): number => {
    count++;
    if (count === 1) {
      center.add(x);
      lowest = x;
      highest = x;
      return 0;
    }
    const deviation = Math.sqrt(variance);
    const beyond = x > highest ? x - highest : x < lowest ? lowest - x : 0;
    const isBeyond = beyond > 1e-9 * Math.abs(level);
    const isKnown = count > (deviation === 0 ? 120 : 20);

    const before = center.value();
    center.add(x);
    variance += ((x - before) * (x - center.value()) - variance) / Math.min(count, memory);
    lowest = Math.min(x, lowest + (center.value() - lowest) / memory);
    highest = Math.max(x, highest + (center.value() - highest) / memory);
    return isBeyond && isKnown ? beyond / (beyond + margin * deviation) : 0;
  };
}

/** What each part of the day was like. */
class Profile {
  readonly #periodMs: number;
  readonly #usual = new Map<number, number>();
  #part = 0;
  #values: number[] = [];

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  usual(x: number, ageMs: number): number | undefined {
    const part = Math.floor((ageMs * dayParts) / this.#periodMs);
    if (part !== this.#part) {
      this.learn();
      this.#part = part;
      this.#values = [];
    }
    this.#values.push(x);
    return this.#usual.get(part % dayParts);
  }

  private learn(): void {
    const average = this.#values.reduce((sum, x, i) => sum + (x - sum) / (i + 1), 0);
    const of = this.#part % dayParts;
    const day = Math.floor(this.#part / dayParts) + 1;
    const before = this.#usual.get(of);
    this.#usual.set(of, before === undefined ? average : before + (average - before) / Math.min(day, 10));
  }
}
