/** Pipelines that lose their power at random moments, against a plain mean of what was sampled. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { BlockQueue } from "../../../firmware/sensing/block-queue.ts";
import { ReadingQueue } from "../../../firmware/sensing/reading-queue.ts";
import { Sensing } from "../../../firmware/sensing/sensing.ts";
import { Checkpoints, checkpointLimits } from "../../../firmware/storage/checkpoints.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { FlashModel } from "./flash-model.ts";
import { openStore } from "./full-flash.ts";

const dayMs = 24 * 3_600_000;
const everyMs = 10_000;
const program: Program = {
  pipelines: [{ metric: "day", sensor: "air", everyMs, stages: [{ op: "mean", windowMs: dayMs }] }],
  outputs: [],
  rules: [],
};

/** A board's sensing and its checkpoints, on a clock that starts anywhere. */
class Device {
  readonly queue = new ReadingQueue(64);
  readonly #sensing: Sensing;
  readonly #checkpoints: Checkpoints;
  #nowMs: number;

  constructor(flash: FlashModel, bootMs: number, sample: () => number) {
    const store = openStore(flash);
    this.#nowMs = bootMs;
    this.#sensing = new Sensing({
      board: "north-1",
      sensors: { read: sample },
      actuators: { configure() {}, write() {}, release() {} },
      settings: store,
      queue: this.queue,
      blocks: new BlockQueue(4),
      wallMs: () => NaN,
      onOutputRefused() {},
      onModelRefused() {},
    });
    this.#sensing.load(program, bootMs);
    this.#checkpoints = new Checkpoints(store, this.#sensing, bootMs);
    this.#checkpoints.restore(bootMs);
  }

  run(forMs: number): void {
    const endMs = this.#nowMs + forMs;
    for (;;) {
      const dueMs = Math.min(this.#sensing.dueMs, this.#checkpoints.dueMs);
      if (dueMs > endMs) break;
      this.#sensing.run(dueMs);
      this.#checkpoints.run(dueMs);
    }
    this.#nowMs = endMs;
  }
}

const uptimes = fc.array(fc.integer({ min: 1000, max: 6 * 3_600_000 }), { minLength: 1, maxLength: 3 });

test("an average over 24 hours survives power cuts, each of which costs it a checkpoint's interval at most", () => {
  fc.assert(
    fc.property(uptimes, fc.integer({ min: 0, max: 1e9 }), (upMs, bootMs) => {
      let flash = FlashModel.blank(16, 4096);
      let counted: number[] = [];
      let ageMs = 0;
      for (const forMs of [...upMs, dayMs]) {
        flash = flash.reboot();
        const sampled: number[] = [];
        const device = new Device(flash, bootMs, () => {
          const value = 20 + Math.sin((counted.length + sampled.length) / 100);
          sampled.push(value);
          return value;
        });
        device.run(forMs);
        const savedMs = Math.floor(forMs / checkpointLimits.everyMs) * checkpointLimits.everyMs;
        if (forMs < dayMs) {
          // What was sampled up to the last checkpoint counts.
          if (savedMs > 0) counted = counted.concat(sampled.slice(0, savedMs / everyMs + 1));
          ageMs += savedMs;
          expect(device.queue.length).toBe(0);
        } else {
          counted = counted.concat(sampled.slice(0, Math.ceil((dayMs - ageMs) / everyMs)));
          const mean = counted.reduce((sum, value) => sum + value, 0) / counted.length;
          const [reading] = device.queue.peek(1);
          expect(reading!.takenMs).toBe(bootMs + dayMs - ageMs);
          expect(reading!.value).toBeCloseTo(mean, 9);
        }
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
});
