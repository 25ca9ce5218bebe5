import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { MalformedMessage, messageFromWire, UnknownMessage } from "../../protocols/raft/codec.ts";
import { Follower } from "../../protocols/raft/follower.ts";
import { limits, type Message } from "../../protocols/raft/types.ts";
import type { Clock } from "../platform/ports.ts";
import { type BoardStore, type StateListener, storeLimits } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";

/** Raft messages that wait for the end of a turn: as many as one piece of the stream can hold, and more. */
export const inboxMax = 16;

export interface MemberEvents extends StateListener {
  /** What it answers is durable already. */
  onAnswer(message: Message): void;
  /** At least one entry was applied; the changes that it made were told before. */
  onApplied(): void;
  /** A payload is no Raft message. */
  onGarbage(what: string): void;
}

/**
 * The board as a member of its Raft group: the follower's core and the flash, driven in the order that
 * `protocols/raft/types.ts` asks for: durable first, then applied, then answered.
 */
export class Member {
  readonly #store: BoardStore;
  readonly #clock: Clock;
  readonly #follower: Follower;
  readonly #log: BoardLog;
  readonly #events: MemberEvents;
  readonly #inbox: Uint8Array[] = [];
  /** Where the log was when it last had no room. */
  #fullIndex = -1;

  constructor(store: BoardStore, clock: Clock, log: BoardLog, events: MemberEvents) {
    const { memberId, hardState, appliedIndex } = store;
    this.#store = store;
    this.#clock = clock;
    this.#follower = new Follower({
      id: memberId,
      hardState,
      log: store,
      commitIndex: appliedIndex,
      // Who was in a group may have heard its leader just before the restart.
      leaderHeardMs: hardState.term > 0 ? clock.nowMs() : -Infinity,
      leaderSilenceMs: limits.leaderSilenceMs,
    });
    this.#log = log;
    this.#events = events;
  }

  get term(): number {
    return this.#follower.term;
  }

  get commitIndex(): number {
    return this.#follower.commitIndex;
  }

  /**
   * Takes a payload, to be read in `run`: off the deep stack of the socket, which a board has little of. Beyond `inboxMax` it
   * is lost, as it could be on the way; the leader repeats it.
   */
  take(payload: Uint8Array): void {
    if (this.#inbox.length < inboxMax) this.#inbox.push(payload.slice());
  }

  run(): void {
    while (this.#inbox.length > 0) {
      const message = this.#decode(this.#inbox.shift()!);
      if (message?.to === this.#store.memberId) this.#follow(message);
    }
  }

  /** undefined for what a newer leader says beyond this firmware, and for garbage, which ends the connection. */
  #decode(payload: Uint8Array): Message | undefined {
    try {
      return messageFromWire(decodeCbor(payload));
    } catch (error) {
      if (error instanceof UnknownMessage) return undefined;
      if (!(error instanceof CborError || error instanceof MalformedMessage)) throw error;
      this.#inbox.length = 0;
      this.#events.onGarbage(error.message);
      return undefined;
    }
  }

  #follow(message: Message): void {
    if (message.term > storeLimits.termMax || !this.#makeRoom(message)) return;
    const output = this.#follower.step(message, this.#clock.nowMs());
    this.#store.write(output);
    if (output.commitIndex > this.#store.appliedIndex) {
      this.#store.commit(output.commitIndex, this.#events);
      this.#follower.setApplied(this.#store.appliedIndex);
      this.#events.onApplied();
    }
    for (const answer of output.messages) this.#events.onAnswer(answer);
    if (output.violation !== undefined) this.#log.write("error", "raft-violation", "what", output.violation);
  }

  /** A request that the flash has no room for is dropped, as if it had been lost on the way; the leader repeats it. */
  #makeRoom(message: Message): boolean {
    const hasRoom = this.#store.makeRoom(message.type === "append-request" ? message : undefined);
    // Said once for each index at which the log is stuck, however often the leader repeats the request.
    if (!hasRoom && this.#fullIndex !== this.#store.lastIndex) {
      this.#fullIndex = this.#store.lastIndex;
      this.#log.write("error", "log-full", "last", this.#fullIndex);
    }
    return hasRoom;
  }
}
