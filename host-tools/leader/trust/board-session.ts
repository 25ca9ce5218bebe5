/**
 * One connection that says it is a board's, from its first frame to its end.
 *
 * ```
 * connected ---- handshake or refresh ----> up: records both ways ----> ended
 *     |  10 s, five attempts in 10 s            |  32 records that do not open, revoked, replaced
 *     +--------------> ended <------------------+
 * ```
 *
 * To the registry it is the board's link: what it sends there is sealed on the way, and what comes has been opened.
 */
import type { DownChannel, UpChannel } from "../../../protocols/messages/board-messages.ts";
import type { BoardTopics } from "../../../protocols/messages/topics.ts";
import type { Known } from "../../../protocols/security/identity/roster.ts";
import { isAllowed, Permission } from "../../../protocols/security/identity/scope.ts";
import type { RecordFault } from "../../../protocols/security/record/channel.ts";
import type { EndOptions } from "../../../protocols/security/session/end.ts";
import { FrameKind } from "../../../protocols/security/session/frames.ts";
import { SessionResponder } from "../../../protocols/security/session/responder.ts";
import type { SecureSession } from "../../../protocols/security/session/secure-session.ts";
import { MalformedPayload, ProtocolRefused } from "../broker/broker-refusals.ts";
import type { BoardConnection, BoardLink } from "../broker/broker-types.ts";
import type { SessionCounters } from "./session-counters.ts";

export const boardSessionLimits = {
  /** From CONNECT to a session that is up. */
  upMs: 10_000,
  /** Handshakes and refreshes that one connection may begin within `attemptsMs`. */
  attemptsMax: 5,
  attemptsMs: 10_000,
  /** Records of one connection that do not open, and frames that change nothing. */
  uselessMax: 32,
  /** Records that are still sealed for a board that should refresh its session. */
  wornRecordsMax: 4_096,
} as const;

/** What is taken from a board within its session. */
export type SealedChannel = Exclude<UpChannel, "edhoc" | "gone">;

export interface BoardSessionEvents {
  /** The last session of this board, on whichever connection it was. */
  latest(): SecureSession | undefined;
  /** The session is up, or goes on under new keys. */
  onUp(session: BoardSession): void;
  onMessage(session: BoardSession, channel: SealedChannel, payload: Uint8Array): void;
  /** It did not prove to be the board, or does what it may not. */
  onRefused(session: BoardSession, what: string): void;
  /** What was up is not any more, or says so; may be told again. */
  onGone(session: BoardSession): void;
}

export class BoardSession implements BoardLink {
  readonly board: string;
  readonly connection: BoardConnection;
  readonly #topics: BoardTopics;
  readonly #end: EndOptions;
  readonly #counters: SessionCounters;
  readonly #events: BoardSessionEvents;
  readonly #timer: NodeJS.Timeout;
  /** When the last attempts began, oldest first. */
  readonly #attemptsMs: number[] = [];
  #responder: SessionResponder;
  #useless = 0;
  /** Sealed since the board should have refreshed. */
  #wornRecords = 0;
  #isEnded = false;

  constructor(
    connection: BoardConnection,
    topics: BoardTopics,
    end: EndOptions,
    counters: SessionCounters,
    events: BoardSessionEvents,
  ) {
    this.board = connection.board;
    this.connection = connection;
    this.#topics = topics;
    this.#end = end;
    this.#counters = counters;
    this.#events = events;
    this.#responder = new SessionResponder(end);
    this.#timer = setTimeout(() => this.#isLate(), boardSessionLimits.upMs);
  }

  /** Who has proved to be at the other end; undefined until then. */
  get peer(): Known | undefined {
    return this.#responder.isUp ? this.#responder.session?.peer : undefined;
  }

  /** With keys that are in use. */
  get session(): SecureSession | undefined {
    return this.#responder.isUp ? this.#responder.session : undefined;
  }

  /** Sealed for the board. */
  send(channel: DownChannel, payload: Uint8Array): boolean {
    if (this.#isEnded) return false;
    const record = this.#responder.seal(this.#topics.down + channel, channel, payload);
    if (record === undefined) return false;
    const isSent = this.connection.send(channel, record);
    if (this.session!.isWorn && ++this.#wornRecords > boardSessionLimits.wornRecordsMax) {
      this.close(new ProtocolRefused("its session is worn, and it does not refresh it"));
    }
    return isSent;
  }

  close(reason: Error): void {
    this.ended();
    this.connection.close(reason);
  }

  /**
   * What came on its topics; `gone` in the clear, because it says no more than that a connection is at its end, which whoever carries it could bring about.
   * @throws {MalformedPayload | ProtocolRefused} and the connection is to be closed.
   */
  receive(channel: UpChannel, payload: Uint8Array): void {
    if (this.#isEnded) return;
    if (channel === "edhoc") this.#takeFrame(new Uint8Array(payload));
    else if (channel === "gone") this.#gone();
    else this.#takeRecord(channel, payload);
  }

  /** The connection is at its end; nothing that still comes on it counts. */
  ended(): void {
    if (this.#isEnded) return;
    clearTimeout(this.#timer);
    this.#isEnded = true;
    this.#gone();
  }

  #takeFrame(frame: Uint8Array): void {
    const kind = frame[0];
    if (kind === FrameKind.message1 || kind === FrameKind.refresh) this.#attempt();
    // On another connection it may have come further: a refresh counts from there, or keys would be used twice.
    if (kind === FrameKind.refresh && this.#responder.session !== this.#events.latest()) {
      this.#responder = new SessionResponder(this.#end, this.#events.latest());
    }
    const { send, isUp, isIgnored, failure } = this.#responder.take(frame);
    if (failure !== undefined) this.#fail(failure, send);
    else if (send !== undefined) this.connection.send("edhoc", send);
    if (isIgnored === true) this.#countUseless("a frame that nobody asked for");
    if (isUp !== true) return;
    clearTimeout(this.#timer);
    this.#wornRecords = 0;
    if (kind === FrameKind.refresh) this.#counters.refreshes++;
    else this.#counters.handshakes++;
    this.#events.onUp(this);
  }

  #attempt(): void {
    const { attemptsMax, attemptsMs } = boardSessionLimits;
    const nowMs = performance.now();
    if (this.#attemptsMs.length >= attemptsMax && nowMs - this.#attemptsMs.shift()! < attemptsMs) {
      this.#fail(`more than ${attemptsMax} handshakes in ${attemptsMs / 1_000} s`, undefined);
    }
    this.#attemptsMs.push(nowMs);
  }

  /** Ends the connection, its last words first. @throws {ProtocolRefused} where there are none. */
  #fail(reason: string, lastWords: Uint8Array | undefined): void {
    this.#counters.handshakesFailed++;
    this.#events.onRefused(this, "handshake");
    const error = new ProtocolRefused(`its handshake failed: ${reason}`);
    if (lastWords === undefined) throw error;
    this.ended();
    this.connection.closeAfter("edhoc", lastWords, error);
  }

  #takeRecord(channel: SealedChannel, record: Uint8Array): void {
    const opened = this.#responder.open(this.#topics.up + channel, channel, record);
    if (opened === undefined) throw new ProtocolRefused(`${channel} before a session is up`);
    if ("fault" in opened) {
      this.#refuseRecord(opened.fault);
    } else if (channel !== "hello" && !this.#mayTell) {
      this.#counters.beyondScope++;
      this.#events.onRefused(this, `${channel} beyond its scope`);
    } else {
      this.#events.onMessage(this, channel, opened.payload);
    }
  }

  /** Nobody who could seal it sent it: the board goes on, unless it never ends. */
  #refuseRecord(fault: RecordFault): void {
    this.#counters[faultCounters[fault]]++;
    this.#countUseless(`a ${fault} record`);
  }

  #countUseless(last: string): void {
    if (++this.#useless <= boardSessionLimits.uselessMax) return;
    throw new MalformedPayload(`${this.#useless} messages of no use, the last one ${last}`);
  }

  /** What a board says of itself it may write under its own name. */
  get #mayTell(): boolean {
    const scope = this.peer?.identity.scope ?? [];
    return isAllowed(scope, this.board, Permission.write);
  }

  #isLate(): void {
    this.#counters.unproven++;
    this.close(new ProtocolRefused(`no session within ${boardSessionLimits.upMs / 1_000} s`));
  }

  #gone(): void {
    if (this.#responder.isUp) this.#events.onGone(this);
  }
}

const faultCounters = {
  malformed: "recordsMalformed",
  replayed: "recordsReplayed",
  forged: "recordsForged",
} as const satisfies Record<RecordFault, keyof SessionCounters>;
