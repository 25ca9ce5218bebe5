/**
 * The heap of a board that votes in Raft, with a session with each of three hosts, and on registers, with a session with each of two boards, beside ten pipelines.
 */
import { decodeCbor, encodeCbor } from "../../host-tools/codec/cbor.ts";
import { keepRequestToWire } from "../../protocols/keeping/messages.ts";
import { lanPort } from "../../protocols/lan/datagrams.ts";
import { copyKey, copyOf, copyToWire } from "../../protocols/paxos/copy.ts";
import {
  type RegisterOrder,
  registerOrderToWire,
  registerReportFromWire,
} from "../../protocols/paxos/report.ts";
import { groupKey } from "../../protocols/paxos/types.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import type { LeaderOnTheWire } from "../../test/firmware/board/leader-on-the-wire.ts";
import { programBytes, SimulatedSurroundings, threeHosts } from "../../test/firmware/board/surroundings.ts";
import { filledRing, questionAt } from "./keeping-costs.ts";
import { MeasuredBoard } from "./measured-board.ts";
import { MemberGroup } from "./member-group.ts";
import { type ScenarioParts, wholePackets } from "./scenarios.ts";

/** The most that the heap ever was, garbage included, from power on. */
export interface MemberHeap {
  readonly peakBytes: number;
  /** Where it also keeps blocks for others, and a host asks each second. */
  readonly keepingPeakBytes: number;
}

export async function measureMember(parts: ScenarioParts, program: Program): Promise<MemberHeap> {
  return {
    peakBytes: await peakOf(parts, program, false),
    keepingPeakBytes: await peakOf(parts, program, true),
  };
}

/** A change each second, from each of the three in turn. */
const seconds = 45;

async function peakOf(parts: ScenarioParts, program: Program, keeps: boolean): Promise<number> {
  const { flash, full } = filledRing(parts);
  const leader = wholePackets();
  const here = new SimulatedSurroundings(leader, flash, 0, { hosts: threeHosts }, keeps ? full : undefined);
  let group: MemberGroup | undefined;
  const { network } = here.world;
  const openUdp: typeof network.openUdp = (port, events, address) =>
    port === lanPort ? group!.openUdp(port, events, address) : network.openUdp!(port, events, address);
  Object.assign(here, { world: { ...here.world, network: { ...network, openUdp } } });
  const board = new MeasuredBoard(parts.firmware, here, parts.memory);
  const run = async (forMs: number) => {
    for (const endMs = here.nowMs + forMs; here.nowMs < endMs; ) {
      await board.run(0);
      group?.run(10);
    }
  };
  await run(1060);
  leader.put("program/north-1", programBytes(program));
  await run(3000);
  leader.change("promote");
  await run(5000);
  const { memberId } = leader.hellos.at(-1)!;
  const answers = recordChosen(leader);
  group = new MemberGroup(memberId, ["a-1", "south-1"]);
  leader.put(groupKey, group.bytes);
  await run(5000);
  for (let second = 0; second < seconds; second++) {
    here.sensors.set("temperature", 20 + 5 * Math.sin(second / 3));
    const [register, value] = [group.group.registers[second % 3]!.name, second % 100];
    if (second % 3 === 0) {
      const ask: RegisterOrder = {
        kind: "ask",
        request: second,
        register,
        value,
        ifVersion: undefined,
        timeoutMs: 5000,
      };
      leader.sendPayload("register", encodeCbor(registerOrderToWire(ask)));
    } else group.propose((second % 3) - 1, register, value);
    if (keeps) {
      const question = questionAt(second, leader.kept.at(-1));
      leader.sendPayload("keep", encodeCbor(keepRequestToWire(question)));
    }
    await run(990);
  }
  await board.powerOff();
  const done = group.outcomes.filter(({ kind }) => kind === "done").length + answers.length;
  if (done < seconds - 1) throw new Error(`Of ${seconds} changes only ${done} came about.`);
  if (keeps && leader.kept.length !== seconds)
    throw new Error("The board did not answer every question about blocks.");
  return board.turns.at(-1)!.heap.peakBytes;
}

/** The leader records what the board tells it, and gives the answers that the board has for it. */
function recordChosen(leader: LeaderOnTheWire): number[] {
  const answers: number[] = [];
  leader.onRegister = (payload) => {
    const report = registerReportFromWire(decodeCbor(payload));
    if (report.kind === "answer" && report.outcome === "done") answers.push(report.request);
    if (report.kind !== "chosen") return;
    const states = report.chosen.map((chosen) => {
      leader.put(copyKey(chosen.register), encodeCbor(copyToWire(copyOf(chosen))));
      return { register: chosen.register, epoch: chosen.epoch, version: chosen.state.version };
    });
    leader.sendPayload("register", encodeCbor(registerOrderToWire({ kind: "recorded", states })));
  };
  return answers;
}
