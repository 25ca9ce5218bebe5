/** From asking for a setting over HTTP to its entry committed, and to every board having applied it, in a running swarm. */
import type { SetResult } from "../host-tools/leader/api/types/settings.ts";
import type { RunningSwarm } from "../test/end-to-end/running-swarm.ts";
import { percentile } from "./percentile.ts";

export interface SetLatency {
  readonly sets: number;
  readonly committedMs: Percentiles;
  /** Seen by polling the leader's status without a pause, so up to one request later than it happened. */
  readonly appliedEverywhereMs: Percentiles;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** One after another, each waiting for the one before. */
export async function measureSetLatency(swarm: RunningSwarm, sets: number): Promise<SetLatency> {
  const committed: number[] = [];
  const applied: number[] = [];
  for (let count = 0; count < sets; count++) {
    const startedMs = performance.now();
    const index = await put(`${swarm.url()}/api/settings/fan.duty`, count % 100);
    committed.push(performance.now() - startedMs);
    for (;;) {
      const status = await swarm.status();
      if (status?.boards.every(({ appliedIndex }) => appliedIndex >= index)) break;
    }
    applied.push(performance.now() - startedMs);
  }
  const percentiles = (values: readonly number[]) => ({
    p50: percentile(values, 50),
    p99: percentile(values, 99),
  });
  return { sets, committedMs: percentiles(committed), appliedEverywhereMs: percentiles(applied) };
}

async function put(url: string, value: number): Promise<number> {
  const response = await fetch(url, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ value }),
  });
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${await response.text()}`);
  return ((await response.json()) as SetResult).index;
}
