import { describe, expect, it } from "vitest";
import { OutcomeForgotten } from "../../../../host-tools/leader/raft/outcomes.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { converged, HostWorld, smallSizes } from "./host-world.ts";

const three = ["a", "b", "c"];

describe("power cuts and crashes at random", () => {
  it("lose nothing that was acknowledged, apply nothing twice, and end in one state", () => {
    for (let seed = 1; seed <= 6; seed++) runChaos(seed);
  });

  it("are found out to lose much, on disks that answer a sync and make nothing durable", () => {
    expect(() => {
      for (let seed = 1; seed <= 6; seed++) runChaos(seed, true);
    }).toThrow();
  });
});

/** Three hosts under load while they die in turn, on disks that tear, over a network that loses. */
function runChaos(seed: number, liesAboutSync = false): void {
  const world = new HostWorld({ seed, hostNames: three, sizes: smallSizes, loss: 0.02, liesAboutSync });
  world.startAll();
  world.until(() => world.leader !== undefined && world.status(world.leader).voters.length === 3);
  const { random } = world;
  const acknowledged = new Map<number, number>();
  let number = 0;
  const load = (): void => {
    const leader = world.leader?.member;
    if (leader !== undefined) {
      const mine = number++;
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setUint32(0, mine + 1);
      attempt(
        world,
        mine,
        {
          key: `k${mine % 7}`,
          value: mine,
          id: { after: leader.status(world.nowMs).commitIndex, random: bytes },
        },
        acknowledged,
      );
    }
    if (number < 400) world.after(Math.floor(random() * 30), load);
  };
  load();
  for (let turn = 0; turn < 12; turn++) {
    world.run(200 + Math.floor(random() * 1500));
    const name = three[Math.floor(random() * 3)]!;
    const how = random();
    const host = world.host(name);
    if (host.member === undefined) continue;
    if (how < 0.4) world.powerCut(name);
    else if (how < 0.6) world.processCrash(name);
    else host.disk.cutAfter(host.disk.operations + Math.floor(random() * 6));
    world.run(Math.floor(random() * 1200));
    for (const other of three) if (world.host(other).member === undefined) world.start(other);
  }
  // One whose power was to fail soon may still lose it.
  const startAll = (): void => {
    for (const other of three) if (world.host(other).member === undefined) world.start(other);
    world.after(100, startAll);
  };
  startAll();
  world.until(() => number >= 400 && converged(world), 60_000);
  expect(world.violations).toEqual([]);
  expect(world.failures).toEqual([]);
  expect(new Set(three.map((name) => stateOf(world, name))).size).toBe(1);
  const puts = [...world.agreed]
    .filter(([, what]) => what.split(" ")[1] === String(EntryKind.put))
    .map(([, what]) => what.split(" ")[2]!);
  expect(new Set(puts.map(idOf)).size).toBe(puts.length);
  expect(acknowledged.size).toBeGreaterThan(100);
  for (const [mine, index] of acknowledged)
    expect(world.agreed.get(index)).toContain(`${Math.floor((mine + 1) / 256)},${(mine + 1) % 256},0,0,0,0`);
}

/** The agreed state, and what of its newest snapshot a board would be sent. */
function stateOf(world: HostWorld, name: string): string {
  const { state, log } = world.member(name);
  const { index } = log.snapshot!;
  return JSON.stringify([
    state.sortedKeys().map((key) => state.get(key)),
    index,
    log.snapshotItems(index, "n.1", 0, 99_999),
  ]);
}

/** As a client does: again with the same id, until it is answered, by whoever leads. */
function attempt(
  world: HostWorld,
  mine: number,
  request: Parameters<HostWorld["propose"]>[1],
  acknowledged: Map<number, number>,
): void {
  const again = (): void => attempt(world, mine, request, acknowledged);
  const leader = world.leader?.member;
  if (leader === undefined) {
    world.after(100, again);
    return;
  }
  let isAnswered = false;
  leader.propose(request, world.nowMs, (outcome) => {
    if (isAnswered) return;
    isAnswered = true;
    if (!(outcome instanceof Error)) acknowledged.set(mine, outcome.index);
    else if (!(outcome instanceof OutcomeForgotten)) world.after(50, again);
  });
  world.after(3000, () => {
    if (isAnswered) return;
    isAnswered = true;
    again();
  });
}

/** The id, as `agreed` shows an entry's data. */
function idOf(data: string): string {
  return data.split(",").slice(-8).join();
}
