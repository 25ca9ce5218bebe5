/** What a process that holds a role has to do with beside its host: time, and other processes. All of it is here, so that it can be tried where neither is real. */
import { setTimeout as sleep } from "node:timers/promises";
import { LeaseClock } from "../../leader/tasks/lease-clock.ts";
import { type GuardedProcess, type ProcessStart, startGuarded } from "./guarded-process.ts";

export interface Surroundings {
  /** `LeaseClock`'s. */
  nowMs(): number;
  /** Ends early when it is interrupted. */
  sleep(durationMs: number, interrupted?: AbortSignal): Promise<void>;
  /** Calls `act` once, at least so much later. What it returns calls it off. */
  after(delayMs: number, act: () => void): () => void;
  start(start: ProcessStart): GuardedProcess;
}

export function thisComputer(): Surroundings {
  const clock = new LeaseClock();
  return {
    nowMs: () => clock.nowMs(),
    sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => {}),
    after: (delayMs, act) => {
      const timer = setTimeout(act, delayMs);
      return () => clearTimeout(timer);
    },
    start: startGuarded,
  };
}
