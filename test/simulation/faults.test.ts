/** Whole boards and a leader under faults, in virtual time (engine: in process). A failing seed replays exactly. */
import { describe, expect, it } from "vitest";
import { decodeCbor } from "../../host-tools/codec/cbor.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import { VirtualSwarm } from "./virtual-swarm.ts";

/** Two seconds to commit the programs, a minute of settings and mishaps, then half a minute of peace. */
function ordeal(seed: number, boards: number): VirtualSwarm {
  const swarm = new VirtualSwarm(seed, boards, 2);
  swarm.run(2000);
  const anyBoard = () => swarm.boards[Math.floor(swarm.random() * boards)]!;
  for (let i = 0; i < 120; i++) {
    swarm.run(500);
    swarm.leader.put("valve.opening", Math.floor(swarm.random() * 101));
    const mishap = swarm.random();
    if (mishap < 0.1) anyBoard().cutLink();
    else if (mishap < 0.2) anyBoard().failPowerAfter(Math.floor(swarm.random() * 400));
    else if (mishap < 0.23 && swarm.leader.node !== undefined) {
      swarm.note("leader killed");
      swarm.leader.crash();
      swarm.after(300, () => swarm.leader.start());
    }
  }
  swarm.run(30_000);
  return swarm;
}

/** The last committed value of the setting that every valve follows. */
function agreedOpening(swarm: VirtualSwarm): unknown {
  const puts = [...swarm.committed.values()].filter(({ kind }) => kind === EntryKind.put);
  const values = puts.map(({ data }) => decodeCbor(data) as [string, unknown]);
  return values.findLast(([key]) => key === "valve.opening")?.[1];
}

describe("a swarm under cut links, power cuts at any byte and a leader that is killed", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "loses nothing that was committed, and ends of one mind (seed %i)",
    (seed) => {
      const swarm = ordeal(seed, 6);
      const node = swarm.leader.node!;
      expect(node.role).toBe("leader");
      expect(node.voters).toHaveLength(3);
      expect(node.commitIndex).toBe(swarm.committed.size);
      expect(swarm.boards.filter(({ boots }) => boots > 1).length).toBeGreaterThan(0);
      for (const board of swarm.boards) {
        expect({ name: board.name, link: board.linkState }).toEqual({ name: board.name, link: "joined" });
        expect({ name: board.name, valve: board.outputs.get("valve") }).toEqual({
          name: board.name,
          valve: agreedOpening(swarm),
        });
      }
      const applied = [...node.members.values()].map(({ appliedIndex }) => appliedIndex);
      expect(applied).toEqual(swarm.boards.map(() => node.commitIndex));
    },
  );

  it("goes exactly the same way again with the same seed, and another with another", () => {
    const [first, again, other] = [ordeal(42, 4), ordeal(42, 4), ordeal(43, 4)];
    expect(again.trace).toEqual(first.trace);
    expect(other.trace).not.toEqual(first.trace);
  });

  it("holds with 40 boards", () => {
    const swarm = ordeal(7, 40);
    expect(swarm.boards.every((board) => board.outputs.get("valve") === agreedOpening(swarm))).toBe(true);
  });
});
