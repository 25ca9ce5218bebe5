/**
 * A soak: one board lives through virtual hours of faults drawn from a seed, and its heap is sampled after a collection,
 * always in the same state: linked, up to date, its base program running, no report overdue. So the samples differ by
 * what was not given back, and by nothing else.
 *
 * The hours are intervals, each with faults and then a sample. In the first and the last quarter of them the power is cut, and
 * each new start is a sample as well; the half between is one power cycle.
 */
import { boardLimits } from "../../../firmware/board/board.ts";
import { messageLimits } from "../../../protocols/messages/board-messages.ts";
import { BoardUnderSoak, type HeapSample, type Totals } from "./board-under-soak.ts";
import { cutPower, faultMsMax, faults, putAll, putManyBytes, putSome } from "./faults.ts";
import type { ProbeFirmware } from "./probe-firmware.ts";
import { Random } from "./random.ts";

export const soakLimits = Object.freeze({
  /** What the heap after a collection may gain from the first quarter of a power cycle, or of all cycles, to the last. */
  growthBytesMax: 1024,
  /** Timers that are set at a time: the board has one for all that is due. */
  timersMax: 2,
  /** Readings that may wait at rest: those of the second between two reports. */
  restReadingsMax: 3,
  /** From the end of the faults to a board at rest. */
  restMsMax: 120_000,
});

export interface SoakOptions {
  readonly firmware: ProbeFirmware;
  readonly stackSlots: number;
  readonly arenaBytes?: number;
  readonly seed: number;
  readonly intervals: number;
  readonly intervalMs: number;
  readonly onProgress?: (progress: SoakProgress) => void;
}

export interface SoakProgress {
  readonly interval: number;
  readonly intervals: number;
  readonly sample: HeapSample;
  readonly totals: Totals;
}

export interface SoakResult {
  readonly virtualMs: number;
  /** Heap after collection within the long power cycle, and after each start. */
  readonly steady: readonly HeapSample[];
  readonly starts: readonly HeapSample[];
  readonly faults: ReadonlyMap<string, number>;
  readonly totals: Totals;
  readonly entries: number;
  readonly terms: number;
  readonly markWrites: number;
  readonly connects: number;
  readonly connectionsMost: number;
  readonly logged: ReadonlyMap<string, number>;
}

/** Throws `SoakFailure` when the board does what it must never do. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const random = new Random(options.seed);
  const board = new BoardUnderSoak({ ...options, random: new Random(options.seed + 1) });
  const run = new Soak(board, random, options);
  try {
    return await run.all();
  } finally {
    if (board.isOn) await board.powerOff();
  }
}

class Soak {
  readonly #board: BoardUnderSoak;
  readonly #random: Random;
  readonly #options: SoakOptions;
  readonly #counts = new Map<string, number>();
  readonly #steady: HeapSample[] = [];
  readonly #starts: HeapSample[] = [];

  constructor(board: BoardUnderSoak, random: Random, options: SoakOptions) {
    this.#board = board;
    this.#random = random;
    this.#options = options;
  }

  async all(): Promise<SoakResult> {
    const board = this.#board;
    const { intervals, intervalMs, onProgress } = this.#options;
    putAll(board);
    board.powerOn();
    await this.#rest();
    // Whatever the seed brings: the queue of readings overflows once at least; more than one a second is read.
    board.leader.sendBufferBytes = 0;
    await board.run(boardLimits.readingsMax * 1000);
    board.leader.sendBufferBytes = Infinity;
    const startMs = board.nowMs;
    for (let interval = 0; interval < intervals; interval++) {
      const cutsPower = interval < intervals / 4 || interval >= (3 * intervals) / 4;
      const sample = await this.#interval(startMs + (interval + 1) * intervalMs, cutsPower);
      if (!cutsPower) this.#steady.push(sample);
      onProgress?.({ interval, intervals, sample, totals: board.totals });
    }
    await board.powerOff();
    const { leader, tap, totals, marks, logged } = board;
    return {
      virtualMs: board.nowMs,
      steady: this.#steady,
      starts: this.#starts,
      faults: this.#counts,
      totals,
      entries: leader.commitIndex,
      terms: leader.term,
      markWrites: marks.writes,
      connects: tap.connects,
      connectionsMost: tap.openMost,
      logged,
    };
  }

  async #interval(endMs: number, cutsPower: boolean): Promise<HeapSample> {
    const board = this.#board;
    const random = this.#random;
    // The power goes somewhere in the first half, so that a start has faults to live through as well.
    let cutMs = cutsPower ? board.nowMs + random.next() * 0.5 * (endMs - board.nowMs) : Infinity;
    while (board.nowMs < endMs - faultMsMax) {
      await board.run(random.integer(0, 40_000));
      putSome(board, random);
      const name = random.one(Object.keys(faults));
      this.#count(name);
      await faults[name]!(board, random);
      if (board.nowMs < cutMs) continue;
      cutMs = Infinity;
      this.#count(`power cut ${await cutPower(board, random)}`);
      await this.#rest();
      this.#starts.push(await this.#sample());
    }
    await this.#rest();
    return this.#sample();
  }

  async #sample(): Promise<HeapSample> {
    const sample = await this.#board.sampleHeap();
    if (sample.timers > soakLimits.timersMax) this.#board.fail(`${sample.timers} timers are set`);
    this.#forgetMessages();
    return sample;
  }

  /**
   * Until the board knows and has done all that was asked, and has told all that it read. Buffers keep the size that the largest
   * message has asked for: so that they are the same for every sample, there is a full one each way.
   */
  async #rest(): Promise<void> {
    const board = this.#board;
    await this.#settle();
    board.leader.sendBufferBytes = 0;
    while (board.readingsWaiting < messageLimits.readingsMax) await board.run(1000);
    board.leader.sendBufferBytes = Infinity;
    putManyBytes(board);
    await this.#settle();
    for (const { name, value } of board.health!.outputs) {
      if (board.pin(name) !== value) board.fail(`${name} is ${board.pin(name)}, and told as ${value}`);
    }
    if (!board.marks.isUpToDate) board.fail("the last mark was not written");
  }

  async #settle(): Promise<void> {
    const board = this.#board;
    const endMs = board.nowMs + soakLimits.restMsMax;
    await board.run(5000);
    while (!this.#isAtRest()) {
      if (board.nowMs > endMs) {
        board.fail(
          `no rest: applied ${board.health?.appliedIndex} of ${board.leader.commitIndex}, ${board.readingsWaiting} readings wait`,
        );
      }
      await board.run(130);
    }
  }

  #isAtRest(): boolean {
    const { health, leader, readingsWaiting } = this.#board;
    return (
      health !== undefined &&
      health.appliedIndex === leader.commitIndex &&
      readingsWaiting <= soakLimits.restReadingsMax
    );
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** The leader keeps every message for tests that look at them; a day's would fill this process. */
  #forgetMessages(): void {
    const { raft, reports, healths } = this.#board.leader;
    for (const kept of [raft, reports, healths]) kept.length = 0;
  }
}
