import type { Health } from "../../protocols/messages/board-messages.ts";
import type { System } from "../platform/ports.ts";
import type { BlockQueue } from "../sensing/block-queue.ts";
import type { ReadingQueue } from "../sensing/reading-queue.ts";
import type { Sensing } from "../sensing/sensing.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { Checkpoints } from "../storage/checkpoints.ts";
import type { Updater } from "../update/updater.ts";
import type { Contacts } from "./contacts.ts";
import type { CrashLoop } from "./crash-loop.ts";
import type { Links } from "./links.ts";
import type { Member } from "./member.ts";
import type { Telemetry } from "./telemetry.ts";
import type { Trust } from "./trust.ts";
import type { WallTime } from "./wall-time.ts";

/** Whom a health message asks. */
export interface HealthSources {
  readonly system: System;
  readonly store: BoardStore;
  readonly member: Member;
  readonly sensing: Sensing;
  readonly queue: ReadingQueue;
  readonly blocks: BlockQueue;
  readonly telemetry: Telemetry;
  readonly links: Links;
  readonly time: WallTime;
  readonly crashLoop: CrashLoop;
  readonly checkpoints: Checkpoints;
  readonly trust: Trust;
  readonly contacts: Contacts;
  readonly updater: Updater | undefined;
}

/** How the board is at `nowMs` of a clock on which it booted at `bootMs`. */
export function healthOf(of: HealthSources, nowMs: number, bootMs: number, loopDelayMs: number): Health {
  const { store, member, time } = of;
  const { heapUsedBytes, heapPeakBytes, arenaBytes, stackPeakSlots } = of.system.memory();
  const wallMs = time.wallMs(nowMs);
  const isTimeKnown = !Number.isNaN(wallMs);
  return {
    sentMs: nowMs,
    uptimeMs: nowMs - bootMs,
    term: member.term,
    lastIndex: store.lastIndex,
    commitIndex: member.commitIndex,
    appliedIndex: store.appliedIndex,
    heapUsedBytes,
    heapPeakBytes,
    arenaBytes,
    samplesIn: of.sensing.samplesIn,
    reportsOut: of.telemetry.reportsOut,
    readingsDropped: of.queue.dropped + of.blocks.dropped,
    reconnects: of.links.reconnects,
    outputs: of.sensing.outputs(),
    wallMs: isTimeKnown ? wallMs : undefined,
    timeBoundMs: isTimeKnown ? time.boundMs(nowMs) : undefined,
    device: {
      isSafe: of.crashLoop.isSafe,
      crashes: store.crashes,
      loopDelayMs,
      sectorErases: store.erases,
      sectors: store.sectors,
      checkpointsRefused: of.checkpoints.refused,
      stackPeakSlots: stackPeakSlots ?? 0,
      recordsRefused: of.trust.refused,
    },
    contact: of.contacts.number,
    firmware: of.updater?.health,
  };
}
