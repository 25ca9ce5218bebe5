import type { Block, MetricBlock } from "../../protocols/series/block.ts";

/** Blocks of readings that wait for their report, at most `blocksMax`: the oldest makes room for the newest, and its readings are counted. */
export class BlockQueue {
  readonly blocksMax: number;
  readonly #blocks: MetricBlock[] = [];
  #dropped = 0;

  constructor(blocksMax: number) {
    this.blocksMax = blocksMax;
  }

  get length(): number {
    return this.#blocks.length;
  }

  /** Readings lost because the queue was full, since the board booted. */
  get dropped(): number {
    return this.#dropped;
  }

  push(metric: string, { startMs, stepMs, mode, scale, first, count, bits }: Block): void {
    if (this.#blocks.length === this.blocksMax) this.#dropped += this.#blocks.shift()!.count;
    this.#blocks.push({ metric, startMs, stepMs, mode, scale, first, count, bits });
  }

  /** The oldest blocks, at most `count` of them; they stay in the queue. */
  peek(count: number): readonly MetricBlock[] {
    return this.#blocks.slice(0, count);
  }

  /** Takes the oldest `count` blocks off the queue. */
  drop(count: number): void {
    this.#blocks.splice(0, count);
  }
}
