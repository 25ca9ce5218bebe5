/** A host's room for what boards keep: keeping with real time, its file, and what the HTTP interface asks for. */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import type { Actor } from "../access/actor.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { KeepAccepted, KeepRestored, KeepStatus } from "../api/types/keeping.ts";
import type { StoredReading } from "../api/types/readings.ts";
import type { Status } from "../api/types/status.ts";
import type { PlacedBlock } from "../boards/board-record.ts";
import type { BoardRegistry } from "../boards/board-registry.ts";
import type { KeepingFrame } from "../hosts/host-frames.ts";
import type { HostLinks } from "../hosts/host-links.ts";
import type { Log } from "../log.ts";
import type { Replica } from "../raft/replica.ts";
import { nameOf } from "../raft/voter-policy.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import { csvPages } from "../telemetry/reading-export.ts";
import type { ReadingQuery, Telemetry } from "../telemetry/telemetry.ts";
import type { Violations } from "../violations.ts";
import { keepStatus } from "./keep-status.ts";
import { Keeping, keepingTimes } from "./keeping.ts";
import { Outbox } from "./outbox.ts";
import { pastReadings } from "./past-readings.ts";
import { isWanted, Restoration, type RestoreWish } from "./restoration.ts";
import { writerLength } from "./series-name.ts";

export interface KeepingRoomOptions {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  /** Of this host. */
  readonly directory: string;
  readonly state: AgreedState;
  readonly replica: Replica;
  readonly boards: BoardRegistry;
  readonly links: HostLinks;
  readonly telemetry: Telemetry;
  readonly unitOf: (board: string, metric: string) => string;
  readonly violations: Violations;
  readonly log: Log;
  /** Keeps what was done where everybody can look it up. */
  readonly audit: { noted(who: string, what: string): void };
}

export class KeepingRoom {
  readonly #options: KeepingRoomOptions;
  readonly #outbox: Outbox;
  readonly #keeping: Keeping;
  readonly #restoration: Restoration;
  #timer: NodeJS.Timeout | undefined;

  /** @throws {NewerDatabase} */
  constructor(options: KeepingRoomOptions) {
    const { definition, hostName, directory, state, replica, boards, links, telemetry, log } = options;
    this.#options = options;
    this.#outbox = new Outbox(join(directory, "keeping.sqlite"), Date.now(), drawWriter);
    const { damaged } = this.#outbox;
    if (damaged !== undefined) {
      options.violations.add(
        `The file of blocks that boards are to keep was damaged (${damaged.reason}); it is kept as ${damaged.keptAs}, and what waited in it is on no board.`,
      );
    }
    this.#keeping = new Keeping({
      ...{ definition, hostName, state, replica, log, outbox: this.#outbox },
      leaderHost: () => {
        const { leaderId } = replica.status();
        const host = leaderId === undefined ? undefined : nameOf(leaderId);
        return host !== undefined && host !== hostName && links.isUp(host) ? host : undefined;
      },
      boardOf: (board) => boards.memberOf(board),
      sendToBoard: (board, payload) => {
        const host = boards.hostsOfBoard(board)[0];
        if (host === hostName) return boards.sendHere(board, "keep", payload);
        if (host === undefined || !links.isUp(host)) return false;
        return links.send(host, { kind: "keep", board, payload });
      },
      sendToHost: (host, frame) => links.send(host, frame),
      tellHosts: (frame) => links.broadcast(frame),
      put: (key, value, expected) =>
        replica.propose({ key, value, id: replica.newCommandId(), expected: { value: expected } }),
      addPast: (readings) => telemetry.addPast(readings),
      nowMs: () => performance.now(),
      sleep: (ms) => sleep(ms),
      draw: () => randomInt(2 ** 32),
    });
    this.#restoration = new Restoration(this.#keeping, () => [hostName, ...links.peers.keys()].sort());
  }

  start(): void {
    this.#timer = setInterval(() => this.#keeping.look(), keepingTimes.lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#keeping.stop();
    try {
      this.#outbox.close();
    } catch (error) {
      this.#options.log.error("keep-disk-failed", { reason: (error as Error).message });
    }
  }

  takeBlock(board: string, block: PlacedBlock): void {
    this.#keeping.takeBlock(board, block);
  }

  /** @throws {CborError | ShapeError} */
  takeAnswer(board: string, payload: Uint8Array): void {
    this.#keeping.takeAnswer(board, payload);
  }

  takeFrame(host: string, frame: KeepingFrame): void {
    this.#keeping.takeFrame(host, frame);
  }

  /** Somebody accepts the blocks that a host counts as short or lost. @throws {ApiFailure} */
  acceptLoss(host: string, actor: Actor): KeepAccepted {
    const counted = this.#keeping.hosts.get(host);
    if (counted === undefined) {
      const known = [...this.#keeping.hosts.keys()].sort().join(", ");
      throw new ApiFailure("not-found", `Nothing is known of blocks of ${host}; there are ${known}.`);
    }
    const { short, lost } = counted;
    if (short + lost === 0) {
      throw new ApiFailure("conflict", `${host} has lost no blocks; there is nothing to accept.`);
    }
    if (!this.#keeping.acceptLoss(host, { short, lost })) {
      throw new ApiFailure(
        "conflict",
        `${host} is not connected, and only there it can be written down; try again when it is.`,
      );
    }
    this.#options.audit.noted(actor.name, `keep accept-loss ${host} ${lost} lost ${short} short`);
    this.#options.log.warn("keep-loss-accepted", { host, lost, short, by: actor.name });
    return { host, short, lost };
  }

  status(): KeepStatus {
    const { definition, boards } = this.#options;
    const { progress } = this.#restoration;
    const found = keepStatus({
      keeping: this.#keeping,
      isUp: (board) => boards.memberOf(board).isUp,
      counters: this.#outbox.counters,
      metricsOf: (board) => definition.boards[board]?.kept?.metrics ?? [],
    });
    return { ...found, ...(progress === undefined ? {} : { restored: progress }) };
  }

  /** For the status of the swarm; undefined where nothing is kept. */
  summary(): Status["keeping"] {
    const { wanted, agreed, hosts } = this.#keeping;
    if (wanted.size === 0) return undefined;
    let [whole, waiting, lost] = [0, 0, 0];
    for (const [board, { copies }] of wanted) {
      const keepers = agreed.shelves.get(board)?.shelf.keepers ?? [];
      if (keepers.filter(({ isWhole }) => isWhole).length >= copies) whole++;
    }
    for (const blocks of hosts.values()) {
      waiting += blocks.waiting;
      lost += blocks.lost;
    }
    return { boards: wanted.size, whole, waiting, lost };
  }

  /** Begins. @throws {ApiFailure} */
  restore(wish: RestoreWish): KeepRestored {
    return this.#restoration.begin(wish);
  }

  /** CSV of what boards keep, read from them: one series after the other, each in the order of its time. */
  async *readings(query: ReadingQuery): AsyncGenerator<string> {
    const { unitOf } = this.#options;
    const [heading] = csvPages([]);
    yield heading!;
    const readBack = this.#keeping.readBack();
    for (const series of await readBack.list()) {
      const { board, metric } = series;
      if (
        !isWanted(series, { board: query.board, metric: query.metric }) ||
        query.isWanted?.(board) === false
      )
        continue;
      const { blocks } = await readBack.read(series);
      const rows: StoredReading[] = pastReadings(blocks)
        .filter(({ atMs }) => atMs >= (query.fromMs ?? 0) && atMs <= (query.toMs ?? Number.MAX_SAFE_INTEGER))
        .map((reading) => ({ ...reading, unit: unitOf(board, metric) }));
      if (rows.length === 0) continue;
      const pages = csvPages([rows]);
      pages.next();
      yield* pages;
    }
  }
}

function drawWriter(): string {
  return randomInt(36 ** writerLength)
    .toString(36)
    .padStart(writerLength, "0");
}
