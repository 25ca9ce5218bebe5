/** Some hundreds of seeds of the core, some tens of whole swarms. More for a long night: `npm run simulate -- --seeds 100000 --engine core`. */
import { describe, expect, it } from "vitest";
import { coreEngine } from "./core/core-engine.ts";
import type { Engine } from "./engine.ts";
import { fullEngine } from "./full/full-engine.ts";
import type { Schedule } from "./schedule.ts";

const timeout = 600_000;

describe("Raft's cores in bad weather: three hosts, three voting boards, two learners", () => {
  it("keep every safety property and converge once it clears", { timeout }, () => {
    const seeds = 200;
    const sums = runSeeds(coreEngine as Engine, seeds);
    // That the weather was bad, and the group worked all the same.
    expect(sums.committed! / seeds).toBeGreaterThan(50);
    expect(sums.leaders! / seeds).toBeGreaterThan(3);
    expect(sums.crashes! / seeds).toBeGreaterThan(20);
    expect(sums.votersChanged! / seeds).toBeGreaterThan(1);
    expect(sums.jointChanges! / seeds).toBeGreaterThan(0.5);
    expect(sums.transfers! / seeds).toBeGreaterThan(1);
    expect(sums.reads! / seeds).toBeGreaterThan(20);
    expect(sums.snapshots! / seeds).toBeGreaterThan(1);
    expect(sums.publications! / seeds).toBeGreaterThan(50);
    expect(sums.forgeries! / seeds).toBeGreaterThan(10);
    expect(sums.forgotten! / seeds).toBeGreaterThan(0.3);
  });

  it("go exactly the same way again with the same seed", () => {
    expectToReplay(coreEngine as Engine, 7);
  });
});

describe("whole swarms in bad weather: two or three hosts, five boards, clients", () => {
  it("keep every safety property, and their clients see one copy of everything", { timeout }, () => {
    const seeds = 20;
    const sums = runSeeds(fullEngine as Engine, seeds);
    expect(sums.committed! / seeds).toBeGreaterThan(50);
    expect(sums.leaders! / seeds).toBeGreaterThan(2);
    expect(sums.acknowledged! / seeds).toBeGreaterThan(20);
    expect(sums.operations! / seeds).toBeGreaterThan(50);
    expect(sums.hostCrashes! / seeds).toBeGreaterThan(3);
    expect(sums.boardCrashes! / seeds).toBeGreaterThan(5);
    expect(sums.snapshotsOnHosts!).toBeGreaterThan(0);
    expect(sums.snapshotsOnBoards!).toBeGreaterThan(0);
    expect(sums.disksLost!).toBeGreaterThan(0);
    expect(sums.flashesLost!).toBeGreaterThan(0);
    expect(sums.transfers!).toBeGreaterThan(0);
    expect(sums.votersChanged!).toBeGreaterThan(0);
    expect(sums.sealed! / seeds).toBeGreaterThan(500);
    expect(sums.mischief!).toBeGreaterThan(100);
    expect(sums.forgeries!).toBeGreaterThan(50);
    expect(sums.revoked!).toBeGreaterThan(1);
    expect(sums.sleeps!).toBeGreaterThan(10);
    expect(sums.tenures!).toBeGreaterThan(50);
    expect(sums.draftsAdopted! / seeds).toBeGreaterThan(3);
    expect(sums.draftsGivenUp!).toBeGreaterThan(20);
    expect(sums.leadersLostInDrafts!).toBeGreaterThan(5);
    expect(sums.cutsInDrafts!).toBeGreaterThan(3);
  });

  it("go exactly the same way again with the same seed", () => {
    expectToReplay(fullEngine as Engine, 7);
  });
});

function runSeeds(engine: Engine, seeds: number): Record<string, number> {
  const sums: Record<string, number> = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const figures = runSeed(engine, engine.schedule(seed));
    for (const [name, value] of Object.entries(figures)) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

function runSeed(engine: Engine, schedule: Schedule): Readonly<Record<string, number>> {
  try {
    return engine.run(schedule, {});
  } catch (error) {
    const replay = `npm run simulate -- --engine ${engine.name} --seed ${schedule.seed} --seeds 1`;
    throw new Error(`Seed ${schedule.seed} breaks ${(error as Error).message}\n${replay}`, { cause: error });
  }
}

function expectToReplay(engine: Engine, seed: number): void {
  const notes: string[][] = [[], []];
  const figures = notes.map((own) =>
    engine.run(engine.schedule(seed), { onNote: (atMs, text) => own.push(`${atMs} ${text}`) }),
  );
  expect(figures[1]).toEqual(figures[0]);
  expect(notes[1]).toEqual(notes[0]);
  expect(notes[0]!.length).toBeGreaterThan(0);
}
