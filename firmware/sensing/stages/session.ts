import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { type Accumulator, accumulatorFor } from "./accumulator.ts";
import type { Filter } from "./filter.ts";

/**
 * A statistic of each session: a run of values, above a level if one is said, that come no more than `gapMs` apart. It leaves
 * when so long has gone by since the last of them; a value at that very moment begins the next. It keeps sums only, so a
 * session may be as long as it likes.
 */
export class Session implements Filter {
  /** When the session will have ended; Infinity while there is none. */
  dueMs = Infinity;
  readonly #gapMs: number;
  readonly #above: number;
  readonly #givesDuration: boolean;
  readonly #values: Accumulator;
  #firstMs = 0;

  constructor({ gapMs, above, statistic, percent }: Stage & { op: "session" }) {
    this.#gapMs = gapMs;
    this.#above = above;
    this.#givesDuration = statistic === "duration";
    this.#values = accumulatorFor(statistic === "duration" ? "count" : statistic, percent);
  }

  push(value: number, atMs: number): number {
    const ended = atMs >= this.dueMs ? this.advance() : NaN;
    if (!(value > this.#above)) return ended;
    if (this.dueMs === Infinity) this.#firstMs = atMs;
    this.dueMs = atMs + this.#gapMs;
    this.#values.add(value, (atMs - this.#firstMs) / 1000);
    return ended;
  }

  advance(): number {
    const lastMs = this.dueMs - this.#gapMs;
    const result = this.#givesDuration ? (lastMs - this.#firstMs) / 1000 : this.#values.result();
    this.#values.clear();
    this.dueMs = Infinity;
    return result;
  }

  /** [age of the first value, of the last one or -1 for no session, accumulator]. */
  save(nowMs: number): CborValue {
    const lastAgeMs = this.dueMs === Infinity ? -1 : nowMs - (this.dueMs - this.#gapMs);
    return [nowMs - this.#firstMs, lastAgeMs, this.#values.save()];
  }

  restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "session", 3);
    const firstAgeMs = items.anyNumber("the first's age");
    const lastAgeMs = items.number("the last's age", -1, Number.MAX_SAFE_INTEGER);
    this.#values.restore(items.any());
    this.#firstMs = nowMs - firstAgeMs;
    this.dueMs = lastAgeMs < 0 ? Infinity : nowMs - lastAgeMs + this.#gapMs;
  }
}
