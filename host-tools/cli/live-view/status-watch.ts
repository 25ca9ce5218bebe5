/** Follows a swarm through its hosts' HTTP interfaces: the status twice a second, and for how long none has answered. */
import type { Status } from "../../leader/api/types/status.ts";

const pollEveryMs = 500;
const answerTimeoutMs = 2000;

export class StatusWatch {
  readonly #urls: readonly string[];
  /** The host that answered last. */
  #at = 0;
  readonly #onStatus: (status: Status | undefined) => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #status: Status | undefined;
  #silentSinceMs: number | undefined;

  /** `onStatus` is called after each attempt, with undefined when no host answered. */
  constructor(urls: readonly string[], onStatus: (status: Status | undefined) => void) {
    this.#urls = urls;
    this.#onStatus = onStatus;
  }

  /** The last one that came; undefined before the first. */
  get status(): Status | undefined {
    return this.#status;
  }

  get silentSinceMs(): number | undefined {
    return this.#silentSinceMs;
  }

  start(): void {
    void this.#follow();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Of the host that answered last. */
  get url(): string {
    return this.#urls[this.#at]!;
  }

  /** One attempt now, at each host until one answers; undefined when none does. */
  async poll(): Promise<Status | undefined> {
    for (let tried = 0; tried < this.#urls.length; tried++) {
      const status = await this.#ask();
      if (status !== undefined) {
        this.#status = status;
        this.#silentSinceMs = undefined;
        return status;
      }
      this.#at = (this.#at + 1) % this.#urls.length;
    }
    this.#silentSinceMs ??= Date.now();
    return undefined;
  }

  async #ask(): Promise<Status | undefined> {
    try {
      const response = await fetch(`${this.url}/api/status`, {
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      return response.ok ? ((await response.json()) as Status) : undefined;
    } catch {
      return undefined;
    }
  }

  async #follow(): Promise<void> {
    const status = await this.poll();
    if (this.#stopped) return;
    this.#onStatus(status);
    this.#timer = setTimeout(() => void this.#follow(), pollEveryMs);
  }
}
