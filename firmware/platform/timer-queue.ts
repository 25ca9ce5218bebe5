import type { Timer } from "./ports.ts";

export const timersMax = 64;

/** Timers for a platform that only knows one next deadline. Timers of the same moment run in the order they were set. */
export class TimerQueue {
  /** Soonest first. */
  readonly #timers: QueuedTimer[] = [];

  /** Timers that are set. */
  get length(): number {
    return this.#timers.length;
  }

  /** Infinity for none. */
  get nextMs(): number {
    return this.#timers[0]?.atMs ?? Infinity;
  }

  /** Throws `RangeError` beyond `timersMax`. */
  set(atMs: number, callback: () => void): Timer {
    if (this.#timers.length >= timersMax) throw new RangeError(`More than ${timersMax} timers are set.`);
    const timer = new QueuedTimer(this, atMs, callback);
    let place = this.#timers.length;
    while (place > 0 && this.#timers[place - 1]!.atMs > atMs) place--;
    this.#timers.splice(place, 0, timer);
    return timer;
  }

  /** Calls back every timer that is due; those that they set run when their time comes, at the earliest in the next call. */
  runDue(nowMs: number): void {
    for (let due = this.countDue(nowMs); due > 0 && this.nextMs <= nowMs; due--) {
      this.#timers.shift()!.callback();
    }
  }

  remove(timer: Timer): void {
    const place = this.#timers.indexOf(timer as QueuedTimer);
    if (place >= 0) this.#timers.splice(place, 1);
  }

  private countDue(nowMs: number): number {
    let due = 0;
    while (due < this.#timers.length && this.#timers[due]!.atMs <= nowMs) due++;
    return due;
  }
}

class QueuedTimer implements Timer {
  readonly #queue: TimerQueue;
  readonly atMs: number;
  readonly callback: () => void;

  constructor(queue: TimerQueue, atMs: number, callback: () => void) {
    this.#queue = queue;
    this.atMs = atMs;
    this.callback = callback;
  }

  cancel(): void {
    this.#queue.remove(this);
  }
}
