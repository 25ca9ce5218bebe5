/**
 * What an action costs over 3, 10 and 100 boards, in virtual time with everything 15 ms on its way (engine: in process; boards, hosts, sessions and logs as they ship), and by how
 * much boards differ at a time to come. Repeats exactly.
 *
 * Beside it as context, not as a race: A2 commits over 180 nodes in 475 ms, and Wireless Paxos over 188 in 289 ms, on other radios.
 */

import { encodeCbor } from "../protocols/cbor/encode.ts";
import type { Program } from "../protocols/pipeline/program.ts";
import { programToWire } from "../protocols/pipeline/program-codec.ts";
import { programKeyPrefix } from "../protocols/state/command.ts";
import { SessionClock } from "../protocols/time/session-clock.ts";
import { packNames } from "../protocols/two-phase-commit/names.ts";
import { participantPeriods } from "../protocols/two-phase-commit/participant.ts";
import { ActingSwarm } from "../test/simulation/actions/acting-swarm.ts";
import { Random } from "../test/simulation/raft/random.ts";
import { bytes, milliseconds, printTable, type Row } from "./table.ts";

const oneWayMs = 15;
const program: Program = {
  pipelines: [],
  outputs: [{ name: "valve", kind: "digital", pin: 4, safeValue: 0, setting: undefined }],
  rules: [],
};

interface Cost {
  readonly actedMs: number;
  readonly endedMs: number;
  readonly reports: number;
  readonly reportBytes: number;
  readonly upBytes: number;
  readonly downBytes: number;
}

/** From the request at the leader to the last board's act, and to the end; with all that goes over the boards' connections in between, heartbeats included. */
function measure(count: number): Cost {
  const names = Array.from({ length: count }, (_, i) => `north-${String(i + 1).padStart(3, "0")}`);
  let reports = 0;
  let reportBytes = 0;
  let endedMs = Number.NaN;
  const actedMs = new Map<string, number>();
  const acting: ActingSwarm = new ActingSwarm(
    {
      ...{ seed: 1, hosts: ["main"], boards: names, delayMs: [oneWayMs, oneWayMs] as const, syncMsMax: 1 },
      events: {
        ...{ onStep: () => {}, onApplied: () => {}, onRestored: () => {}, note: () => {} },
        onTurn: (board) => {
          if (board.outputs.get("valve") === 1 && !actedMs.has(board.name))
            actedMs.set(board.name, acting.swarm.nowMs);
        },
        onViolation: (_host, violation) => {
          throw new Error(violation);
        },
      },
    },
    {
      onReport: (_board, length) => {
        reports++;
        reportBytes += length;
      },
      onPhase: ({ isEnded }) => {
        if (isEnded && Number.isNaN(endedMs)) endedMs = acting.swarm.nowMs;
      },
    },
  );
  const { swarm } = acting;
  swarm.start();
  swarm.run(5_000);
  for (const name of names) {
    const value = encodeCbor(programToWire(program));
    acting.leader!.step((member) =>
      member.propose({ key: programKeyPrefix + name, value }, acting.leader!.nowMs, () => {}),
    );
    swarm.run(swarm.nowMs + 50);
  }
  swarm.run(swarm.nowMs + 20_000);
  reports = 0;
  reportBytes = 0;
  const before = { ...swarm.traffic };
  const startMs = swarm.nowMs;
  acting.begin(names, { set: [{ output: "valve", value: 1 }], forMs: 0, safetyMs: 0 }, 5_000);
  swarm.run(startMs + 20_000, () => !Number.isNaN(endedMs));
  if (actedMs.size < count) throw new Error(`${actedMs.size} of ${count} acted`);
  return {
    ...{ actedMs: Math.max(...actedMs.values()) - startMs, endedMs: endedMs - startMs, reports, reportBytes },
    ...{ upBytes: swarm.traffic.up - before.up, downBytes: swarm.traffic.down - before.down },
  };
}

/** Boards whose crystals are off by up to 100 ppm, told the time once a minute over ways of 5 to 50 ms: how they differ when each believes that the moment has come. */
function skew(boards: number): { spreadMs: number; boundMs: number; isBoundKept: boolean } {
  const random = new Random(7);
  const wallAtMs = 3_600_000;
  const fired: number[] = [];
  let boundMs = 0;
  let isBoundKept = true;
  for (let board = 0; board < boards; board++) {
    const rate = 1 + 100e-6 * (2 * random.next() - 1);
    const own = (ms: number) => Math.floor(1_000 + ms * rate);
    const clock = new SessionClock();
    for (let atMs = random.between(0, 60_000); atMs < wallAtMs; atMs += 60_000) {
      const [up, down] = [random.between(5, 50), random.between(5, 50)];
      clock.ask(own(atMs));
      clock.answer(own(atMs), Math.floor(atMs + up), own(atMs + up + down));
    }
    // The first millisecond in which its clock says so.
    let atMs = wallAtMs - 2_000;
    while (clock.wallMs(own(atMs)) < wallAtMs) atMs += 0.5;
    fired.push(atMs);
    const bound = clock.boundMs(own(atMs));
    boundMs = Math.max(boundMs, bound);
    isBoundKept &&= Math.abs(atMs - wallAtMs) <= bound + 1;
  }
  return { spreadMs: Math.max(...fired) - Math.min(...fired), boundMs, isBoundKept };
}

const rows: Row[] = [];
for (const count of [3, 10, 100]) {
  const { actedMs, endedMs, reports, reportBytes, upBytes, downBytes } = measure(count);
  const trips = (actedMs / (2 * oneWayMs)).toFixed(1);
  rows.push(
    {
      what: `${count} boards: last board acted`,
      figure: milliseconds(actedMs),
      how: `${trips} round trips of ${2 * oneWayMs} ms`,
    },
    { what: `${count} boards: all known`, figure: milliseconds(endedMs), how: "every outcome in the log" },
    {
      what: `${count} boards: reports`,
      figure: `${reports}`,
      how: `${bytes(reportBytes)} before they are sealed`,
    },
    {
      what: `${count} boards: all traffic`,
      figure: bytes(upBytes + downBytes),
      how: `${bytes(upBytes)} up, ${bytes(downBytes)} down; Raft, MQTT, sealing and heartbeats`,
    },
  );
}
const names = Array.from({ length: 100 }, (_, i) => `north-${String(i + 1).padStart(3, "0")}`);
rows.push({
  what: "names of 100 boards in the entry",
  figure: bytes(packNames(names).length),
  how: "of 900 that fit",
});
const { spreadMs, boundMs, isBoundKept } = skew(100);
if (!isBoundKept) throw new Error("A board acted outside its bound.");
rows.push(
  {
    what: "timed action: 100 boards act within",
    figure: milliseconds(spreadMs),
    how: "100 ppm, ways of 5 to 50 ms, time told once a minute",
  },
  {
    what: "timed action: largest bound told",
    figure: milliseconds(boundMs),
    how: `held by all; a board with more than ${participantPeriods.clockBoundMsMax} ms refuses`,
  },
);
printTable("Actions in virtual time, 15 ms one way", rows);
