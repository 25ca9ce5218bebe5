import { describe, expect, it } from "vitest";
import { withBoards } from "../../../host-tools/simulator/swarm-size.ts";
import type { BoardDefinition, SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";

const program = { pipelines: [], outputs: [], rules: [] };
const board = (model: string): BoardDefinition => ({ model, program, units: {}, simulate: {} });

const definition: SwarmDefinition = {
  name: "garden",
  file: "/garden/swarm.ts",
  hosts: ["a"],
  voters: ["pump", "pump-2"],
  settings: {},
  boards: { pump: board("one"), "pump-2": board("two"), gate: board("three") },
};

describe("a swarm of another size", () => {
  it("keeps the first boards, and of the voters those that are left", () => {
    const smaller = withBoards(definition, 1);
    expect(Object.keys(smaller.boards)).toEqual(["pump"]);
    expect(smaller.voters).toEqual(["pump"]);
  });

  it("repeats the boards as learners under names that nobody has", () => {
    const larger = withBoards(definition, 8);
    expect(Object.keys(larger.boards)).toEqual([
      ...["pump", "pump-2", "gate", "pump-3", "pump-2-2", "gate-2", "pump-4", "pump-2-3"],
    ]);
    expect(larger.boards["gate-2"]).toBe(definition.boards.gate);
    expect(larger.voters).toEqual(["pump", "pump-2"]);
  });
});
