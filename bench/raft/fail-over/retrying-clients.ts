/** Clients that keep setting a value, and when a host fails them turn to the next one at once. */
import { sleep } from "../../../test/end-to-end/running-swarm.ts";
import { CoveyClient } from "../throughput/covey-client.ts";
import { textOf } from "../throughput/load.ts";

export interface RetryingClientsOptions {
  readonly urls: readonly string[];
  /** Whom all ask to begin with. */
  readonly first: string;
  readonly clients: number;
  readonly key: string;
}

/** Between an answer and the next command: load, not saturation. */
const pauseMs = 5;

export class RetryingClients {
  readonly #options: RetryingClientsOptions;
  readonly #connections: readonly CoveyClient[];
  readonly #running: readonly Promise<void>[];
  readonly #commits: { readonly askedMs: number; readonly endedMs: number }[] = [];
  #isEnding = false;

  constructor(options: RetryingClientsOptions) {
    this.#options = options;
    this.#connections = options.urls.map((url) => new CoveyClient(url, options.clients));
    this.#running = Array.from({ length: options.clients }, (_, client) => this.#run(client));
  }

  /** When the first command was committed that a client asked for after `sinceMs`. Rejects when that takes too long. */
  async firstCommitAfter(sinceMs: number, timeoutMs: number): Promise<number> {
    while (performance.now() < sinceMs + timeoutMs) {
      const commit = this.#commits.find(({ askedMs }) => askedMs > sinceMs);
      if (commit !== undefined) return commit.endedMs;
      await sleep(1);
    }
    throw new Error(`Nothing was committed within ${timeoutMs} ms.`);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    // What waits for a host that never answers ends with its connection.
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#running);
  }

  async #run(client: number): Promise<void> {
    const { urls, first, key } = this.#options;
    let at = urls.indexOf(first);
    for (let count = 0; !this.#isEnding; count++) {
      const askedMs = performance.now();
      try {
        await this.#connections[at]!.put(client, key, textOf(client, count));
        this.#commits.push({ askedMs, endedMs: performance.now() });
        await sleep(pauseMs);
      } catch {
        at = (at + 1) % urls.length;
        await sleep(1);
      }
    }
  }
}
