import { describe, expect, it } from "vitest";
import { productCores } from "../group/member.ts";
import type { Fault } from "./broken-cores.ts";
import { changedCores, faults, firstVersionFollower, lonelyEntries } from "./broken-cores.ts";
import { UnsafeStep } from "./safety.ts";
import type { SimulationOptions } from "./simulation.ts";
import { simulate } from "./simulation.ts";

/** More for a long night: COVEY_SEEDS=100000 npx vitest run test/protocols/raft/simulation */
const seeds = Number(process.env.COVEY_SEEDS ?? 200);
const huntSeedsMax = 500;

describe("three hosts, three voting boards and two learners in bad weather", () => {
  it(`keeps every safety property and converges once it clears, over ${seeds} seeds`, {
    timeout: 3_600_000,
  }, () => {
    const sums = {
      committed: 0,
      leaders: 0,
      messages: 0,
      crashes: 0,
      votersChanged: 0,
      jointChanges: 0,
      transfers: 0,
      reads: 0,
    };
    for (let seed = 1; seed <= seeds; seed++) {
      const result = runSeed({ seed });
      for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += result[key];
    }
    // That the weather was bad, and the group worked all the same.
    expect(sums.committed / seeds).toBeGreaterThan(50);
    expect(sums.leaders / seeds).toBeGreaterThan(3);
    expect(sums.crashes / seeds).toBeGreaterThan(20);
    expect(sums.votersChanged / seeds).toBeGreaterThan(1);
    expect(sums.jointChanges / seeds).toBeGreaterThan(0.5);
    expect(sums.transfers / seeds).toBeGreaterThan(1);
    expect(sums.reads / seeds).toBeGreaterThan(20);
  });

  it("replays a seed exactly", () => {
    expect(simulate({ seed: 7 })).toEqual(simulate({ seed: 7 }));
  });

  it("keeps every safety property, and converges, with boards of the first version", async () => {
    const { Follower } = await changedCores(firstVersionFollower);
    const cores = { Node: productCores.Node, Follower };
    for (let seed = 1; seed <= 50; seed++) runSeed({ seed, cores });
  });

  it("keeps every safety property when each entry travels alone", async () => {
    const cores = await changedCores(lonelyEntries);
    for (let seed = 1; seed <= 50; seed++) expect(unsafe({ seed, cores })).toBeUndefined();
  });
});

describe("a core with a deliberate fault is found out", () => {
  it.each(faults)("$name", async ({ changes, weather }: Fault) => {
    const cores = await changedCores(changes);
    expect(hunt({ cores, weather: weather ?? {} })).toBeInstanceOf(Error);
  });

  it("sends before its disk has synced (figure 2, persistent state)", () => {
    expect(hunt({ sendsBeforeSync: true, weather: { preVote: false, checkQuorum: false } })).toBeInstanceOf(
      Error,
    );
  });
});

function hunt(options: Omit<SimulationOptions, "seed">): Error | undefined {
  for (let seed = 1; seed <= huntSeedsMax; seed++) {
    const found = unsafe({ ...options, seed });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What this seed breaks: a safety property, or something that the driver or the core itself asserts. That it is slow, or stuck, is not meant here. */
function unsafe(options: SimulationOptions): Error | undefined {
  try {
    simulate(options);
  } catch (error) {
    const isLiveness = error instanceof UnsafeStep && error.property === "liveness";
    if (!isLiveness) return error as Error;
  }
  return undefined;
}

function runSeed(options: SimulationOptions): ReturnType<typeof simulate> {
  try {
    return simulate(options);
  } catch (error) {
    throw new Error(`Seed ${options.seed} breaks ${(error as Error).message}`, { cause: error });
  }
}
