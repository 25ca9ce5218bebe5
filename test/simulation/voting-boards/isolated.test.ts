/** Whole boards whose hosts are gone agree, and the log has it all when they are back. Engine: in process, virtual time. */
import { describe, expect, it } from "vitest";
import type { RegistersDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { RegisterReport } from "../../../protocols/paxos/report.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix } from "../../../protocols/state/command.ts";
import { VotingSwarm } from "./voting-swarm.ts";

const names = ["n-0", "n-1", "n-2"];
const declared: RegistersDefinition = {
  boards: names,
  names: {
    emergency: { type: "boolean", initial: false },
    coordinator: { type: "coordinator" },
    note: { type: "text", initial: "" },
  },
};

/** A horn that follows the emergency, which whoever smells smoke proposes; and a fan on the coordinator alone. */
const program: Program = {
  pipelines: [{ metric: "smoke", sensor: "smoke", everyMs: 500, stages: [] }],
  outputs: [
    { name: "horn", kind: "digital", pin: 4, safeValue: 0, setting: "emergency" },
    { name: "fan", kind: "digital", pin: 5, safeValue: 0, setting: undefined },
  ],
  rules: [
    {
      ...{ metric: "smoke", when: "below", threshold: 50, hysteresis: 0, forMs: 0, as: "coordinator" },
      ...{ output: "fan", value: 1 },
    },
  ],
  proposals: [
    {
      ...{ metric: "smoke", when: "above", threshold: 50, hysteresis: 5, forMs: 1_000 },
      ...{ register: "emergency", value: true },
    },
  ],
};

interface Surprises {
  readonly reports: [board: string, report: RegisterReport][];
  readonly notes: string[];
}

/** A swarm that has its group, and lost its hosts. */
async function isolated(seed: number): Promise<VotingSwarm & Surprises> {
  const reports: Surprises["reports"] = [];
  const notes: string[] = [];
  const voting = new VotingSwarm({
    ...{ seed, hosts: ["east", "west"], boards: names, declared },
    note: (text) => notes.push(text),
    onReport: (_host, board, report) => reports.push([board, report]),
  });
  const { swarm } = voting;
  for (const board of swarm.boards) board.reading = 10;
  swarm.start();
  await voting.run(3_000);
  for (const name of names) voting.put(programKeyPrefix + name, encodeCbor(programToWire(program)));
  await voting.run(8_000);
  expect(voting.registersOf(voting.leader!)!.group?.said).toMatchObject({ epoch: 1, isClosing: false });
  for (const host of swarm.hosts) host.crash(false, true);
  return Object.assign(voting, { reports, notes });
}

const hornOf = (voting: VotingSwarm) => voting.swarm.boards.map(({ outputs }) => outputs.get("horn"));

describe("three boards whose hosts are gone", () => {
  it("agree on what one of them proposes, choose a coordinator, and tell the log of it once", async () => {
    const voting = await isolated(1);
    const { swarm } = voting;
    await voting.run(12_000);
    expect(hornOf(voting)).toEqual([0, 0, 0]);
    swarm.boards[1]!.reading = 90;
    await voting.run(15_000);
    expect(hornOf(voting)).toEqual([1, 1, 1]);
    await voting.run(40_000);
    const fans = swarm.boards.filter(({ outputs }) => outputs.get("fan") === 1);
    expect(fans.length).toBeLessThanOrEqual(1);
    for (const host of swarm.hosts) host.start();
    await voting.run(55_000);
    const registers = voting.registersOf(voting.leader!)!;
    expect(registers.copy("emergency")?.said).toMatchObject({ version: 1, value: true, by: "n-1" });
    expect(registers.copy("coordinator")?.said).toMatchObject({ version: 1 });
    expect(names).toContain(registers.copy("coordinator")?.said.value);
    expect(registers.history("emergency")?.said.changes).toMatchObject([{ version: 1, value: true }]);
    expect(voting.notes).toEqual([]);
  });
});
