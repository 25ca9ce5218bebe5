/**
 * The boards of the swarm and what arrives from them, here or at another host: hello, Raft, reports, health.
 *
 * A link is a board's within its session (`trust/`), and which member that board is its hello says; from then on the Raft messages on it must come
 * from that member. A board that returns under a new member id has lost its memory and replaces its former self (design, point 10).
 *
 * What a board tells this host's broker, the other hosts are told too: so each knows every board and has every reading, and whichever
 * leads next goes on without a gap.
 */
import { messageLimits } from "../../../protocols/messages/board-messages.ts";
import {
  healthFromWire,
  helloFromWire,
  reportFromWire,
  timeAnswerToWire,
} from "../../../protocols/messages/codec.ts";
import { type RegisterReport, registerReportFromWire } from "../../../protocols/paxos/report.ts";
import { answerFromWire, type BoardAnswer } from "../../../protocols/query/messages.ts";
import { messageFromWire, messageToWire } from "../../../protocols/raft/codec.ts";
import type { AppendResponse, MemberId, Message } from "../../../protocols/raft/types.ts";
import { type Leases, leasesFromWire } from "../../../protocols/tasks/lease-messages.ts";
import { type TurnMessage, turnMessageFromWire } from "../../../protocols/turns/turn-message.ts";
import { type ActionReport, reportsFromWire } from "../../../protocols/two-phase-commit/report.ts";
import { type Want, wantFromWire } from "../../../protocols/update/messages.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import type { BoardStatus } from "../api/types/status.ts";
import { MalformedPayload, ProtocolRefused } from "../broker/broker-refusals.ts";
import type { BoardLink } from "../broker/broker-types.ts";
import type { HostFrame, TelemetryChannel } from "../hosts/host-frames.ts";
import type { Log } from "../log.ts";
import { nameOf } from "../raft/voter-policy.ts";
import type { TaskMetric } from "../tasks/task-metrics.ts";
import type { NewReading } from "../telemetry/telemetry.ts";
import type { SealedChannel } from "../trust/board-session.ts";
import type { CloneWatch } from "../trust/clone-watch.ts";
import type { Violations } from "../violations.ts";
import { BoardRecord, type PlacedBlock } from "./board-record.ts";

export interface RegistryOptions {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  readonly log: Log;
  readonly violations: Violations;
  readonly clones: CloneWatch;
  /** Unix milliseconds. */
  readonly now: () => number;
  onReading(reading: NewReading): void;
  /** A member said hello: on a first or on a new connection, here or at another host. */
  onMember(id: MemberId): void;
  /** It is connected nowhere any more. */
  onMemberLost(id: MemberId): void;
  /** A message of a board that is connected here. */
  onMessage(message: Message): void;
  /** A board that is connected here asks for chunks of its image. */
  onWant(link: BoardLink, want: Want): void;
  /** A board, connected here or at another host, tells of actions. */
  onActions?(board: string, reports: readonly ActionReport[]): void;
  /** A board, connected here or at another host, tells of registers. */
  onRegisters?(board: string, report: RegisterReport): void;
  /** A board, here or at another host, says which tasks it is to run. */
  onClaim(board: string, claim: Leases): void;
  /** A board that votes, connected here if `isHere`, says so of its turn to be away. */
  onTurn(board: string, message: TurnMessage, isHere: boolean): void;
  /** The metric of a task as `board` tells it, with a token, that is the present one; undefined for any other. */
  taskMetric(board: string, told: string): TaskMetric | undefined;
  /** A board that is connected here told a block of readings. */
  onBlock?(board: string, block: PlacedBlock): void;
  /** A board, here or at another host, answers what it was asked of blocks that it keeps. Throws for what no board says. */
  onKeep?(board: string, payload: Uint8Array): void;
  /** For all other hosts. */
  tellHosts(frame: HostFrame): void;
  /** Something that the status shows has changed. */
  onChange(): void;
  /** A board's answer to a query, whoever asked. */
  onAnswer(board: string, answer: BoardAnswer): void;
}

/** A board as the member that it was here last. */
export interface BoardMember {
  /** undefined while it was never heard of. */
  readonly memberId: MemberId | undefined;
  /** Connected somewhere, as that member. */
  readonly isUp: boolean;
  /** Two devices have its identity: which of them is meant, nobody knows. */
  readonly isCloned: boolean;
  /** Nothing is wrong with it: it is not in safe mode, has no clone. */
  readonly isWell: boolean;
}

export class BoardRegistry {
  readonly #options: RegistryOptions;
  readonly #records = new Map<string, BoardRecord>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    for (const [name, board] of Object.entries(options.definition.boards)) {
      const taskMetric = (told: string) => options.taskMetric(name, told);
      this.#records.set(name, new BoardRecord(name, board, taskMetric));
    }
  }

  status(isVoter: (id: MemberId) => boolean): BoardStatus[] {
    const { clones } = this.#options;
    return [...this.#records.values()].map((record) => record.status(isVoter, clones.isCloned(record.name)));
  }

  /** When a board last said something, in Unix milliseconds, and whether it is connected somewhere. */
  heardOf(board: string): { readonly lastSeenMs: number | undefined; readonly isConnected: boolean } {
    const record = this.#records.get(board);
    return { lastSeenMs: record?.lastSeenMs, isConnected: (record?.presences.size ?? 0) > 0 };
  }

  /** As which member a board was here last, and how that one stands. */
  memberOf(board: string): BoardMember {
    const { clones, hostName } = this.#options;
    const record = this.#records.get(board);
    const memberId = record?.memberId;
    const isUp = memberId !== undefined && record!.hostsOf(memberId, hostName).length > 0;
    const isCloned = clones.isCloned(board);
    return { memberId, isUp, isCloned, isWell: record !== undefined && !record.isSafe && !isCloned };
  }

  /** How many boards are connected to `host`. */
  countAt(host: string): number {
    let count = 0;
    for (const { presences } of this.#records.values()) if (presences.has(host)) count++;
    return count;
  }

  /** The connected board that has come furthest: by what it applied, then by its term. undefined while none is connected. */
  get furthest():
    | { readonly name: string; readonly term: number; readonly appliedIndex: number }
    | undefined {
    let furthest: BoardRecord | undefined;
    for (const record of this.#records.values()) {
      if (record.presences.size === 0) continue;
      const ahead =
        furthest === undefined ||
        record.appliedIndex > furthest.appliedIndex ||
        (record.appliedIndex === furthest.appliedIndex && record.term > furthest.term);
      if (ahead) furthest = record;
    }
    return furthest;
  }

  /** Members that are connected somewhere. */
  get members(): MemberId[] {
    const ids = [...this.#records.values()].flatMap(({ presences }) =>
      Array.from(presences.values(), ({ memberId }) => memberId),
    );
    return [...new Set(ids)];
  }

  /** Where to send what is for `memberId`: this host's own name, another's, or undefined while it is connected nowhere. */
  hostOf(memberId: MemberId): string | undefined {
    return this.#records.get(nameOf(memberId))?.hostsOf(memberId, this.#options.hostName)[0];
  }

  /** Whether this member's board has a session with this host itself, be it as this member or after it has lost its memory. */
  isHere(memberId: MemberId): boolean {
    return this.#records.get(nameOf(memberId))?.presences.has(this.#options.hostName) === true;
  }

  /** Sends to the board that the message is for, if it is connected here; dropped otherwise, which Raft expects. */
  send(message: Message): void {
    const presence = this.#records.get(nameOf(message.to))?.presences.get(this.#options.hostName);
    if (presence?.memberId !== message.to) return;
    presence.link?.send("raft", encodeCbor(messageToWire(message)));
  }

  /** To a board that is connected here; false where it is not. */
  sendHere(board: string, channel: "lease" | "query" | "keep" | "register", payload: Uint8Array): boolean {
    const link = this.#records.get(board)?.presences.get(this.#options.hostName)?.link;
    return link?.send(channel, payload) ?? false;
  }

  /** Where a board is connected, this host's own name first. */
  hostsOfBoard(board: string): string[] {
    const hosts = [...(this.#records.get(board)?.presences.keys() ?? [])];
    return hosts.sort((a, b) => Number(b === this.#options.hostName) - Number(a === this.#options.hostName));
  }

  /** From this host's broker, opened. @throws {MalformedPayload | ProtocolRefused} and the connection is to be closed. */
  receive(link: BoardLink, channel: SealedChannel, payload: Uint8Array): void {
    const record = this.#records.get(link.board)!;
    if (channel === "hello") {
      this.#hello(record, this.#options.hostName, payload, link);
    } else {
      this.#receiveFromMember(record, link, channel, payload);
    }
  }

  disconnected(link: BoardLink): void {
    const { hostName, tellHosts } = this.#options;
    const record = this.#records.get(link.board)!;
    if (record.presences.get(hostName)?.link !== link) return;
    this.#lose(record, hostName);
    tellHosts({ kind: "gone", board: record.name });
  }

  /** All that a host that has just connected should know. */
  tellAll(tell: (frame: HostFrame) => void): void {
    for (const { name, presences } of this.#records.values()) {
      const here = presences.get(this.#options.hostName);
      if (here !== undefined) tell({ kind: "board", board: name, hello: here.hello });
    }
  }

  /** What another host tells of a board. @throws {MalformedPayload | ProtocolRefused} */
  receiveFromHost(host: string, frame: HostFrame & { kind: "board" | "gone" | "telemetry" }): void {
    const record = this.#records.get(frame.board);
    // A board that only the other host's swarm.ts knows.
    if (record === undefined) return;
    if (frame.kind === "board") this.#hello(record, host, frame.hello, undefined);
    else if (frame.kind === "gone") this.#lose(record, host);
    else this.#telemetryElsewhere(record, host, frame.channel, frame.payload);
  }

  /** The connection to another host is gone: nothing is known of its boards. */
  hostLost(host: string): void {
    for (const record of this.#records.values()) this.#lose(record, host);
  }

  /** A board acknowledged entries, to this host or to another. */
  takeAppendResponse(response: AppendResponse): void {
    const record = this.#records.get(nameOf(response.from));
    if (record === undefined || record.memberId !== response.from) return;
    const { matchIndex, appliedIndex } = record;
    record.takeAppendResponse(response, this.#options.now());
    if (record.matchIndex !== matchIndex || record.appliedIndex !== appliedIndex) this.#options.onChange();
  }

  #receiveFromMember(
    record: BoardRecord,
    link: BoardLink,
    channel: "raft" | "update" | TelemetryChannel,
    payload: Uint8Array,
  ): void {
    const presence = record.presences.get(this.#options.hostName);
    // A connection that a newer one has replaced; what it still had to say is late.
    if (presence !== undefined && presence.link !== link) return;
    if (presence === undefined) throw new ProtocolRefused(`${channel} before hello`);
    this.#options.clones.heard(record.name, presence.startId, performance.now());
    if (channel === "raft") {
      this.#raft(presence.memberId, read(messageFromWire, payload));
    } else if (channel === "update") {
      this.#options.onWant(link, read(wantFromWire, payload));
    } else {
      this.#telemetry(record, channel, payload, link);
      this.#options.tellHosts({ kind: "telemetry", board: record.name, channel, payload });
    }
  }

  #telemetryElsewhere(
    record: BoardRecord,
    host: string,
    channel: TelemetryChannel,
    payload: Uint8Array,
  ): void {
    const presence = record.presences.get(host);
    // It has not said that the board is there.
    if (presence === undefined) return;
    this.#options.clones.heard(record.name, presence.startId, performance.now());
    this.#telemetry(record, channel, payload, undefined);
  }

  /** `link` undefined: it was told to another host. */
  #telemetry(
    record: BoardRecord,
    channel: TelemetryChannel,
    payload: Uint8Array,
    link: BoardLink | undefined,
  ): void {
    if (channel === "query") {
      this.#options.onAnswer(record.name, read(answerFromWire, payload));
      return;
    }
    const nowMs = this.#options.now();
    if (channel === "action") {
      this.#options.onActions?.(record.name, read(reportsFromWire, payload));
      return;
    }
    if (channel === "keep") {
      understood(() => this.#options.onKeep?.(record.name, payload));
      return;
    }
    if (channel === "register") {
      this.#options.onRegisters?.(record.name, read(registerReportFromWire, payload));
      return;
    }
    if (channel === "lease") {
      this.#options.onClaim(record.name, read(leasesFromWire, payload));
      return;
    }
    if (channel === "turn") {
      this.#options.onTurn(record.name, read(turnMessageFromWire, payload), link !== undefined);
      return;
    }
    if (channel === "report") {
      const report = read(reportFromWire, payload);
      // What was told to another host is that host's to have kept.
      const onBlock =
        link === undefined ? undefined : (block: PlacedBlock) => this.#options.onBlock?.(record.name, block);
      for (const reading of understood(() => record.takeReport(report, nowMs, onBlock))) {
        this.#options.onReading(reading);
      }
    } else {
      const health = read(healthFromWire, payload);
      const broken = record.takeHealth(health, nowMs);
      if (link !== undefined && record.isTimeToTell(nowMs)) {
        link.send("time", encodeCbor(timeAnswerToWire({ askedMs: health.sentMs, toldMs: nowMs })));
      }
      if (broken !== undefined) this.#options.violations.add(broken);
    }
    this.#options.onChange();
  }

  #hello(record: BoardRecord, host: string, payload: Uint8Array, link: BoardLink | undefined): void {
    const { hostName, log, violations, clones, now, tellHosts, onMember, onChange } = this.#options;
    const hello = read(helloFromWire, payload);
    const { memberId, model, firmware, startId } = hello;
    // Its end is the board's to choose, and stands in sentences and logs.
    if (nameOf(memberId) !== record.name || !incarnation.test(memberId)) {
      throw new ProtocolRefused(`${memberId} is no member id of ${record.name}`);
    }
    if (link !== undefined) clones.greeted(record.name, startId, performance.now());
    if (link !== undefined && model !== record.definition.model) {
      log.warn("board-model", { board: record.name, expected: record.definition.model, found: model });
    }
    const former = record.memberId;
    const kept = payload.slice(0, messageLimits.payloadBytesMax);
    for (const sentence of record.greet(host, { memberId, startId, hello: kept, link }, hello, now())) {
      violations.add(sentence);
    }
    const at = host === hostName ? undefined : host;
    log.info("board-joined", { board: record.name, member: memberId, firmware, at });
    if (former !== undefined && former !== memberId) {
      log.warn("board-lost-memory", { board: record.name, former });
    }
    if (link !== undefined) tellHosts({ kind: "board", board: record.name, hello: kept });
    onMember(memberId);
    onChange();
  }

  #lose(record: BoardRecord, host: string): void {
    const { hostName, log, onMemberLost, onChange } = this.#options;
    const presence = record.presences.get(host);
    if (presence === undefined) return;
    record.presences.delete(host);
    log.info("board-lost", { board: record.name, at: host === hostName ? undefined : host });
    if (record.hostsOf(presence.memberId, hostName).length === 0) onMemberLost(presence.memberId);
    onChange();
  }

  #raft(memberId: MemberId, message: Message): void {
    if (message.from !== memberId) {
      throw new ProtocolRefused(`a message from ${message.from} on the connection of ${memberId}`);
    }
    if (message.type === "append-response") this.takeAppendResponse(message);
    this.#options.onMessage(message);
  }
}

const incarnation = /\.[\w-]+$/;

/** Each codec throws an error of its own kind for what it cannot read; to the broker all of them are garbage. */
function read<T>(fromWire: (value: ReturnType<typeof decodeCbor>) => T, payload: Uint8Array): T {
  return understood(() => fromWire(decodeCbor(payload)));
}

/** @throws {MalformedPayload} for what a board cannot have meant. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new MalformedPayload(error instanceof Error ? error.message : String(error));
  }
}
