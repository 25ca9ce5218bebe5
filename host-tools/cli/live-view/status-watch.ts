/** Follows a leader through its HTTP interface: its status twice a second, and for how long it has been silent. */
import type { Status } from "../../leader/api-types.ts";

const pollEveryMs = 500;
const answerTimeoutMs = 2000;

export class StatusWatch {
  readonly #url: string;
  readonly #onStatus: (status: Status | undefined) => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #status: Status | undefined;
  #silentSinceMs: number | undefined;

  /** `onStatus` is called after each attempt, with undefined when there was no answer. */
  constructor(url: string, onStatus: (status: Status | undefined) => void) {
    this.#url = url;
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

  /** One attempt now; undefined when the leader does not answer. */
  async poll(): Promise<Status | undefined> {
    try {
      const response = await fetch(`${this.#url}/api/status`, {
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      if (!response.ok) throw new Error(`the leader answered ${response.status}`);
      this.#status = (await response.json()) as Status;
      this.#silentSinceMs = undefined;
      return this.#status;
    } catch {
      this.#silentSinceMs ??= Date.now();
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
