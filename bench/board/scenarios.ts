/**
 * What a board does, cut into pieces whose cost can be stated: each scenario is a script for a board on the bare-metal
 * host, run twice. In the chip's arena it costs what it costs on a chip, garbage collections included. In an arena so ample
 * that nothing is ever collected it costs its work alone, and all that it allocates can be counted.
 */

import type { BoardConfig } from "../../firmware/platform/ports.ts";
import { checkpointLimits } from "../../firmware/storage/checkpoints.ts";
import { encodeCbor } from "../../host-tools/codec/cbor.ts";
import type { Program, Stage } from "../../protocols/pipeline/program.ts";
import { messageToWire } from "../../protocols/raft/codec.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import { LeaderOnTheWire } from "../../test/firmware/board/leader-on-the-wire.ts";
import { SimulatedBoard } from "../../test/firmware/board/simulated-board.ts";
import { programBytes, SimulatedSurroundings } from "../../test/firmware/board/surroundings.ts";
import { FlashModel } from "../../test/firmware/storage/flash-model.ts";
import { type BoardMemory, type ChipFirmware, MeasuredBoard, type Turn } from "./measured-board.ts";

/** Turns of one kind, found in a run; where there are several, a figure is their mean. */
export interface Scenario {
  readonly name: string;
  readonly turns: readonly Turn[];
  /** How many turns make one; their costs add up. 1 unless told. */
  readonly turnsEach?: number;
}

/** Runs everything, in order, in the memory given. The same script gives the same turns, whatever the memory. */
export async function runScenarios(parts: ScenarioParts): Promise<Scenario[]> {
  const scenarios: Scenario[] = [];
  for (const script of [firstBoot, steady, checkpoint, listening, snapshot, reports, fullLog])
    scenarios.push(...(await script(parts)));
  return scenarios;
}

export interface ScenarioParts {
  readonly firmware: ChipFirmware;
  readonly memory: BoardMemory;
  /** Of the board's log partition. */
  readonly flashBytes: number;
  readonly sectorBytes: number;
}

/** The pipeline of the budget: a spike filter, ten seconds' mean, and silence while nothing changes. */
export const typical: readonly Stage[] = [
  { op: "median", count: 5 },
  { op: "mean", windowMs: 10_000 },
  { op: "deadband", delta: 0.1, silenceMs: 60_000 },
];

const programOf = (everyMs: number, stages: readonly Stage[]): Program => ({
  pipelines: [{ metric: "air.temperature", sensor: "temperature", everyMs, stages }],
  outputs: [{ name: "fan", kind: "pwm", pin: 4, safeValue: 10, setting: "fan.duty" }],
  rules: [],
});

export function wholePackets(): LeaderOnTheWire {
  const leader = new LeaderOnTheWire();
  leader.firstPieceBytes = 0;
  return leader;
}

function blank({ flashBytes, sectorBytes }: ScenarioParts): FlashModel {
  return FlashModel.blank(flashBytes / sectorBytes, sectorBytes);
}

function powerOn(parts: ScenarioParts, here: SimulatedSurroundings): MeasuredBoard {
  return new MeasuredBoard(parts.firmware, here, parts.memory);
}

const isQuiet = (turn: Turn) => turn.flashWrites === 0 && turn.healths === 0 && turn.reports === 0;

/** A blank flash is formatted, then the board joins. */
async function firstBoot(parts: ScenarioParts): Promise<Scenario[]> {
  const board = powerOn(parts, new SimulatedSurroundings(wholePackets(), blank(parts)));
  const turns = await board.run(0);
  await board.powerOff();
  const join = turns.slice(1).filter(({ answers }) => answers === 0);
  return [
    { name: "boot, blank flash", turns: turns.slice(0, 1) },
    { name: "join", turns: join, turnsEach: join.length },
  ];
}

/** Half a minute of sampling and following, then entries. */
async function steady(parts: ScenarioParts): Promise<Scenario[]> {
  const { leader, board } = await joined(parts, programOf(1000, typical));
  // Health messages count from the last news: away from the samples.
  await board.run(340);
  leader.put("note", 0);
  await board.run(2000);
  const turns = await board.run(30_000);
  const samples = turns.filter((turn) => turn.sensorReads === 1 && isQuiet(turn));
  const heartbeats = turns.filter((turn) => turn.answers === 1 && isQuiet(turn) && turn.sensorReads === 0);
  const healths = turns.filter((turn) => !turn.arrived && turn.healths === 1 && turn.sensorReads === 0);

  const entries: Turn[] = [];
  const sets: Turn[] = [];
  for (let i = 0; i < 8; i++) {
    // What a board applies it tells in a health message, at most every 100 ms: the first of two takes it along.
    await board.run(600);
    leader.put("note", i);
    await board.run(10);
    leader.put("note", noteOf(i));
    entries.push(...appliedOnly(await board.run(10)));
    await board.run(600);
    leader.put("note", i);
    await board.run(10);
    leader.put("fan.duty", i);
    sets.push(...appliedOnly(await board.run(10)));
  }
  await board.run(1000);
  leader.sendPayload("raft", appendWithoutCommit(leader));
  // What the board answers to, the leader must have; the request that commits it comes behind.
  leader.put("note", noteOf(9));
  const [append] = (await board.run(10)).filter(({ flashWrites }) => flashWrites > 0);
  await board.powerOff();
  return [
    { name: "one sample", turns: samples },
    { name: "one health message", turns: healths },
    { name: "one heartbeat", turns: heartbeats },
    { name: "one entry appended", turns: [append!] },
    { name: "one entry appended and applied", turns: entries },
    { name: "one set, applied to its output", turns: sets },
  ];
}

const appliedOnly = (turns: readonly Turn[]) =>
  turns.filter((turn) => turn.flashWrites > 0 && turn.healths === 0 && turn.sensorReads === 0);

/** What a power cut would take, saved: booted out of step with heartbeats and samples, so that it is alone in its turn. */
async function checkpoint(parts: ScenarioParts): Promise<Scenario[]> {
  const { board } = await joined(parts, programOf(1000, typical), wholePackets(), 130);
  const turns = await board.run(checkpointLimits.everyMs);
  await board.powerOff();
  const isAlone = ({ arrived, sensorReads, healths }: Turn) => !arrived && sensorReads === 0 && healths === 0;
  return [{ name: "one checkpoint", turns: turns.filter((turn) => turn.flashWrites > 0 && isAlone(turn)) }];
}

/** Entries of 64 bytes as a learner gets them that listens: published to all, committed by its next heartbeat. */
async function listening(parts: ScenarioParts): Promise<Scenario[]> {
  const listens = wholePackets();
  listens.listens = true;
  const { leader, board } = await joined(parts, programOf(1000, typical), listens);
  await board.run(1000);
  const published: Turn[] = [];
  const committed: Turn[] = [];
  for (let i = 0; i < 8; i++) {
    await board.run(600);
    leader.put("note", i);
    await board.run(10);
    leader.put("note", noteOf(i));
    const turns = appliedOnly(await board.run(10));
    published.push(...turns.filter(({ answers }) => answers === 0));
    committed.push(...turns.filter(({ answers }) => answers === 1));
  }
  await board.powerOff();
  return [
    { name: "one entry published", turns: published },
    { name: "the heartbeat that commits it", turns: committed },
  ];
}

/** A new board gets a state of 64 keys of 56 bytes as a snapshot. */
async function snapshot(parts: ScenarioParts): Promise<Scenario[]> {
  const leader = wholePackets();
  for (let i = 0; i < 64; i++) leader.put(`key.${10 + i}`, new Uint8Array(56).fill(i));
  leader.compact();
  const board = powerOn(parts, new SimulatedSurroundings(leader, blank(parts)));
  const turns = await board.run(2000);
  await board.powerOff();
  const chunks = turns.filter((turn) => turn.arrived && turn.flashWrites > 0 && turn.answers === 0);
  return [
    { name: "one snapshot chunk", turns: chunks.slice(1, -1) },
    { name: "the last snapshot chunk, installed", turns: chunks.slice(-1) },
  ];
}

/** With its key, an entry of 64 bytes. */
const noteOf = (i: number) => new Uint8Array(64 - 8).fill(i);

/** The next entry as it comes while other voters have yet to take it. */
function appendWithoutCommit({ raft, commitIndex, term, log }: LeaderOnTheWire): Uint8Array {
  const { from, to } = raft.findLast(({ type }) => type === "append-request")!;
  const data = encodeCbor(["note", noteOf(9)]);
  const entry = { index: commitIndex + 1, term, kind: EntryKind.put, version: 1, data };
  const previous = { prevLogIndex: commitIndex, prevLogTerm: term, prevHash: log.hashAt(commitIndex)! };
  const request = {
    type: "append-request",
    from,
    to,
    term,
    ...previous,
    commitIndex,
    entries: [entry],
    readRound: 0,
  } as const;
  return encodeCbor(messageToWire(request));
}

/** Reports of one reading, and, after the network was away, of as many as fit. */
async function reports(parts: ScenarioParts): Promise<Scenario[]> {
  const { board, surroundings, leader } = await joined(parts, programOf(900, []));
  await board.run(2000);
  const single = (await board.run(20_000)).filter((turn) => isReportAlone(turn));
  leader.setNetwork(false);
  await board.run(60_000);
  leader.setNetwork(true);
  const before = surroundings.leader.reports.length;
  const later = await board.run(400);
  const full = later.filter((turn) => isReportAlone(turn));
  const sizes = surroundings.leader.reports.slice(before).map(({ readings }) => readings.length);
  if (sizes.join() !== "32,32")
    throw new Error(`After the outage came reports of ${sizes.join(", ")} readings.`);
  await board.powerOff();
  return [
    { name: "one report, 1 reading", turns: single },
    { name: "one report, 32 readings", turns: full },
  ];
}

const isReportAlone = (turn: Turn) =>
  !turn.arrived && turn.reports === 1 && turn.healths === 0 && turn.sensorReads === 0;

/** A log partition that the next entry makes too full: recovered from, and then compacted. */
async function fullLog(parts: ScenarioParts): Promise<Scenario[]> {
  const { leader, flash, nowMs } = filledLog(parts);
  // Out of step with heartbeats, so that the compaction is alone in its turn.
  const board = powerOn(parts, new SimulatedSurroundings(leader, flash, nowMs + 200));
  const [recovery, ...turns] = await board.run(2000);
  await board.powerOff();
  const compactions = turns.filter(({ flashErases }) => flashErases > 0);
  if (compactions.length !== 1 || compactions[0]!.answers > 0)
    throw new Error("The compaction was not alone in its turn: power on at another moment.");
  return [
    { name: "recovery, full log", turns: [recovery!] },
    { name: "compaction", turns: compactions },
  ];
}

/** Filled by the same firmware in Node, which is quicker. Sixty-four keys, set in turn to 56 bytes each. */
function filledLog(parts: ScenarioParts) {
  const leader = wholePackets();
  const board = new SimulatedBoard(leader, blank(parts));
  board.run(500);
  const { erases } = board.flash;
  for (let i = 0; ; i++) {
    const flash = board.flash.reboot();
    leader.put(`key.${10 + (i % 64)}`, new Uint8Array(56).fill(i));
    board.run(100);
    if (board.flash.erases === erases) continue;
    leader.cut();
    return { leader, flash, nowMs: board.nowMs };
  }
}

/** A board that has joined and runs its program, its samples and reports out of step with the leader's heartbeats. */
export async function joined(
  parts: ScenarioParts,
  program: Program,
  leader = wholePackets(),
  nowMs = 0,
  over: Partial<BoardConfig> = {},
) {
  const surroundings = new SimulatedSurroundings(leader, blank(parts), nowMs, over);
  const board = powerOn(parts, surroundings);
  await board.run(1060);
  leader.put("program/north-1", programBytes(program));
  return { leader, surroundings, board };
}
