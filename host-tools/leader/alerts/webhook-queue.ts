/**
 * What one webhook still has to be told: worked out from the agreed records each time, so that nothing is queued that is not agreed on, and
 * nothing gets lost with a host. One attempt at a time; after a failure it waits, and another notice comes first.
 */
import type { Log } from "../log.ts";
import { backOffMs, type Notice, type Webhook } from "./webhook.ts";

/** A notice and what to do when it was taken. */
export interface Waiting {
  readonly notice: Notice;
  /** Agrees with the others that it was told; resolves either way. */
  mark(): Promise<void>;
}

export class WebhookQueue {
  readonly webhook: Webhook;
  readonly #log: Log;
  /** Whether this host leads and a majority says so. */
  readonly #mayTell: () => Promise<boolean>;
  #isBusy = false;
  #failures = 0;
  #nextMs = 0;
  /** Why the last attempt failed; undefined when it did not. */
  #problem: string | undefined;
  /** Attempts by id, of notices that still wait. */
  #attempts = new Map<string, number>();
  /** Taken, and not yet agreed on to be told: not to be told again by this host. */
  readonly #taken = new Set<string>();

  constructor(webhook: Webhook, log: Log, mayTell: () => Promise<boolean>) {
    this.webhook = webhook;
    this.#log = log;
    this.#mayTell = mayTell;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Makes an attempt if it is time for one. `waiting`: all that waits, oldest first. True when it is worth asking again at once. */
  async run(waiting: readonly Waiting[], nowMs: number): Promise<boolean> {
    if (this.#isBusy) return false;
    this.#forget(waiting);
    const fresh = waiting.filter(({ notice }) => !this.#taken.has(notice.id));
    const next = nowMs >= this.#nextMs ? this.#leastTried(fresh) : undefined;
    const unmarked = waiting.find(({ notice }) => this.#taken.has(notice.id));
    if (next === undefined && unmarked === undefined) return false;
    this.#isBusy = true;
    try {
      if (unmarked !== undefined) await unmarked.mark();
      return next !== undefined && (await this.#tell(next, nowMs));
    } finally {
      this.#isBusy = false;
    }
  }

  async #tell({ notice, mark }: Waiting, nowMs: number): Promise<boolean> {
    if (!(await this.#mayTell())) return false;
    const { place } = this.webhook;
    this.#problem = await this.webhook.tell(notice);
    if (this.#problem === undefined) {
      this.#failures = 0;
      this.#taken.add(notice.id);
      this.#log.info("alert-told", { id: notice.id, webhook: place });
      await mark();
      return true;
    }
    this.#failures++;
    this.#attempts.set(notice.id, (this.#attempts.get(notice.id) ?? 0) + 1);
    this.#nextMs = nowMs + backOffMs(this.#failures);
    this.#log.warn("alert-not-told", {
      id: notice.id,
      webhook: place,
      reason: this.#problem,
      failures: this.#failures,
    });
    return false;
  }

  /** One that is refused for ever does not keep the others back. */
  #leastTried(waiting: readonly Waiting[]): Waiting | undefined {
    const tries = ({ notice }: Waiting) => this.#attempts.get(notice.id) ?? 0;
    let best: Waiting | undefined;
    for (const one of waiting) if (best === undefined || tries(one) < tries(best)) best = one;
    return best;
  }

  /** Only what still waits is remembered, so that neither grows. */
  #forget(waiting: readonly Waiting[]): void {
    const ids = new Set(waiting.map(({ notice }) => notice.id));
    for (const id of this.#taken) if (!ids.has(id)) this.#taken.delete(id);
    for (const id of this.#attempts.keys()) if (!ids.has(id)) this.#attempts.delete(id);
  }
}
