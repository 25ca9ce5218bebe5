/**
 * The boards of the swarm and what arrives from them: hello, Raft, reports, health.
 *
 * A connection is nobody until its hello; from then on the Raft messages on it must come from the member that said hello. A
 * board that returns under a new member id has lost its memory and replaces its former self (design, point 10).
 */
import type { UpChannel } from "../../protocols/messages/board-messages.ts";
import {
  healthFromWire,
  helloFromWire,
  reportFromWire,
  timeAnswerToWire,
} from "../../protocols/messages/codec.ts";
import { messageFromWire, messageToWire } from "../../protocols/raft/codec.ts";
import type { MemberId, Message } from "../../protocols/raft/types.ts";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import type { BoardStatus } from "./api-types.ts";
import { BoardRecord } from "./board-record.ts";
import { type BoardLink, MalformedPayload, ProtocolRefused } from "./broker.ts";
import type { Log } from "./log.ts";
import type { NewReading } from "./telemetry.ts";
import type { Violations } from "./violations.ts";

export interface RegistryOptions {
  readonly definition: SwarmDefinition;
  readonly log: Log;
  readonly violations: Violations;
  /** Unix milliseconds. */
  readonly now: () => number;
  onReading(reading: NewReading): void;
  /** A member said hello: on a first or on a new connection. */
  onMember(id: MemberId): void;
  onMemberLost(id: MemberId): void;
  onMessage(message: Message): void;
  /** Something that the status shows has changed. */
  onChange(): void;
}

export class BoardRegistry {
  readonly #options: RegistryOptions;
  readonly #records = new Map<string, BoardRecord>();
  readonly #memberOf = new Map<BoardLink, MemberId>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    for (const [name, board] of Object.entries(options.definition.boards)) {
      this.#records.set(name, new BoardRecord(name, board));
    }
  }

  status(isVoter: (id: MemberId) => boolean): BoardStatus[] {
    return [...this.#records.values()].map((record) => record.status(isVoter));
  }

  /** Sends to the board that the message is for; dropped while it is not connected, which Raft expects. */
  send(message: Message): void {
    const record = this.#records.get(boardOf(message.to));
    if (record?.memberId !== message.to) return;
    record.link?.send("raft", encodeCbor(messageToWire(message)));
  }

  /** @throws {MalformedPayload | ProtocolRefused} and the connection is to be closed. */
  receive(link: BoardLink, channel: UpChannel, payload: Uint8Array): void {
    const record = this.#records.get(link.board)!;
    if (channel === "gone") this.disconnected(link);
    else if (channel === "hello") this.#hello(record, link, read(helloFromWire, payload));
    else this.#receiveFromMember(record, link, channel, payload);
  }

  disconnected(link: BoardLink): void {
    const memberId = this.#memberOf.get(link);
    this.#memberOf.delete(link);
    const record = this.#records.get(link.board)!;
    if (memberId === undefined || record.link !== link) return;
    record.link = undefined;
    this.#options.log.info("board-lost", { board: record.name });
    this.#options.onMemberLost(memberId);
    this.#options.onChange();
  }

  #receiveFromMember(
    record: BoardRecord,
    link: BoardLink,
    channel: "raft" | "report" | "health",
    payload: Uint8Array,
  ): void {
    const memberId = this.#memberOf.get(link);
    if (memberId === undefined) throw new ProtocolRefused(`${channel} before hello`);
    // A connection that a newer one has replaced; what it still had to say is late.
    if (record.link !== link) return;
    switch (channel) {
      case "raft":
        this.#raft(record, memberId, read(messageFromWire, payload));
        break;
      case "report":
        for (const reading of record.takeReport(read(reportFromWire, payload), this.#options.now())) {
          this.#options.onReading(reading);
        }
        this.#options.onChange();
        break;
      case "health": {
        const health = read(healthFromWire, payload);
        const toldMs = this.#options.now();
        const broken = record.takeHealth(health, toldMs);
        if (record.isTimeToTell(toldMs)) {
          link.send("time", encodeCbor(timeAnswerToWire({ askedMs: health.sentMs, toldMs })));
        }
        if (broken !== undefined) this.#options.violations.add(broken);
        this.#options.onChange();
      }
    }
  }

  #hello(record: BoardRecord, link: BoardLink, hello: ReturnType<typeof helloFromWire>): void {
    const { memberId, model, firmware } = hello;
    if (boardOf(memberId) !== record.name) {
      throw new ProtocolRefused(`${memberId} is no member id of ${record.name}`);
    }
    if (model !== record.definition.model) {
      const facts = { board: record.name, expected: record.definition.model, found: model };
      this.#options.log.warn("board-model", facts);
    }
    const former = record.memberId;
    const forgotten = record.greet(link, hello, this.#options.now());
    for (const sentence of forgotten) this.#options.violations.add(sentence);
    this.#memberOf.set(link, memberId);
    this.#options.log.info("board-joined", { board: record.name, member: memberId, firmware });
    if (former !== undefined && former !== memberId) {
      this.#options.log.warn("board-lost-memory", { board: record.name, former });
    }
    this.#options.onMember(memberId);
    this.#options.onChange();
  }

  #raft(record: BoardRecord, memberId: MemberId, message: Message): void {
    if (message.from !== memberId) {
      throw new ProtocolRefused(`a message from ${message.from} on the connection of ${memberId}`);
    }
    if (message.type === "append-response") {
      const { matchIndex, appliedIndex } = record;
      record.takeAppendResponse(message, this.#options.now());
      if (record.matchIndex !== matchIndex || record.appliedIndex !== appliedIndex) this.#options.onChange();
    }
    this.#options.onMessage(message);
  }
}

/** `north-1` of `north-1.5f3a90c2`. */
function boardOf(memberId: MemberId): string {
  return memberId.slice(0, Math.max(0, memberId.lastIndexOf(".")));
}

/** Each codec throws an error of its own kind for what it cannot read; to the broker all of them are garbage. */
function read<T>(fromWire: (value: ReturnType<typeof decodeCbor>) => T, payload: Uint8Array): T {
  try {
    return fromWire(decodeCbor(payload));
  } catch (error) {
    throw new MalformedPayload(error instanceof Error ? error.message : String(error));
  }
}
