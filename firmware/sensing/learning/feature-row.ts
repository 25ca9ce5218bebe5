import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Quality } from "../../../protocols/messages/board-messages.ts";
import { readDoubles, savedDoubles } from "../stages/doubles.ts";

/** The latest values of some metrics, gathered until each that is to be waited for has come anew. */
export class FeatureRow {
  readonly values: Float64Array;
  readonly #metrics: readonly string[];
  readonly #waits: number;
  readonly #withinMs: number;
  /** When each came; undefined where that does not matter. */
  readonly #timesMs: Float64Array | undefined;
  /** Bit i: there is a good value i; one that no row has had yet; one that came late. */
  #known = 0;
  #fresh = 0;
  #late = 0;

  /** @param withinMs how much older than the newest value of a row its oldest may be */
  constructor(metrics: readonly string[], waits: number, withinMs = Infinity) {
    this.#metrics = metrics;
    this.#waits = waits;
    this.#withinMs = withinMs;
    this.values = new Float64Array(metrics.length);
    if (withinMs < Infinity) this.#timesMs = new Float64Array(metrics.length);
  }

  get isLate(): boolean {
    return this.#late !== 0;
  }

  /** Takes a reading, of whatever metric; true when it makes a row whole. One that is not good takes its metric out of the row until a good one comes. */
  take(metric: string, atMs: number, value: number, quality: Quality): boolean {
    const metrics = this.#metrics;
    // Late is still good.
    const isGood = quality === 0 || quality === 4;
    let taken = 0;
    for (let i = 0; i < metrics.length; i++) {
      if (metrics[i] !== metric) continue;
      taken |= 1 << i;
      if (!isGood) continue;
      this.values[i] = value;
      if (this.#timesMs !== undefined) this.#timesMs[i] = atMs;
    }
    if (taken === 0) return false;
    if (!isGood) {
      this.#known &= ~taken;
      this.#fresh &= ~taken;
      return false;
    }
    this.#known |= taken;
    this.#fresh |= taken;
    if (quality === 4) this.#late |= taken;
    else this.#late &= ~taken;
    if (this.#known !== (1 << metrics.length) - 1) return false;
    if ((this.#fresh & this.#waits) !== this.#waits || !this.isTogether(atMs)) return false;
    this.#fresh = 0;
    return true;
  }

  /** [which are known, which of them are fresh, which late, the bytes of all, those of their ages or null], for a checkpoint. */
  save(nowMs: number): CborValue {
    const ages = this.#timesMs?.map((atMs) => nowMs - atMs);
    return [
      this.#known,
      this.#fresh,
      this.#late,
      savedDoubles(this.values),
      ages === undefined ? null : savedDoubles(ages),
    ];
  }

  /** Throws `ShapeError`, and has changed nothing, for anything but what a row of as many saved. */
  restore(state: CborValue, nowMs: number): void {
    const { length } = this.values;
    const all = 2 ** length - 1;
    const items = new ItemReader(state, "checkpoint", "row", 5);
    const known = items.integer("the known", 0, all);
    const fresh = items.integer("the fresh", 0, all);
    const late = items.integer("the late", 0, all);
    const values = readDoubles(items.any(), "row", length, length);
    const timesMs = this.#timesMs;
    const ages = timesMs === undefined ? undefined : readDoubles(items.any(), "row", length, length);
    for (let i = 0; i < length; i++) {
      if (!Number.isFinite(values[i]))
        throw new ShapeError("checkpoint", "a row", "finite numbers", values[i]);
    }
    this.#known = known;
    this.#fresh = fresh;
    this.#late = late;
    this.values.set(values);
    if (timesMs === undefined || ages === undefined) return;
    for (let i = 0; i < length; i++) timesMs[i] = nowMs - ages[i]!;
  }

  private isTogether(newestMs: number): boolean {
    const timesMs = this.#timesMs;
    if (timesMs === undefined) return true;
    for (let i = 0; i < timesMs.length; i++) if (newestMs - timesMs[i]! > this.#withinMs) return false;
    return true;
  }
}
