/**
 * What a change of a register costs a group of boards, in virtual time with everything 15 ms on its way (engine: in process; the members as they ship, without sessions): messages, bytes, round trips and time,
 * by the members of the group and by how many datagrams are lost. Repeats exactly.
 *
 * Beside it as context, not as a race: Wireless Paxos agrees over 188 nodes in 289 ms, and A2 commits over 180 in 475 ms, on other radios, where all hear all.
 */
import { encodeCbor } from "../protocols/cbor/encode.ts";
import { Member, type MemberOutput } from "../protocols/paxos/member.ts";
import { paxosMessageToWire } from "../protocols/paxos/messages.ts";
import { firstGroup } from "../protocols/paxos/succession.ts";
import type { Change, Outcome } from "../protocols/paxos/types.ts";
import { Agenda } from "../test/simulation/raft/agenda.ts";
import { Random } from "../test/simulation/raft/random.ts";
import { percentile } from "./percentile.ts";
import { milliseconds, printTable, type Row } from "./table.ts";

const oneWayMs = 15;
const changes = 1_000;
const register = "setpoint";

interface Cost {
  readonly messages: number;
  readonly bytes: number;
  readonly keeps: number;
  readonly keptBytes: number;
  readonly times: number[];
  readonly failed: number;
}

type Load = "change" | "reading" | "rivals";

/** So many in a row by one member; of `rivals` by two, which begin at the same moment. */
function measure(count: number, loss: number, load: Load): Cost {
  const random = new Random(1);
  const agenda = new Agenda();
  const ids = Array.from({ length: count }, (_, i) => `north-${i + 1}.5f3a90c2`);
  const definition = { name: register, kind: "number" as const, min: 0, max: 1e9 };
  const group = firstGroup(1, ids, [{ definition, initial: 0 }]);
  const cost = { messages: 0, bytes: 0, keeps: 0, keptBytes: 0, failed: 0 };
  const times: number[] = [];
  const members = new Map<string, Member>();
  let nowMs = 0;
  let heard: (outcome: Outcome) => void = () => {};

  const step = (name: string, take: (member: Member) => MemberOutput): void => {
    const member = members.get(name)!;
    const { keep, messages, outcomes } = take(member);
    if (keep !== undefined) {
      cost.keeps++;
      cost.keptBytes += keep.length;
      member.onKept();
    }
    for (const { to, message } of messages) {
      // Said of the group's own accord, every 5 s, whether or not anything changes.
      if (message.kind !== "digest") {
        cost.messages++;
        cost.bytes += encodeCbor(paxosMessageToWire(message)).length;
      }
      if (random.chance(loss)) continue;
      agenda.add(nowMs + oneWayMs, () => step(to, (other) => other.take(name, message, nowMs)));
    }
    for (const outcome of outcomes) heard(outcome);
    const { dueMs } = member;
    if (dueMs < Infinity) {
      agenda.add(Math.max(nowMs, dueMs), () => {
        if (member.dueMs <= nowMs) step(name, (own) => own.run(nowMs));
      });
    }
  };

  for (const id of ids)
    members.set(id.slice(0, id.indexOf(".")), new Member({ memberId: id, random: random.next }, undefined));
  for (const name of members.keys()) step(name, (member) => member.onGroup(group, 0));
  cost.keeps = 0;
  cost.keptBytes = 0;
  const proposers = [...members.keys()].slice(0, load === "rivals" ? 2 : 1);
  for (let i = 0; i < changes; i++) {
    const beganMs = nowMs;
    let open = proposers.length;
    heard = ({ kind }) => {
      open--;
      if (kind === "done") times.push(nowMs - beganMs);
      else cost.failed++;
    };
    for (const name of proposers) {
      const value = load === "reading" ? undefined : i;
      const change: Change = {
        ...{ register, request: random.seed(), value, ifVersion: undefined, atMs: 1_800_000_000_000 },
        deadlineMs: nowMs + 30_000,
      };
      step(name, (member) => member.propose(change, nowMs));
    }
    // Until it is over, and what it set off has arrived.
    let untilMs = Infinity;
    for (;;) {
      if (open === 0 && untilMs === Infinity) untilMs = nowMs + 2 * oneWayMs;
      const next = agenda.next(untilMs);
      if (next === undefined) break;
      nowMs = next.atMs;
      next.run();
    }
    nowMs = Math.max(nowMs, untilMs);
  }
  return { ...cost, times };
}

function row(what: string, count: number, loss: number, load: Load): Row {
  const { messages, bytes, keeps, keptBytes, times, failed } = measure(count, loss, load);
  const each = (value: number): string => (value / changes).toFixed(1);
  const median = percentile(times, 50);
  const how = [
    `${each(messages)} messages, ${Math.round(bytes / changes)} B, ${(median / 2 / oneWayMs).toFixed(1)} round trips`,
    `p99 ${milliseconds(percentile(times, 99))}`,
    `${each(keeps)} writes to flash in all, ${keeps === 0 ? 0 : Math.round(keptBytes / keeps)} B each`,
  ];
  if (failed > 0) how.push(`${failed} not done`);
  return {
    what: `${what}, ${count} boards, ${100 * loss} % lost`,
    figure: milliseconds(median),
    how: how.join("; "),
  };
}

const rows: Row[] = [];
for (const count of [3, 5, 7]) {
  for (const loss of [0, 0.1, 0.3]) rows.push(row("a change", count, loss, "change"));
}
for (const count of [3, 5, 7]) rows.push(row("a reading", count, 0, "reading"));
for (const count of [3, 5, 7]) rows.push(row("two rivals' changes", count, 0, "rivals"));
rows.push(
  { what: "Wireless Paxos, 188 nodes", figure: "289 ms", how: "as published, on another radio" },
  { what: "A2, two-phase commit, 180 nodes", figure: "475 ms", how: "as published, on another radio" },
);
printTable(`Registers: medians of ${changes} with ${oneWayMs} ms one way; bytes before sealing`, rows);
