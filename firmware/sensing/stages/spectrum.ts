import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { cosine, fftCountMax, powerOf, transform } from "./fft.ts";
import { Passing } from "./passing.ts";
import { isNextSample } from "./steady.ts";

/**
 * Something of the spectrum of each `count` samples, without their mean and under Hann's window. Powers are scaled so that all bins
 * together are the mean square (Heinzel, Rüdiger and Schilling 2002: sum of the window's squares 3 n / 8).
 *
 * The samples are the only memory, four bytes each, and are transformed where they stand. Where one is missing they are no series: it
 * begins anew.
 */
export class Spectrum extends Passing {
  readonly #stage: Stage & { op: "spectrum" };
  /** The samples, from the first one's value on. */
  readonly #samples: Float32Array;
  #taken = 0;
  #origin = 0;
  #atMs = 0;

  constructor(stage: Stage & { op: "spectrum" }) {
    super();
    this.#stage = stage;
    this.#samples = new Float32Array(stage.count);
  }

  push(value: number, atMs: number): number {
    const { count, everyMs, gives } = this.#stage;
    if (this.#taken > 0 && !isNextSample(this.#atMs, atMs, everyMs)) this.#taken = 0;
    this.#atMs = atMs;
    if (this.#taken === 0) this.#origin = value;
    this.#samples[this.#taken++] = value - this.#origin;
    if (this.#taken < count) return NaN;
    this.#taken = 0;
    this.shape();
    transform(this.#samples);
    if (gives === "rms") return this.rms();
    const binHz = 1000 / (count * everyMs);
    return binHz * (gives === "centroid" ? this.centroid() : this.strongest());
  }

  /** [first value, age of the last, the samples]. */
  override save(nowMs: number): CborValue {
    return [
      this.#origin,
      nowMs - this.#atMs,
      savedDoubles(Float64Array.from(this.#samples.subarray(0, this.#taken))),
    ];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "spectrum", 3);
    const origin = items.anyNumber("the origin");
    const ageMs = items.anyNumber("the age");
    const samples = readDoubles(items.any(), "spectrum", 0, this.#stage.count - 1);
    this.#samples.set(samples);
    this.#taken = samples.length;
    this.#origin = origin;
    this.#atMs = nowMs - ageMs;
  }

  /** Takes the mean off and puts the window on: 1/2 - 1/2 cos(2 pi i / n). */
  private shape(): void {
    const samples = this.#samples;
    const { length } = samples;
    let sum = 0;
    for (let i = 0; i < length; i++) sum += samples[i]!;
    const mean = sum / length;
    const step = fftCountMax / length;
    for (let i = 0; i < length; i++) samples[i] = (samples[i]! - mean) * (0.5 - 0.5 * cosine(i * step));
  }

  private rms(): number {
    const { count, low, high } = this.#stage;
    let sum = 0;
    for (let k = low; k <= high; k++) sum += this.power(k);
    return Math.sqrt(sum / ((3 / 8) * count * count));
  }

  /** The mean bin, weighed by power; NaN of silence. */
  private centroid(): number {
    const { low, high } = this.#stage;
    let sum = 0;
    let weighed = 0;
    for (let k = low; k <= high; k++) {
      const power = this.power(k);
      sum += power;
      weighed += k * power;
    }
    return weighed / sum;
  }

  /** The strongest bin and, of what lies between it and its stronger neighbour, where: exact for a single tone (Grandke 1983). */
  private strongest(): number {
    const { count, low, high } = this.#stage;
    let best = low;
    let most = 0;
    for (let k = low; k <= high; k++) {
      const power = this.power(k);
      if (power <= most) continue;
      most = power;
      best = k;
    }
    if (most === 0) return NaN;
    const below = powerOf(this.#samples, best - 1);
    const above = 2 * best < count ? powerOf(this.#samples, best + 1) : 0;
    const ratio = Math.sqrt(Math.max(below, above) / powerOf(this.#samples, best));
    // Of noise the neighbour beyond the band may be the stronger one.
    const beside = Math.min(0.5, Math.max(0, (2 * ratio - 1) / (ratio + 1)));
    return above > below ? best + beside : best - beside;
  }

  /** Of both halves of the spectrum. */
  private power(k: number): number {
    const power = powerOf(this.#samples, k);
    return 2 * k === this.#samples.length ? power : 2 * power;
  }
}
