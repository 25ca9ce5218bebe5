import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { Passing } from "./passing.ts";
import { isNextSample } from "./steady.ts";

/**
 * The amplitude of one frequency by Goertzel's algorithm (American Mathematical Monthly 65, 1958): a multiplication a sample, and
 * no memory of them. The frequency fits a whole number of times into the `count` samples, so what is constant, and the other
 * frequencies that do, add nothing. Samples of which one is missing are no such series: it begins anew.
 */
export class Goertzel extends Passing {
  readonly #count: number;
  readonly #everyMs: number;
  /** Twice the cosine of the angle from sample to sample. */
  readonly #turn: number;
  #s1 = 0;
  #s2 = 0;
  #taken = 0;
  /** The first value is taken off all: numbers stay small. */
  #origin = 0;
  #atMs = 0;

  constructor({ count, bin, everyMs }: Stage & { op: "goertzel" }) {
    super();
    this.#count = count;
    this.#everyMs = everyMs;
    this.#turn = 2 * Math.cos((2 * Math.PI * bin) / count);
  }

  push(value: number, atMs: number): number {
    if (this.#taken > 0 && !isNextSample(this.#atMs, atMs, this.#everyMs)) this.#taken = 0;
    this.#atMs = atMs;
    if (this.#taken === 0) {
      this.#origin = value;
      this.#s1 = 0;
      this.#s2 = 0;
    }
    const s = value - this.#origin + this.#turn * this.#s1 - this.#s2;
    this.#s2 = this.#s1;
    this.#s1 = s;
    if (++this.#taken < this.#count) return NaN;
    this.#taken = 0;
    const power = this.#s1 * this.#s1 + this.#s2 * this.#s2 - this.#turn * this.#s1 * this.#s2;
    // By rounding it may come out below 0.
    return (2 * Math.sqrt(Math.max(0, power))) / this.#count;
  }

  override save(nowMs: number): CborValue {
    return [this.#taken, this.#s1, this.#s2, this.#origin, nowMs - this.#atMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "goertzel", 5);
    const taken = items.integer("the samples", 0, this.#count - 1);
    const s1 = items.anyNumber("s1");
    const s2 = items.anyNumber("s2");
    const origin = items.anyNumber("the origin");
    this.#atMs = nowMs - items.anyNumber("the age");
    this.#taken = taken;
    this.#s1 = s1;
    this.#s2 = s2;
    this.#origin = origin;
  }
}
