/** Three boards that have their group of registers, programs that follow and propose, and no host any more. */
import { expect } from "vitest";
import type { RegistersDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { RegisterReport } from "../../../protocols/paxos/report.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix } from "../../../protocols/state/command.ts";
import { VotingSwarm } from "./voting-swarm.ts";

export const names = ["n-0", "n-1", "n-2"];

export const declared: RegistersDefinition = {
  boards: names,
  names: {
    emergency: { type: "boolean", initial: false },
    coordinator: { type: "coordinator" },
    note: { type: "text", initial: "" },
  },
};

/** A horn that follows the emergency, which whoever smells smoke proposes; and a fan on the coordinator alone. */
export const program: Program = {
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

export interface Heard {
  /** What boards told hosts. */
  readonly reports: [board: string, report: RegisterReport][];
  /** Warnings and errors of boards, but for connections that they lost. */
  readonly notes: string[];
}

/** A swarm with hosts, and its group. */
export async function connected(
  seed: number,
  { boards = names, programs = program, registers = declared } = {},
): Promise<VotingSwarm & Heard> {
  const reports: Heard["reports"] = [];
  const notes: string[] = [];
  const voting = new VotingSwarm({
    ...{ seed, hosts: ["east", "west"], boards, declared: registers },
    note: (text) => {
      if (!text.includes("link-lost")) notes.push(text);
    },
    onReport: (_host, board, report) => reports.push([board, report]),
  });
  const { swarm } = voting;
  for (const board of swarm.boards) board.reading = 10;
  swarm.start();
  await voting.run(3_000);
  for (const name of boards) voting.put(programKeyPrefix + name, encodeCbor(programToWire(programs)));
  await voting.run(8_000);
  expect(voting.registersOf(voting.leader!)!.group?.said).toMatchObject({ epoch: 1, isClosing: false });
  return Object.assign(voting, { reports, notes });
}

/** The same, and its hosts are gone. */
export async function isolated(seed: number): Promise<VotingSwarm & Heard> {
  const voting = await connected(seed);
  for (const host of voting.swarm.hosts) host.crash(false, true);
  return voting;
}

/** Of each board; undefined for one without power. */
export function outputsOf(voting: VotingSwarm, output: string): (number | undefined)[] {
  return voting.swarm.boards.map(({ isOn, outputs }) => (isOn ? outputs.get(output) : undefined));
}
