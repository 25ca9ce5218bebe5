import type { Health, Report } from "../../protocols/messages/board-messages.ts";
import { messageLimits } from "../../protocols/messages/board-messages.ts";
import type { BlockQueue } from "../sensing/block-queue.ts";
import type { ReadingQueue } from "../sensing/reading-queue.ts";

export const telemetryPeriods = Object.freeze({
  /** Between reports, unless one is full before. */
  reportMs: 1_000,
  healthMs: 2_000,
  /** Between health messages that news ask for, so that news which come together are told together. */
  newsMs: 100,
});

/** What a board tells about itself, and when. */
export interface TelemetrySender {
  /** False when it cannot be sent now. */
  sendReport(report: Report): boolean;
  sendHealth(): boolean;
}

/**
 * Decides when a report and a health message are due. Readings leave their queue only when the transport has taken them; what
 * cannot be sent is tried again a period later.
 */
export class Telemetry {
  readonly #queue: ReadingQueue;
  readonly #blocks: BlockQueue;
  #joined = false;
  #hasNews = false;
  #reportMs = 0;
  #healthMs = 0;
  #reportsOut = 0;

  constructor(queue: ReadingQueue, blocks: BlockQueue) {
    this.#queue = queue;
    this.#blocks = blocks;
  }

  /** Reports sent since the board booted. */
  get reportsOut(): Health["reportsOut"] {
    return this.#reportsOut;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    if (!this.#joined) return Infinity;
    return Math.min(this.reportDueMs(), this.healthDueMs());
  }

  /** Nothing is left to tell but what comes every so often. */
  get isDone(): boolean {
    return this.#joined && this.#queue.length === 0 && this.#blocks.length === 0 && !this.#hasNews;
  }

  /** A link is up: if it is the first, health is told at once. */
  join(nowMs: number): void {
    if (this.#joined) return;
    this.#joined = true;
    this.#hasNews = true;
    this.#healthMs = nowMs - telemetryPeriods.newsMs;
  }

  leave(): void {
    this.#joined = false;
  }

  /** Something has changed that the leader should hear of before the next period ends. */
  tellNews(): void {
    this.#hasNews = true;
  }

  run(nowMs: number, sender: TelemetrySender): void {
    if (this.#joined && nowMs >= this.reportDueMs()) this.report(nowMs, sender);
    if (this.#joined && nowMs >= this.healthDueMs()) {
      this.#healthMs = nowMs;
      this.#hasNews = !sender.sendHealth();
    }
  }

  private report(nowMs: number, sender: TelemetrySender): void {
    const blocks = this.#blocks.peek(messageLimits.blocksMax);
    // A report of both would be too long for what one message may take.
    const readings = blocks.length > 0 ? [] : this.#queue.peek(messageLimits.readingsMax);
    this.#reportMs = nowMs;
    if (!sender.sendReport({ sentMs: nowMs, sequence: this.#reportsOut, readings, blocks })) return;
    this.#queue.drop(readings.length);
    this.#blocks.drop(blocks.length);
    this.#reportsOut++;
  }

  private reportDueMs(): number {
    if (this.#queue.length === 0 && this.#blocks.length === 0) return Infinity;
    const isFull = this.#queue.length >= messageLimits.readingsMax || this.#blocks.length > 0;
    return this.#reportMs + (isFull ? telemetryPeriods.newsMs : telemetryPeriods.reportMs);
  }

  private healthDueMs(): number {
    return this.#healthMs + (this.#hasNews ? telemetryPeriods.newsMs : telemetryPeriods.healthMs);
  }
}
