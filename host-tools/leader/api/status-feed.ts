/**
 * The status, pushed: at most four times a second, only when something in it changed, serialised once for all who watch.
 *
 * A watcher that is slower than the feed skips to the newest; nothing queues up for it.
 */
import type { Status } from "./types/status.ts";

export const statusFeedLimits = {
  periodMs: 250,
  watchersMax: 32,
} as const;

/** A watcher's end: the newest status as JSON, each at most once. */
export interface Watch {
  readonly isClosed: boolean;
  /** Resolves with the next one; undefined when nothing changed within `waitMs`, or on closing. */
  next(waitMs: number): Promise<string | undefined>;
  close(): void;
}

export class StatusFeed {
  readonly #status: () => Status;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastText = "";
  #isClosed = false;

  constructor(status: () => Status) {
    this.#status = status;
  }

  /** Something may have changed. Cheap: call it as often as you like. */
  changed(): void {
    if (this.#watchers.size === 0 || this.#timer !== undefined) return;
    const waitMs = Math.max(0, this.#lastMs + statusFeedLimits.periodMs - performance.now());
    this.#timer = setTimeout(() => this.#push(), waitMs);
  }

  /** Starts with the present status. undefined when `statusFeedLimits.watchersMax` watch already, or the feed is closed. */
  watch(): Watch | undefined {
    if (this.#isClosed || this.#watchers.size === statusFeedLimits.watchersMax) return undefined;
    const watcher = new Watcher(() => this.#watchers.delete(watcher));
    this.#watchers.add(watcher);
    watcher.offer(JSON.stringify(this.#status()));
    return watcher;
  }

  /** Ends every watch; nothing is told any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #push(): void {
    this.#timer = undefined;
    this.#lastMs = performance.now();
    const status = this.#status();
    // Uptime always changes and says nothing new.
    const comparable = JSON.stringify({ ...status, leader: { ...status.leader, uptimeMs: 0 } });
    if (comparable === this.#lastText) return;
    this.#lastText = comparable;
    const text = JSON.stringify(status);
    for (const watcher of this.#watchers) watcher.offer(text);
  }
}

class Watcher implements Watch {
  readonly #onClose: () => void;
  #newest: string | undefined;
  #wake: (() => void) | undefined;
  isClosed = false;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  offer(text: string): void {
    this.#newest = text;
    this.#wake?.();
  }

  async next(waitMs: number): Promise<string | undefined> {
    if (this.#newest === undefined && !this.isClosed) await this.#somethingOr(waitMs);
    const text = this.#newest;
    this.#newest = undefined;
    return text;
  }

  close(): void {
    this.isClosed = true;
    this.#onClose();
    this.#wake?.();
  }

  #somethingOr(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
