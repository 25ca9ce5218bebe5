import type { ScheduledValue } from "../../protocols/pipeline/program.ts";
import { lastFireMs, nextFireMs } from "../../protocols/time/schedule.ts";

/** The wall's time is looked at again after this at the latest, for it may have been told anew meanwhile. */
const lookMsMax = 3_600_000;

/** A schedule at work. It remembers nothing: what holds follows from the wall's time, and while that is unknown nothing does. */
export class ScheduleRun {
  readonly definition: ScheduledValue;
  /** When it last fired, in Unix milliseconds, if what it does still holds; -Infinity if not. */
  firedMs = -Infinity;
  /** When to look again, on the board's clock; Infinity while the wall's time is unknown. */
  dueMs = Infinity;

  constructor(definition: ScheduledValue) {
    this.definition = definition;
  }

  /** `wallMs` is the wall's time at `nowMs`; NaN while unknown. */
  run(nowMs: number, wallMs: number): void {
    this.firedMs = -Infinity;
    this.dueMs = Infinity;
    if (Number.isNaN(wallMs)) return;
    const { schedule, forMs } = this.definition;
    let changeMs = nextFireMs(schedule, wallMs);
    const firedMs = lastFireMs(schedule, wallMs);
    const endMs = forMs === 0 ? Infinity : firedMs + forMs;
    if (wallMs < endMs) {
      this.firedMs = firedMs;
      changeMs = Math.min(changeMs, endMs);
    }
    this.dueMs = nowMs + Math.min(changeMs - wallMs, lookMsMax);
  }
}
