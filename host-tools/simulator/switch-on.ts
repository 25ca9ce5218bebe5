/**
 * Switches many boards on without having all of them begin at once: beginning is the most that a board ever asks of the processor, and where a
 * hundred do it together, none is ready before all nearly are.
 */

import { setTimeout as sleep } from "node:timers/promises";

/** What is switched on. */
export interface Startable {
  powerOn(): void;
  /** Resolves when the first turn since `powerOn` is over, or will not come; never rejects. */
  readonly begun: Promise<void>;
}

export interface SwitchingOn {
  /** Boards that begin at a time, 1 or more. */
  readonly atOnce: number;
  /** A board that takes longer is waited for no more: those that work already take their share of the processor. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  onBegun(count: number): void;
}

/**
 * Resolves when every board has begun, in their order; early when `signal` gives up. Rejects with what a `powerOn` throws; boards that were not on by
 * then stay off.
 */
export async function switchOn(
  boards: readonly Startable[],
  { atOnce, patienceMs, signal, onBegun }: SwitchingOn,
): Promise<void> {
  const all: Promise<void>[] = [];
  let next = 0;
  let begun = 0;
  const oneByOne = async () => {
    while (next < boards.length && !signal.aborted) {
      const board = boards[next++]!;
      try {
        board.powerOn();
      } catch (error) {
        next = boards.length;
        throw error;
      }
      const isBegun = board.begun.then(() => onBegun(++begun));
      all.push(isBegun);
      await orAfter(isBegun, patienceMs);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, boards.length) }, oneByOne));
  await Promise.all(all);
}

async function orAfter(what: Promise<void>, mostMs: number): Promise<void> {
  const pause = new AbortController();
  await Promise.race([what, sleep(mostMs, undefined, pause).catch(() => {})]);
  pause.abort();
}
