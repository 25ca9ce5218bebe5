import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborEncoder, encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { type KeepAnswer, keepAnswerToWire } from "../../protocols/keeping/messages.ts";
import { messageLimits, type Report } from "../../protocols/messages/board-messages.ts";
import { goneToWire, healthToWire, helloToWire, reportToWire } from "../../protocols/messages/codec.ts";
import { type RegisterReport, registerReportToWire } from "../../protocols/paxos/report.ts";
import { answerToWire, queryFromWire } from "../../protocols/query/messages.ts";
import { messageToWire } from "../../protocols/raft/codec.ts";
import type { Message } from "../../protocols/raft/types.ts";
import { type Leases, leasesToWire } from "../../protocols/tasks/lease-messages.ts";
import { type TurnMessage, turnMessageToWire } from "../../protocols/turns/turn-message.ts";
import { type ActionReport, reportsToWire } from "../../protocols/two-phase-commit/report.ts";
import { draw32 } from "../platform/draw.ts";
import type { Clock, Random } from "../platform/ports.ts";
import { firmwareVersion } from "../version.ts";
import { type HealthSources, healthOf } from "./health.ts";
import type { Link } from "./link.ts";
import type { TelemetrySender } from "./telemetry.ts";

/** All that the board says, each message in its encoding and over its link. */
export class Messenger implements TelemetrySender {
  readonly #of: HealthSources;
  readonly #clock: Clock;
  readonly #bootMs: number;
  readonly #encoder = new CborEncoder(messageLimits.payloadBytesMax, 256);
  /** Of this start of the firmware. */
  readonly #startId: number;
  #loopDelayMs = 0;
  /** The broker has been asked whether it has all. */
  #hasAsked = false;

  constructor(of: HealthSources, clock: Clock, random: Random, bootMs: number) {
    this.#of = of;
    this.#clock = clock;
    this.#bootMs = bootMs;
    this.#startId = draw32(random);
  }

  /** A timer was late by this; the most since the last health message is told. */
  noteLoopDelay(delayMs: number): void {
    this.#loopDelayMs = Math.max(this.#loopDelayMs, delayMs);
  }

  /** Must be the first of every connection's session. */
  sendHello(link: Link): void {
    const { store, member, system } = this.#of;
    const { memberId, lastIndex, appliedIndex } = store;
    const { term } = member;
    const { model } = system.config;
    const startId = this.#startId;
    const hello = { memberId, model, firmware: firmwareVersion, term, lastIndex, appliedIndex, startId };
    link.publish("hello", this.#encoder.encode(helloToWire(hello)));
  }

  /** To whoever asked. */
  sendAnswer(message: Message, link: Link): void {
    link.publish("raft", this.#encoder.encode(messageToWire(message)));
  }

  sendReport(report: Report): boolean {
    return this.#of.links.publish("report", this.#encoder.encode(reportToWire(report)));
  }

  /** What the board has to say of actions. */
  sendActions(reports: readonly ActionReport[]): boolean {
    return this.#of.links.publish("action", this.#encoder.encode(reportsToWire(reports)));
  }

  sendClaim(claim: Leases): boolean {
    return this.#of.links.publish("lease", this.#encoder.encode(leasesToWire(claim)));
  }

  /** What a board that votes has to say of its turn to be away. */
  sendTurn(message: TurnMessage): boolean {
    return this.#of.links.publish("turn", this.#encoder.encode(turnMessageToWire(message)));
  }

  /** To whoever asked. */
  sendKept(answer: KeepAnswer, link: Link): void {
    link.publish("keep", this.#encoder.encode(keepAnswerToWire(answer)));
  }

  sendRegister(report: RegisterReport): boolean {
    return this.#of.links.publish("register", this.#encoder.encode(registerReportToWire(report)));
  }

  sendHealth(): boolean {
    const nowMs = this.#clock.nowMs();
    const health = healthOf(this.#of, nowMs, this.#bootMs, this.#loopDelayMs);
    if (!this.#of.links.publish("health", this.#encoder.encode(healthToWire(health)))) return false;
    this.#of.time.asked(nowMs);
    this.#loopDelayMs = 0;
    return true;
  }

  /** To whoever asked. What is no query is dropped. */
  answerQuery(payload: Uint8Array, link: Link): void {
    try {
      const query = queryFromWire(decodeCbor(payload));
      const answer = this.#of.sensing.answer(query, this.#clock.nowMs());
      link.publish("query", this.#encoder.encode(answerToWire(answer)));
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
    }
  }

  /**
   * Whether nothing is left to tell and the broker has it all. It is asked once more when all is sent: its answer comes after what
   * it had to read before, so that the radio may then be switched off.
   */
  isAllTold(): boolean {
    const { telemetry, links } = this.#of;
    const isAllSent = telemetry.isDone;
    if (isAllSent && !this.#hasAsked) links.ping();
    this.#hasAsked = isAllSent;
    return isAllSent && links.isHeard;
  }

  /** Says goodbye to all hosts. */
  leave(): void {
    this.#of.links.leave(encodeCbor(goneToWire(this.#of.store.memberId)));
  }
}
