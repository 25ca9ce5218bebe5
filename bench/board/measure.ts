/** Everything of the board's budget, measured: what `bench.ts` prints and the test holds against docs/budget.md. */
import { loadBoards, sectorBytes } from "../../host-tools/boards/boards.ts";
import type { HeapGrowth } from "../../host-tools/simulator/xs-host/process.ts";
import { type AdapterCosts, measureAdapter } from "./adapter-costs.ts";
import { type AdoptionHeap, adopting, measureAdoption } from "./adoption-costs.ts";
import { type CodeSize, measureCode } from "./code-size.ts";
import { measureOwnMqtt } from "./codec-costs.ts";
import { type KeepingHeap, keeping, measureKeeping } from "./keeping-costs.ts";
import { type LanCosts, measureLan } from "./lan-costs.ts";
import { chipFirmware, type Turn } from "./measured-board.ts";
import { type MemberHeap, measureMember } from "./member-costs.ts";
import { ampleMemory, chipMemory } from "./memory.ts";
import { measureOperators } from "./operator-costs.ts";
import { runScenarios, type Scenario, type ScenarioParts } from "./scenarios.ts";
import { measureSession, type SessionCosts, type StepCost } from "./session-costs.ts";
import { measureUpdate, type UpdateHeap, updating } from "./update-costs.ts";
import {
  measureVoter,
  measureWholeFirmware,
  programOf,
  type VoterHeap,
  type WholeFirmware,
} from "./whole-firmware.ts";

/** What one piece of work costs; where a scenario has several turns of a kind, their mean. */
export interface WorkCost {
  readonly name: string;
  /** Of rv32imac, nothing ever collected. */
  readonly workInstructions: number;
  /** Heap allocated, nearly all of it garbage afterwards. */
  readonly allocatedBytes: number;
  /** In the chip's arena, garbage collections included. */
  readonly chipInstructions: number;
  readonly collections: number;
  /** Calls out of the engine: flash, sockets, sensors, pins, log lines. */
  readonly calls: number;
}

/** RAM that a board takes, at the end of each run in the chip's arena. */
export interface RamUse {
  readonly name: string;
  readonly amount: number;
  /** A slot has 16 bytes. */
  readonly unit: "bytes" | "slots";
}

export interface BoardBudget {
  readonly arenaBytes: number;
  readonly work: readonly WorkCost[];
  readonly ram: readonly RamUse[];
  readonly code: readonly CodeSize[];
  /** Of the secure session by itself. */
  readonly session: readonly StepCost[];
  /** Of pipelines, a sample. */
  readonly operators: readonly StepCost[];
  readonly adapter: AdapterCosts;
}

const board = "esp32c3-devkit";
/** What the whole firmware is measured with. */
const pipelines = 10;

export async function measureBudget(): Promise<BoardBudget> {
  const firmware = await chipFirmware();
  const flash = { firmware, flashBytes: logBytes(), sectorBytes };
  const [chip, ample] = [
    await runAll({ ...flash, memory: chipMemory() }),
    await runAll({ ...flash, memory: ampleMemory }),
  ];
  const whole = await measureWholeFirmware({ ...flash, memory: chipMemory() }, pipelines);
  const voter = await measureVoter({ ...flash, memory: chipMemory() }, pipelines);
  const update = await measureUpdate({ ...flash, memory: chipMemory() }, programOf(pipelines, 1000));
  const kept = await measureKeeping({ ...flash, memory: chipMemory() }, programOf(pipelines, 1000));
  const member = await measureMember({ ...flash, memory: chipMemory() }, programOf(pipelines, 1000));
  const adoption = await measureAdoption({ ...flash, memory: chipMemory() }, programOf(pipelines, 1000));
  const session = await measureSession();
  const lan = await measureLan();
  return {
    arenaBytes: chipMemory().arenaBytes,
    work: [...chip.map((scenario, i) => workCost(scenario, ample[i]!)), ...(await mqttCosts())],
    ram: [
      ...ramUse(chip),
      ...wholeUse(whole),
      ...voterUse(voter),
      ...updateUse(update),
      ...keptUse(kept),
      ...memberUse(member),
      ...adoptionUse(adoption),
      ...sessionUse(session),
      ...lanUse(lan),
    ],
    code: [
      ...(await measureCode()),
      { name: "the secure session: EDHOC, records", bytes: session.minifiedBytes },
      { name: "speaking to boards, with the secure session", bytes: lan.minifiedBytes },
    ],
    session: [...session.steps, ...lan.steps],
    operators: await measureOperators(),
    adapter: await measureAdapter(firmware),
  };
}

async function runAll(parts: ScenarioParts): Promise<Scenario[]> {
  const program = programOf(1, 1000);
  return [
    ...(await runScenarios(parts)),
    ...(await updating(parts, program)),
    ...(await keeping(parts, program)),
    ...(await adopting(parts, program)),
  ];
}

/** The same work on the chip where the heap begins and grows otherwise. */
export interface GrowthCost {
  readonly name: string;
  readonly chipInstructions: number;
  readonly collections: number;
  /** The most that the heap ever was, garbage included. */
  readonly heapPeakBytes: number;
}

export async function measureGrowth(growth: HeapGrowth): Promise<GrowthCost[]> {
  const memory = { ...chipMemory(), growth };
  const parts = { firmware: await chipFirmware(), flashBytes: logBytes(), sectorBytes, memory };
  return (await runScenarios(parts)).map((scenario) => ({
    name: scenario.name,
    chipInstructions: mean(scenario, ({ instructions }) => instructions),
    collections: mean(scenario, ({ collections }) => collections),
    heapPeakBytes: scenario.turns.at(-1)!.heap.peakBytes,
  }));
}

function logBytes(): number {
  return loadBoards()
    .get(board)!
    .partitions.find(({ name }) => name === "log")!.sizeBytes;
}

function workCost(chip: Scenario, ample: Scenario): WorkCost {
  const { name } = chip;
  if (chip.turns.length === 0) throw new Error(`No turn of the run was ${name} and nothing else.`);
  const sameWork =
    chip.turns.length === ample.turns.length &&
    chip.turns.every(
      ({ nowMs, calls }, i) => nowMs === ample.turns[i]!.nowMs && calls === ample.turns[i]!.calls,
    );
  if (!sameWork) throw new Error(`${name} is other work in an ample arena than in the chip's.`);
  if (ample.turns.some(({ collections }) => collections > 0))
    throw new Error("The ample arena is too small.");
  return {
    name,
    workInstructions: mean(ample, ({ instructions }) => instructions),
    allocatedBytes: mean(ample, ({ allocatedBytes }) => allocatedBytes),
    chipInstructions: mean(chip, ({ instructions }) => instructions),
    collections: mean(chip, ({ collections }) => collections),
    calls: mean(chip, ({ calls }) => calls),
  };
}

async function mqttCosts(): Promise<WorkCost[]> {
  const names = ["one MQTT publish, 64 bytes", "one MQTT publish read, 64 bytes"];
  const [chip, ample] = [await measureOwnMqtt(chipMemory()), await measureOwnMqtt(ampleMemory)];
  return names.map((name, i) => ({
    name,
    workInstructions: ample[i]!.instructions,
    allocatedBytes: ample[i]!.allocatedBytes,
    chipInstructions: chip[i]!.instructions,
    collections: chip[i]!.collections,
    calls: 0,
  }));
}

function mean({ turns, turnsEach = 1 }: Scenario, figure: (turn: Turn) => number): number {
  const sum = turns.reduce((total, turn) => total + figure(turn), 0);
  return Math.round((sum / turns.length) * turnsEach);
}

function ramUse(scenarios: readonly Scenario[]): RamUse[] {
  const last = (name: string) => scenarios.find((each) => each.name === name)!.turns.at(-1)!.heap;
  const [sets, full, outage] = [
    last("one set, applied to its output"),
    last("compaction"),
    last("one report, 32 readings"),
  ];
  return [
    { name: "arena claimed, a minute of work", amount: sets.claimedBytes, unit: "bytes" },
    { name: "heap peak, a minute of work", amount: sets.peakBytes, unit: "bytes" },
    { name: "heap peak, full reports after an outage", amount: outage.peakBytes, unit: "bytes" },
    { name: "heap peak, recovery and compaction", amount: full.peakBytes, unit: "bytes" },
    { name: "tables beside the arena", amount: sets.tableBytes, unit: "bytes" },
  ];
}

function wholeUse(whole: WholeFirmware): RamUse[] {
  const { stackSlots } = chipMemory();
  return [
    { name: "arena claimed, ten pipelines for 60 s", amount: whole.claimedBytes, unit: "bytes" },
    { name: "heap peak, ten pipelines for 60 s", amount: whole.heapPeakBytes, unit: "bytes" },
    { name: "heap peak, all ten replaced by others", amount: whole.heapPeakReplacedBytes, unit: "bytes" },
    { name: "heap that they hold on to", amount: whole.heapLiveBytes, unit: "bytes" },
    {
      name: `stack peak of the whole firmware over 60 s, of ${stackSlots}`,
      amount: whole.stackPeakSlots,
      unit: "slots",
    },
  ];
}

function voterUse(voter: VoterHeap): RamUse[] {
  return [
    { name: "heap peak, a voter with three sessions", amount: voter.heapPeakBytes, unit: "bytes" },
    {
      name: "heap peak, a voter that makes them anew",
      amount: voter.heapPeakHandshakesBytes,
      unit: "bytes",
    },
    { name: "heap that a voter holds on to", amount: voter.heapLiveBytes, unit: "bytes" },
  ];
}

function updateUse({ learnerPeakBytes, voterPeakBytes }: UpdateHeap): RamUse[] {
  return [
    { name: "heap peak, ten pipelines beside an update", amount: learnerPeakBytes, unit: "bytes" },
    { name: "heap peak, an update of a voter", amount: voterPeakBytes, unit: "bytes" },
  ];
}

function keptUse({ learnerPeakBytes, voterPeakBytes }: KeepingHeap): RamUse[] {
  return [
    { name: "heap peak, ten pipelines beside blocks kept", amount: learnerPeakBytes, unit: "bytes" },
    { name: "heap peak, ten pipelines of a voter that keeps blocks", amount: voterPeakBytes, unit: "bytes" },
  ];
}

function memberUse({ peakBytes, keepingPeakBytes }: MemberHeap): RamUse[] {
  return [
    { name: "heap peak, ten pipelines of a voter in a group of three", amount: peakBytes, unit: "bytes" },
    { name: "heap peak, the same that keeps blocks", amount: keepingPeakBytes, unit: "bytes" },
  ];
}

function adoptionUse({ piecesPeakBytes, peakBytes }: AdoptionHeap): RamUse[] {
  return [
    { name: "heap peak, ten pipelines of a voter that gets a draft", amount: piecesPeakBytes, unit: "bytes" },
    { name: "heap peak, the same that adopts it", amount: peakBytes, unit: "bytes" },
  ];
}

function sessionUse({ handshakeHeapBytes, sessionHeapBytes }: SessionCosts): RamUse[] {
  return [
    { name: "a secure session, while its handshake waits", amount: handshakeHeapBytes, unit: "bytes" },
    { name: "a secure session", amount: sessionHeapBytes, unit: "bytes" },
  ];
}

function lanUse({ idleHeapBytes, heapBytes, peakBytes }: LanCosts): RamUse[] {
  const up = [...heapBytes].map(([others, amount]): RamUse => {
    return { name: `sessions with ${others} other boards`, amount, unit: "bytes" };
  });
  return [
    { name: "what could speak to boards, where no group names it", amount: idleHeapBytes, unit: "bytes" },
    ...up,
    { name: "heap peak, two sessions with boards come up", amount: peakBytes, unit: "bytes" },
  ];
}
