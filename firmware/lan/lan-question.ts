import { Backoff } from "../board/backoff.ts";
import type { Random } from "../platform/ports.ts";
import { lanLimits } from "./lan-limits.ts";

/** When to ask all around where members are: at once for one that is newly missing, then with growing pauses for as long as somebody is. */
export class LanQuestion {
  readonly #backoff: Backoff;
  #dueMs = Infinity;
  #askedMs = -Infinity;

  constructor(random: Random) {
    this.#backoff = new Backoff(lanLimits.askFirstMs, lanLimits.askMostMs, random);
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** Whether it is to be asked now. */
  run(isSought: boolean, isNewlySought: boolean, nowMs: number): boolean {
    if (!isSought) {
      this.stop();
      return false;
    }
    if (isNewlySought) {
      this.#backoff.reset();
      this.hasten(nowMs);
    }
    if (nowMs < this.#dueMs) return false;
    this.#askedMs = nowMs;
    this.#dueMs = nowMs + this.#backoff.next();
    return true;
  }

  /** Somebody may be there: as soon as a question may follow the one before. */
  hasten(nowMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, Math.max(nowMs, this.#askedMs + lanLimits.askFirstMs));
  }

  stop(): void {
    this.#dueMs = Infinity;
  }
}
