/**
 * A board: everything that it does, made of the parts around this file, on whatever ports it is given.
 *
 * It starts by recovering what it knew, and runs the program of the committed state at once, leader or not. Then it brings
 * up its link, says hello, and follows: each append request is made durable, what it commits is applied, and only
 * then is it answered. Whatever comes in (the network, a socket, the clock) is one turn: it is handled to its end, and the next
 * deadline is set. An error that nobody expected ends the board with a restart; its flash holds all that it promised.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborEncoder, encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { messageLimits, type Report } from "../../protocols/messages/board-messages.ts";
import { goneToWire, healthToWire, helloToWire, reportToWire } from "../../protocols/messages/codec.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { programFromWire } from "../../protocols/pipeline/program-codec.ts";
import { messageToWire } from "../../protocols/raft/codec.ts";
import type { Message } from "../../protocols/raft/types.ts";
import { programKeyPrefix, type StateValue } from "../../protocols/state/command.ts";
import { type Ports, type TcpEvents, type Timer, watchdogMs } from "../platform/ports.ts";
import { ReadingQueue } from "../sensing/reading-queue.ts";
import { Sensing, type SensingParts } from "../sensing/sensing.ts";
import { BoardStore } from "../storage/board-store.ts";
import { Checkpoints } from "../storage/checkpoints.ts";
import { FlashDamaged } from "../storage/flash-damaged.ts";
import { firmwareVersion } from "../version.ts";
import { BoardLog } from "./board-log.ts";
import { Life, type LifeState } from "./life.ts";
import { Link, type LinkEvents, type LinkState } from "./link.ts";
import { Member, type MemberEvents } from "./member.ts";
import { SessionTime } from "./session-time.ts";
import { Telemetry, type TelemetrySender } from "./telemetry.ts";

export const boardLimits = Object.freeze({
  /** Readings that wait for a report while there is no link: 4.6 KB of heap. */
  readingsMax: 8 * messageLimits.readingsMax,
});

export class Board implements TcpEvents, LinkEvents, MemberEvents, TelemetrySender {
  readonly #ports: Ports;
  readonly #log: BoardLog;
  readonly #store: BoardStore;
  readonly #member: Member;
  readonly #queue = new ReadingQueue(boardLimits.readingsMax);
  readonly #sensing: Sensing;
  readonly #time: SessionTime;
  readonly #link: Link;
  readonly #telemetry: Telemetry;
  readonly #encoder = new CborEncoder(messageLimits.payloadBytesMax, 256);
  readonly #checkpoints: Checkpoints;
  readonly #life: Life;
  readonly #programKey: string;
  readonly #bootMs: number;
  /** The program began with the settings as they were once this entry was applied. */
  #programIndex = 0;
  /** One closure for every timer that is ever set. */
  readonly #onTimer = () => this.#onTime();
  #timer: Timer | undefined;
  #timerMs = Infinity;
  #outputChanges = 0;
  #isHalted = false;
  /** By how much the latest timer was, at most, since the last health message. */
  #loopDelayMs = 0;

  /** Recovers the board's state from its flash. Nothing moves before `start`. */
  constructor(ports: Ports) {
    const { config } = ports.system;
    this.#ports = ports;
    this.#log = new BoardLog(ports.system);
    this.#bootMs = ports.clock.nowMs();
    this.#programKey = programKeyPrefix + config.board;
    this.#store = new BoardStore(ports.flash, { swarm: config.swarm, board: config.board }, ports.random);
    this.#member = new Member(this.#store, ports.clock, this.#log, this);
    this.#time = new SessionTime(this.#log);
    this.#sensing = new Sensing(this.#sensingParts());
    this.#checkpoints = new Checkpoints(this.#store, this.#sensing, this.#bootMs);
    this.#life = new Life(this.#store, this.#log, ports.system.startReason, this.#bootMs);
    this.#telemetry = new Telemetry(this.#queue, this);
    this.#link = new Link(
      {
        clock: ports.clock,
        random: ports.random,
        network: ports.network,
        config,
        log: this.#log,
        tcpEvents: this,
        gone: encodeCbor(goneToWire(this.#store.memberId)),
      },
      this,
    );
  }

  get memberId(): string {
    return this.#store.memberId;
  }

  get linkState(): LinkState {
    return this.#link.state;
  }

  get lifeState(): LifeState {
    return this.#life.state;
  }

  /** Runs the committed program where the last checkpoint left it, then brings up the network. */
  start(): void {
    this.#logRecovery();
    try {
      this.#loadProgram(this.#store.get(this.#programKey));
      const restored = this.#checkpoints.restore(this.#bootMs);
      if (restored > 0) this.#log.write("info", "checkpoint-restored", "parts", restored);
      this.#ports.network.start((up) => this.#onNetworkChange(up));
    } catch (error) {
      this.#crash(error);
    }
    this.#endTurn();
  }

  // Ways in: the clock, the network, the socket. Each is one turn.

  #onTime(): void {
    this.#loopDelayMs = Math.max(this.#loopDelayMs, this.#ports.clock.nowMs() - this.#timerMs);
    this.#timer = undefined;
    this.#timerMs = Infinity;
    this.#endTurn();
  }

  #onNetworkChange(up: boolean): void {
    if (this.#isHalted) return;
    try {
      this.#link.onNetworkChange(up);
    } catch (error) {
      this.#crash(error);
    }
    this.#endTurn();
  }

  onOpen(): void {
    if (this.#isHalted) return;
    try {
      this.#link.onOpen();
    } catch (error) {
      this.#crash(error);
    }
    this.#endTurn();
  }

  onData(bytes: Uint8Array): void {
    if (this.#isHalted) return;
    try {
      this.#link.onData(bytes);
    } catch (error) {
      this.#crash(error);
    }
    this.#endTurn();
  }

  onClose(reason: string): void {
    if (this.#isHalted) return;
    try {
      this.#link.onClose(reason);
    } catch (error) {
      this.#crash(error);
    }
    this.#endTurn();
  }

  /** Does what is due, then sets the timer for what is due next. */
  #endTurn(): void {
    if (this.#isHalted) return;
    try {
      this.#member.run();
      const nowMs = this.#ports.clock.nowMs();
      if (this.#time.run()) this.#sensing.onTime(nowMs);
      if (nowMs >= this.#sensing.dueMs) this.#sensing.run(nowMs);
      if (nowMs >= this.#link.dueMs) this.#link.run(nowMs);
      if (this.#link.state !== "joined") this.#telemetry.leave();
      this.#life.onLink(this.#link.state);
      this.#noteOutputs();
      this.#telemetry.run(nowMs);
      this.#checkpoints.run(nowMs);
      this.#store.tidy();
      if (this.#life.run(nowMs)) this.restart("safe mode has been quiet");
      else this.#setTimer(nowMs);
      this.#ports.system.feedWatchdog?.(watchdogMs);
    } catch (error) {
      this.#crash(error);
    }
  }

  /** An earlier timer is left alone: it finds nothing to do and sets the right one. */
  #setTimer(nowMs: number): void {
    const ownMs = Math.min(this.#checkpoints.dueMs, this.#life.dueMs, nowMs + turnEveryMs);
    const dueMs = Math.min(this.#sensing.dueMs, this.#link.dueMs, this.#telemetry.dueMs, ownMs);
    if (dueMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = dueMs;
    this.#timer = this.#ports.clock.setTimer(Math.max(0, dueMs - nowMs), this.#onTimer);
  }

  /** An orderly end: nothing is lost that a checkpoint can keep. */
  restart(reason: string): void {
    if (this.#isHalted) return;
    this.#isHalted = true;
    this.#timer?.cancel();
    this.#checkpoints.save(this.#ports.clock.nowMs());
    this.#life.halt(false);
    this.#log.write("info", "restart", "reason", reason);
    this.#ports.system.restart(reason);
  }

  #crash(error: unknown): void {
    if (this.#isHalted) return;
    this.#isHalted = true;
    this.#timer?.cancel();
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : `${error}`;
    this.#log.write("error", "crashed", "reason", reason);
    this.#noteCrash(error);
    this.#ports.system.restart(reason);
  }

  /** What the next start must know of this one; flash that does not take even that has told all it can. */
  #noteCrash(error: unknown): void {
    try {
      if (error instanceof FlashDamaged) this.#store.condemn(error.message);
      else this.#life.halt(true);
    } catch {
      this.#log.write("error", "crash-not-noted");
    }
  }

  // The link.

  /** For the link: the first message on every connection says who this is. */
  onJoined(): void {
    const { config } = this.#ports.system;
    const { memberId, lastIndex, appliedIndex } = this.#store;
    const { term } = this.#member;
    const { model } = config;
    const hello = { memberId, model, firmware: firmwareVersion, term, lastIndex, appliedIndex };
    this.#link.publish("hello", this.#encoder.encode(helloToWire(hello)));
    this.#log.write("info", "joined", "member", memberId, "term", term, "applied", appliedIndex);
    this.#telemetry.join(this.#ports.clock.nowMs());
  }

  /** For the link. Channels that this firmware does not know are for a newer one. */
  onPayload(channel: string, payload: Uint8Array): void {
    if (channel === "raft") this.#member.take(payload);
    else if (channel === "time") this.#time.take(payload, this.#ports.clock.nowMs());
  }

  // The member.

  /** For the member. */
  onAnswer(message: Message): void {
    const { lastIndex, appliedIndex } = this.#store;
    const isInStep =
      message.type === "append-response" && message.success && message.matchIndex === lastIndex;
    if (isInStep && appliedIndex === this.#member.commitIndex) this.#life.onCaughtUp();
    this.#link.publish("raft", this.#encoder.encode(messageToWire(message)));
  }

  /** For the member. */
  onApplied(): void {
    this.#telemetry.tellNews();
  }

  /** For the member. */
  onGarbage(what: string): void {
    this.#link.dropForGarbage(what);
  }

  /** For the member: a committed entry has changed the state. */
  onStateChange(key: string, value: StateValue | undefined): void {
    if (key === this.#programKey) {
      this.#life.onNewProgram();
      this.#loadProgram(value);
    } else if (this.#programIndex < this.#store.appliedIndex) {
      this.#sensing.onSetting(key, value, this.#ports.clock.nowMs());
    }
    // Else the entries were committed together, and the program began with what this one and those after it say.
  }

  // Sensing.

  #sensingParts(): SensingParts {
    const { sensors, actuators } = this.#ports;
    return {
      sensors,
      actuators,
      settings: this.#store,
      queue: this.#queue,
      wallMs: (nowMs) => this.#time.wallMs(nowMs),
      onOutputRefused: (output, reason) =>
        this.#log.write("error", "output-refused", "output", output, "reason", reason),
    };
  }

  /** What runs follows from the committed state alone: a program that this firmware cannot read is no program. */
  #loadProgram(value: StateValue | undefined): void {
    this.#programIndex = this.#store.appliedIndex;
    let program: Program = noProgram;
    try {
      if (value instanceof Uint8Array) program = programFromWire(decodeCbor(value));
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      this.#log.write("error", "program-refused", "reason", error.message);
    }
    if (this.#life.isSafe) program = safeModeOf(program);
    this.#sensing.load(program, this.#ports.clock.nowMs());
    const { pipelines, outputs, rules, schedules = [] } = program;
    this.#log.write(
      "info",
      "program",
      "pipelines",
      pipelines.length,
      "outputs",
      outputs.length,
      "rules",
      rules.length,
      "schedules",
      schedules.length,
    );
  }

  #noteOutputs(): void {
    if (this.#outputChanges === this.#sensing.outputChanges) return;
    this.#outputChanges = this.#sensing.outputChanges;
    this.#telemetry.tellNews();
  }

  // Telemetry.

  /** For the telemetry. */
  sendReport(report: Report): boolean {
    return this.#link.publish("report", this.#encoder.encode(reportToWire(report)));
  }

  /** For the telemetry. */
  sendHealth(): boolean {
    const nowMs = this.#ports.clock.nowMs();
    const { heapUsedBytes, heapPeakBytes, arenaBytes, stackPeakSlots } = this.#ports.system.memory();
    const wallMs = this.#time.wallMs(nowMs);
    const isTimeKnown = !Number.isNaN(wallMs);
    const health = {
      sentMs: nowMs,
      uptimeMs: nowMs - this.#bootMs,
      term: this.#member.term,
      lastIndex: this.#store.lastIndex,
      commitIndex: this.#member.commitIndex,
      appliedIndex: this.#store.appliedIndex,
      heapUsedBytes,
      heapPeakBytes,
      arenaBytes,
      samplesIn: this.#sensing.samplesIn,
      reportsOut: this.#telemetry.reportsOut,
      readingsDropped: this.#queue.dropped,
      reconnects: this.#link.reconnects,
      outputs: this.#sensing.outputs(),
      wallMs: isTimeKnown ? wallMs : undefined,
      timeBoundMs: isTimeKnown ? this.#time.boundMs(nowMs) : undefined,
      device: {
        isSafe: this.#life.isSafe,
        crashes: this.#store.crashes,
        loopDelayMs: this.#loopDelayMs,
        sectorErases: this.#store.erases,
        sectors: this.#store.sectors,
        checkpointsRefused: this.#checkpoints.refused,
        stackPeakSlots: stackPeakSlots ?? 0,
      },
    };
    const isSent = this.#link.publish("health", this.#encoder.encode(healthToWire(health)));
    if (isSent) {
      this.#time.asked(nowMs);
      this.#loopDelayMs = 0;
    }
    return isSent;
  }

  #logRecovery(): void {
    const { recovery, memberId, size, appliedIndex } = this.#store;
    const log = this.#log;
    switch (recovery.kind) {
      case "recovered":
        log.write("info", "recovered", "member", memberId, "applied", appliedIndex, "keys", size);
        break;
      case "formatted":
        log.write("info", "formatted", "member", memberId);
        break;
      case "foreign":
        log.write("warn", "flash-of-another-board", "owner", recovery.owner, "member", memberId);
        break;
      case "damaged":
        log.write("error", "flash-damaged", "what", recovery.what, "member", memberId);
    }
  }
}

/** A turn comes at least so often, so that whatever watches over the board is told that it lives. */
const turnEveryMs = watchdogMs / 10;

/** What is left of a program in safe mode: its outputs, at their safe values. */
function safeModeOf({ outputs }: Program): Program {
  return { pipelines: [], outputs: outputs.map((output) => ({ ...output, setting: undefined })), rules: [] };
}

const noProgram: Program = Object.freeze({
  pipelines: Object.freeze([]),
  outputs: Object.freeze([]),
  rules: Object.freeze([]),
});
