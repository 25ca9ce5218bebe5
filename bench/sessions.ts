/**
 * What boards' sessions cost a host: a real host process on loopback, boards of bytes before it that connect, prove who they are and leave again. Its CPU time
 * is read from /proc, so that the boards' own work, on the other core, does not count.
 *
 * `npx node bench/sessions.ts` prints the table.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MemberSecrets } from "../host-tools/security/member-file.ts";
import { nodeCiphers } from "../host-tools/security/node-ciphers.ts";
import { Roster } from "../protocols/security/identity/roster.ts";
import { SessionInitiator } from "../protocols/security/session/initiator.ts";
import { SessionResponder } from "../protocols/security/session/responder.ts";
import { RawBoard } from "../test/host-tools/leader/raw-board.ts";
import { TestRoot } from "../test/members.ts";
import { cost, startHostProcess } from "./host-process.ts";
import { megabytes, printTable } from "./table.ts";

export interface SessionCost {
  /** Sessions a second that one core of the host accepts. */
  readonly firstPerSecond: number;
  readonly handshakesPerSecond: number;
  readonly refreshesPerSecond: number;
  /** The host's part of a handshake alone, without any connection. */
  readonly responderPerSecond: number;
  /** Of the host, before and while half-open handshakes hold all its places. */
  readonly memoryBytes: number;
  readonly floodedMemoryBytes: number;
}

const boardCount = 200;
const atOnce = 8;

export async function measureSessions(): Promise<SessionCost> {
  const root = new TestRoot("bench");
  const names = Array.from({ length: boardCount }, (_, i) => `n${i}`);
  const members = names.map((name) => root.issue("board", name));
  const folder = mkdtempSync(join(tmpdir(), "covey-bench-"));
  const host = await startHostProcess(folder, names, root.issue("host", "a"));
  try {
    const { mqttPort: port, pid } = host.ready;
    const board = (i: number) => ({ swarm: "bench", name: names[i]!, port, member: members[i]! });
    const perSecond = async (count: number, once: (i: number) => Promise<void>) => {
      const before = cost(pid).cpuMs;
      await inTurns(count, once);
      return (count * 1_000) / (cost(pid).cpuMs - before);
    };
    const handshake = async (i: number) => {
      const raw = await RawBoard.secured(board(i % boardCount));
      raw.cut();
      await raw.closed;
    };
    const first = await perSecond(boardCount, handshake);
    await inTurns(boardCount, handshake);
    const handshakes = await perSecond(5 * boardCount, handshake);
    const kept = new Map<number, RawBoard["initiator"]["session"]>();
    const refresh = async (i: number) => {
      const raw = await RawBoard.secured({ ...board(i % boardCount), kept: kept.get(i % boardCount) });
      kept.set(i % boardCount, raw.initiator.session);
      raw.cut();
      await raw.closed;
    };
    await inTurns(boardCount, refresh);
    const refreshes = await perSecond(5 * boardCount, refresh);
    const { memoryBytes } = cost(pid);
    const flooders: RawBoard[] = [];
    await inTurns(3_000, async (i) => {
      const raw = new RawBoard({ ...board(i % boardCount), isHalfOpen: true });
      flooders.push(raw);
      await raw.connect().catch(() => {});
      raw.publishBytes(raw.topic("edhoc"), raw.initiator.start());
    });
    const floodedMemoryBytes = cost(pid).memoryBytes;
    for (const raw of flooders) raw.cut();
    return {
      firstPerSecond: first,
      handshakesPerSecond: handshakes,
      refreshesPerSecond: refreshes,
      responderPerSecond: measureResponder(root, members[0]!),
      memoryBytes,
      floodedMemoryBytes,
    };
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** CPU time within the responder only. */
function measureResponder(root: TestRoot, member: MemberSecrets): number {
  const host = root.issue("host", "a");
  const end = (own: MemberSecrets, roster: Roster) => ({
    ciphers: nodeCiphers,
    own,
    roster,
    admits: () => true,
  });
  const rosters = [0, 1].map(() => new Roster(nodeCiphers, root.keys.publicKey, "bench", 8));
  rosters[1]!.admit(member.signed);
  const rounds = 500;
  let spentUs = 0;
  for (let round = -100; round < rounds; round++) {
    const initiator = new SessionInitiator(end(member, rosters[0]!));
    const responder = new SessionResponder(end(host, rosters[1]!));
    if (round === 0) spentUs = 0;
    for (let frame: Uint8Array | undefined = initiator.start(); frame !== undefined; ) {
      const before = process.cpuUsage();
      const { send } = responder.take(frame);
      const { user, system } = process.cpuUsage(before);
      spentUs += user + system;
      frame = send === undefined ? undefined : initiator.take(send).send;
    }
    if (!responder.isUp || !initiator.isUp) throw new Error("the handshake failed");
  }
  return (rounds * 1_000_000) / spentUs;
}

async function inTurns(count: number, once: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const turns = async () => {
    while (next < count) await once(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, turns));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sessions = await measureSessions();
  const rate = (perSecond: number) => `${Math.round(perSecond).toLocaleString("en-US")} /s`;
  printTable(
    "Sessions of boards that one core of a host accepts (connection, MQTT and hello's way included)",
    [
      {
        what: "of boards never seen",
        figure: rate(sessions.firstPerSecond),
        how: "identity checked, whole handshake; just started, code not compiled yet",
      },
      {
        what: "handshakes",
        figure: rate(sessions.handshakesPerSecond),
        how: "identity known: every later start",
      },
      {
        what: "refreshes",
        figure: rate(sessions.refreshesPerSecond),
        how: "reconnects, and wakes from sleep",
      },
      {
        what: "handshakes, no network",
        figure: rate(sessions.responderPerSecond),
        how: "the responder alone",
      },
      { what: "host's memory", figure: megabytes(sessions.memoryBytes), how: "after those" },
      {
        what: "host's memory, flooded",
        figure: megabytes(sessions.floodedMemoryBytes),
        how: "3,000 half-open handshakes, of which 232 have a place",
      },
    ],
  );
}
