/**
 * Closed-loop load: each of so many clients puts, waits for the answer, and puts again. The same loop for every system, in a
 * process of its own, so that all of them are squeezed alike.
 */
import { percentile } from "../../percentile.ts";

export interface PutClient {
  /** `client` is who asks, from 0. Resolves once the put is committed. */
  put(client: number, key: string, value: string): Promise<void>;
  close(): void;
}

export interface Load {
  readonly clients: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Throughput {
  readonly clients: number;
  /** Within the window, and with the warm-up before it. */
  readonly commits: number;
  readonly answered: number;
  readonly commitsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** Each client has a key of its own. */
export const keyOf = (client: number): string => `bench.${client}`;

/** 64 bytes, different each time. */
export const textOf = (client: number, count: number): string => `${client}:${count}:`.padEnd(64, "covey");

export async function measureLoad(
  target: PutClient,
  { clients, warmUpMs, measureMs }: Load,
): Promise<Throughput> {
  const latencies: number[] = [];
  let answered = 0;
  const fromMs = performance.now() + warmUpMs;
  const toMs = fromMs + measureMs;
  const run = async (client: number): Promise<void> => {
    for (let count = 0; ; count++) {
      const startedMs = performance.now();
      if (startedMs >= toMs) return;
      await target.put(client, keyOf(client), textOf(client, count));
      const endedMs = performance.now();
      answered++;
      // What ends within the window counts, whenever it began: the rate is that of the answers.
      if (endedMs >= fromMs && endedMs < toMs) latencies.push(endedMs - startedMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)));
  return {
    clients,
    commits: latencies.length,
    answered,
    commitsPerSecond: (1000 * latencies.length) / measureMs,
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    worstMs: percentile(latencies, 100),
  };
}
