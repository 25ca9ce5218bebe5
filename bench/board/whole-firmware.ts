/**
 * The whole firmware at work for a minute, as a busy board runs it: pipelines whose readings all leave, an output with a
 * rule and a setting, heartbeats, entries, reports, health, a checkpoint. What it takes of the arena then is what the secure
 * session and the models do not have.
 */
import { checkpointLimits } from "../../firmware/storage/checkpoints.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { programBytes, threeHosts } from "../../test/firmware/board/surroundings.ts";
import type { MeasuredBoard } from "./measured-board.ts";
import { joined, type ScenarioParts, typical, wholePackets } from "./scenarios.ts";

/** What a board takes after a minute of work. */
export interface WholeFirmware {
  readonly pipelines: number;
  /** Chunks and slots, the most that they ever were, garbage included. */
  readonly heapPeakBytes: number;
  /** The same while every pipeline gives way to another. */
  readonly heapPeakReplacedBytes: number;
  /** The least that a collection left of them in the last ten seconds: what the firmware holds on to. */
  readonly heapLiveBytes: number;
  /** Of the arena: chunks, slots and stack at their largest. */
  readonly claimedBytes: number;
  readonly stackPeakSlots: number;
  /** On the chip, collections included. */
  readonly instructionsASecond: number;
  readonly collectionsASecond: number;
}

export async function measureWholeFirmware(parts: ScenarioParts, pipelines: number): Promise<WholeFirmware> {
  const { board, leader, surroundings } = await joined(parts, programOf(pipelines, 1000));
  const fromMs = surroundings.nowMs;
  await work(board, checkpointLimits.everyMs / 1000, (second) => {
    surroundings.sensors.set("temperature", 20 + 5 * Math.sin(second / 3));
    if (second % 5 === 2) leader.put("fan.duty", second);
    if (second % 5 === 4) leader.put("note", new Uint8Array(56).fill(second));
  });
  const toMs = surroundings.nowMs;
  leader.put("program/north-1", programBytes(programOf(pipelines, 1100)));
  await board.run(5000);
  await board.powerOff();
  const turns = board.turns.filter(({ nowMs }) => nowMs > fromMs && nowMs < toMs);
  const seconds = (toMs - fromMs) / 1000;
  const sum = (of: "instructions" | "collections") => turns.reduce((total, turn) => total + turn[of], 0);
  const late = turns.filter(({ nowMs }) => nowMs > toMs - 10_000);
  const { heap } = turns.at(-1)!;
  const readings = surroundings.leader.reports.flatMap((report) => report.readings).length;
  if (readings < 4 * pipelines) throw new Error(`Of ${pipelines} pipelines came only ${readings} readings.`);
  return {
    pipelines,
    heapPeakBytes: heap.peakBytes,
    heapPeakReplacedBytes: board.turns.at(-1)!.heap.peakBytes,
    heapLiveBytes: Math.min(...late.map((turn) => turn.heap.usedBytes)),
    claimedBytes: heap.claimedBytes,
    stackPeakSlots: heap.stackPeakSlots,
    instructionsASecond: Math.round(sum("instructions") / seconds),
    collectionsASecond: Math.round(sum("collections") / seconds),
  };
}

/** What a board takes that votes and so has a session with each of three hosts. */
export interface VoterHeap {
  /** While it works, and one host after the other takes the lead. */
  readonly heapPeakBytes: number;
  /** The same while it makes a new session with each: none of them knows any more of the one that was. */
  readonly heapPeakHandshakesBytes: number;
  /** The least that a collection left, with three sessions. */
  readonly heapLiveBytes: number;
  readonly stackPeakSlots: number;
}

export async function measureVoter(parts: ScenarioParts, pipelines: number): Promise<VoterHeap> {
  const program = programOf(pipelines, 1000);
  const { board, leader, surroundings } = await joined(parts, program, wholePackets(), 0, {
    hosts: threeHosts,
  });
  await board.run(3000);
  leader.change("promote");
  await board.run(5000);
  if (leader.connected.length < threeHosts.length) throw new Error("A voter has a link to each host.");
  const fromMs = surroundings.nowMs;
  await work(board, 20, (second) => {
    surroundings.sensors.set("temperature", 20 + 5 * Math.sin(second / 3));
    if (second % 5 === 2) leader.put("fan.duty", second);
    if (second % 5 === 4) leader.put("note", new Uint8Array(56).fill(second));
  });
  const { heapPeakBytes, heapLiveBytes } = heapSince(board, fromMs);
  const { handshakes } = leader.trust;
  for (const { port } of threeHosts) {
    leader.trust.kept.clear();
    leader.cut(port);
    await board.run(4000);
  }
  if (leader.trust.handshakes < handshakes + threeHosts.length)
    throw new Error("A host has forgotten nothing.");
  await board.powerOff();
  const { heap } = board.turns.at(-1)!;
  return {
    heapPeakBytes,
    heapPeakHandshakesBytes: heap.peakBytes,
    heapLiveBytes,
    stackPeakSlots: heap.stackPeakSlots,
  };
}

function heapSince(board: MeasuredBoard, fromMs: number): { heapPeakBytes: number; heapLiveBytes: number } {
  const turns = board.turns.filter(({ nowMs }) => nowMs > fromMs);
  return {
    heapPeakBytes: turns.at(-1)!.heap.peakBytes,
    heapLiveBytes: Math.min(...turns.map(({ heap }) => heap.usedBytes)),
  };
}

async function work(board: MeasuredBoard, seconds: number, each: (second: number) => void): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    each(second);
    await board.run(990);
  }
}

/** Each pipeline the typical one, under a name of its own. */
export function programOf(pipelines: number, everyMs: number): Program {
  return {
    pipelines: Array.from({ length: pipelines }, (_, i) => ({
      metric: `air.temperature.${i}`,
      sensor: "temperature",
      everyMs,
      stages: typical,
    })),
    outputs: [{ name: "fan", kind: "pwm", pin: 4, safeValue: 10, setting: "fan.duty" }],
    rules: [
      {
        metric: "air.temperature.0",
        when: "above",
        threshold: 24,
        hysteresis: 1,
        forMs: 1000,
        output: "fan",
        value: 100,
      },
    ],
  };
}
