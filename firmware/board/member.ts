import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import {
  MalformedMessage,
  messageFromWire,
  publicationFromWire,
  UnknownMessage,
} from "../../protocols/raft/codec.ts";
import { Follower } from "../../protocols/raft/follower.ts";
import {
  limits,
  type MemberId,
  type Message,
  type Publication,
  type RaftOutput,
} from "../../protocols/raft/types.ts";
import type { Ports } from "../platform/ports.ts";
import { type BoardStore, type StateListener, storeLimits } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";
import { HeldRefusal } from "./held-refusal.ts";
import type { Link } from "./link.ts";

export interface MemberEvents extends StateListener {
  /** Whether who speaks over this link may speak for `from`. */
  mayCarry(link: Link, from: MemberId): boolean;
  /** What it answers is durable already. It goes where it was asked. */
  onAnswer(message: Message, link: Link): void;
  /** The leader spoke, over this link. */
  onLeader(link: Link): void;
  /** At least one entry was applied; the changes that it made were told before. */
  onApplied(): void;
  /** A snapshot has become the state: anything may be different now. */
  onStateReplaced(): void;
}

/**
 * The board as a member of its Raft group: the follower's core and the flash, driven in the order that
 * `protocols/raft/types.ts` asks for: durable first, then applied, then answered.
 */
export class Member {
  readonly #store: BoardStore;
  readonly #ports: Pick<Ports, "clock" | "random" | "ciphers">;
  readonly #follower: Follower;
  readonly #log: BoardLog;
  readonly #events: MemberEvents;
  readonly #refusal: HeldRefusal;
  #isVoter: boolean;
  /** What the leader last said to be committed; -1 for nothing since the board booted. */
  #leaderCommit = -1;
  /** Where the log was when it last had no room. */
  #fullIndex = -1;

  constructor(
    store: BoardStore,
    ports: Pick<Ports, "clock" | "random" | "ciphers">,
    log: BoardLog,
    events: MemberEvents,
  ) {
    const { memberId, hardState, appliedIndex } = store;
    this.#store = store;
    this.#ports = ports;
    this.#follower = new Follower({
      id: memberId,
      hardState,
      log: store,
      sha256: (bytes) => ports.ciphers.sha256(bytes),
      commitIndex: appliedIndex,
      // Who was in a group may have heard its leader just before the restart.
      leaderHeardMs: hardState.term > 0 ? ports.clock.nowMs() : -Infinity,
      leaderSilenceMs: limits.leaderSilenceMs,
    });
    this.#log = log;
    this.#events = events;
    this.#refusal = new HeldRefusal(ports.random);
    this.#isVoter = store.isVoter;
  }

  get term(): number {
    return this.#follower.term;
  }

  get commitIndex(): number {
    return this.#follower.commitIndex;
  }

  /** Whether the latest configuration in its log counts the board among the voters, from the moment that it is in the log. */
  get isVoter(): boolean {
    return this.#isVoter;
  }

  /** When `run` has something to do though nothing has arrived; Infinity for never. */
  get dueMs(): number {
    return this.#refusal.dueMs;
  }

  /** Whether all is applied that the leader, since this boot, has said to be committed. */
  get isCurrent(): boolean {
    return this.#leaderCommit >= 0 && this.#store.appliedIndex >= this.#leaderCommit;
  }

  /** Whether this answer says that the log agrees with the leader's to its end, and all of it that is committed is applied. */
  isInStep(answer: Message): boolean {
    const { lastIndex, appliedIndex } = this.#store;
    const agrees = answer.type === "append-response" && answer.success && answer.matchIndex === lastIndex;
    return agrees && appliedIndex === this.commitIndex;
  }

  /** Takes a message that came over `link`. */
  take(payload: Uint8Array, link: Link): void {
    const message = decode(payload, link, messageFromWire);
    if (message === undefined || message.term > storeLimits.termMax) return;
    if (message.to !== this.#store.memberId) return;
    if (this.#events.mayCarry(link, message.from)) this.onMessage(message, link);
    else link.refuse();
  }

  /** The same with what was published to all members. */
  takePublication(payload: Uint8Array, link: Link): void {
    const publication = decode(payload, link, publicationFromWire);
    if (publication !== undefined && publication.term <= storeLimits.termMax) this.onPublication(publication);
  }

  run(nowMs: number): void {
    this.#refusal.run(nowMs, this.#events);
  }

  private onMessage(message: Message, link: Link): void {
    if (!this.makeRoom(message)) return;
    const output = this.#follower.step(message, this.#ports.clock.nowMs());
    this.perform(output);
    if (message.from === this.#follower.leaderId && message.term === this.#follower.term) {
      if (message.type === "append-request") this.#leaderCommit = message.commitIndex;
      this.#events.onLeader(link);
    }
    for (let i = 0; i < output.messages.length; i++) this.answerTo(message, output.messages[i]!, link);
  }

  /** It answers nothing; the leader's next request finds out what came of it. A voter has its entries sent to itself. */
  private onPublication(publication: Publication): void {
    if (this.#isVoter || !this.makeRoom(publication)) return;
    const output = this.#follower.takePublication(publication);
    this.perform(output);
    if (output.entries.length > 0) this.#refusal.onGrowth(this.#store);
  }

  private perform(output: RaftOutput): void {
    const isInstalled = this.#store.write(output);
    if (output.entries.length > 0 || output.truncateFrom > 0 || output.snapshot !== undefined) {
      this.#isVoter = this.#store.isVoter;
    }
    if (isInstalled) {
      this.#log.write("info", "snapshot-installed", "index", this.#store.appliedIndex);
      this.#events.onStateReplaced();
    }
    if (output.commitIndex > this.#store.appliedIndex) {
      this.#store.commit(output.commitIndex, this.#events);
      this.#follower.setApplied(this.#store.appliedIndex);
      this.#events.onApplied();
    }
    if (output.violation !== undefined) this.#log.write("error", "raft-violation", "what", output.violation);
  }

  private answerTo(question: Message, answer: Message, link: Link): void {
    if (question.type !== "append-request" || answer.type !== "append-response") {
      this.#events.onAnswer(answer, link);
      return;
    }
    if (!answer.success && answer.term === question.term && !this.#isVoter) {
      this.#refusal.hold(question, answer, link, this.#ports.clock.nowMs());
      return;
    }
    this.#refusal.drop();
    this.#events.onAnswer(answer, link);
  }

  /** What the flash has no room for is dropped, as if it had been lost on the way; the leader repeats it. */
  private makeRoom(message: Message | Publication): boolean {
    const hasRoom = this.#store.makeRoom(message);
    // Said once for each index at which the log is stuck, however often the leader repeats the request.
    if (!hasRoom && this.#fullIndex !== this.#store.lastIndex) {
      this.#fullIndex = this.#store.lastIndex;
      this.#log.write("error", "log-full", "last", this.#fullIndex);
    }
    return hasRoom;
  }
}

/** undefined for what a newer leader says beyond this firmware, and for garbage, which ends the connection. */
function decode<Kind>(
  payload: Uint8Array,
  link: Link,
  fromWire: (value: CborValue) => Kind,
): Kind | undefined {
  try {
    return fromWire(decodeCbor(payload));
  } catch (error) {
    if (error instanceof UnknownMessage) return undefined;
    if (!(error instanceof CborError || error instanceof MalformedMessage)) throw error;
    link.dropForGarbage(error.message);
    return undefined;
  }
}
