/**
 * Where the readings of one power cycle are: each value that a sensor gave has become a reading that was handed to the
 * transport, was dropped and counted, or waits in the queue; never more of these, and never less.
 */
import { boardLimits } from "../../../firmware/board/board.ts";
import type { Health, Report } from "../../../protocols/messages/board-messages.ts";
import { messageLimits } from "../../../protocols/messages/board-messages.ts";

/** A sensor that gives nothing is reported so often: `faultEveryMs` of the firmware. */
const missingEveryMs = 10_000;

const waitingMax = boardLimits.readingsMax;

export class ReadingAccounts {
  #samples = 0;
  #readings = 0;
  #reported = 0;
  #dropped = 0;
  #reports = 0;
  #lastTally = -1;
  /** Readings, and those reported, when a report had last emptied the queue; undefined when that is settled. */
  #emptied: { readonly readings: number; readonly reported: number } | undefined;
  readonly #missingDueMs = new Map<string, number>();

  get reported(): number {
    return this.#reported;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#readings - this.#reported - this.#dropped;
  }

  /** The board has read a sensor. */
  onSample(sensor: string, value: number, nowMs: number): void {
    this.#samples++;
    if (Number.isNaN(value)) {
      if (nowMs < (this.#missingDueMs.get(sensor) ?? -Infinity)) return;
      this.#missingDueMs.set(sensor, nowMs + missingEveryMs);
      this.#readings++;
      return;
    }
    this.#missingDueMs.delete(sensor);
    if (sensor !== "cpu") this.#readings++;
  }

  /** The board runs no pipelines any more; what they held is gone. */
  onNoProgram(): void {
    this.#missingDueMs.clear();
  }

  /** The transport has taken a report. Gives what is wrong with it. */
  onReport({ sequence, readings }: Report): string | undefined {
    if (sequence !== this.#reports) return `report ${sequence} came where ${this.#reports} was due`;
    this.#reports++;
    this.#reported += readings.length;
    for (const { metric, value } of readings) {
      if (metric !== "tally") continue;
      if (value <= this.#lastTally) return `tally ${value} came after ${this.#lastTally}`;
      this.#lastTally = value;
    }
    if (readings.length < messageLimits.readingsMax) {
      this.#emptied = { readings: this.#readings, reported: this.#reported };
    }
    return undefined;
  }

  /** The board has told its figures. Gives what is wrong with them. */
  onHealth(health: Health): string | undefined {
    this.#dropped = health.readingsDropped;
    if (health.samplesIn !== this.#samples) return `${health.samplesIn} samples in of ${this.#samples}`;
    if (health.reportsOut !== this.#reports) return `${health.reportsOut} reports out of ${this.#reports}`;
    if (this.waiting < 0 || this.waiting > waitingMax)
      return `${this.#readings} readings: ${this.#reported} reported, ${this.#dropped} dropped, so ${this.waiting} would wait`;
    const lost = this.#droppedForSure();
    this.#emptied = undefined;
    return lost === undefined || lost === this.#dropped
      ? undefined
      : `${lost} readings were dropped, ${this.#dropped} are counted`;
  }

  /** How many had been dropped when the queue was last empty, if none can have been since. */
  #droppedForSure(): number | undefined {
    if (this.#emptied === undefined) return undefined;
    const { readings, reported } = this.#emptied;
    return this.#readings - readings <= waitingMax ? readings - reported : undefined;
  }
}
