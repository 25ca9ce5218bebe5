/**
 * What members say to each other of a register, a datagram each, sealed between the two of them:
 *
 * ```
 * [1, kind, epoch, register, ballot]                                   prepare, accepted
 * [1, kind, epoch, register, ballot, accepted, isChosen, state]        promise
 * [1, kind, epoch, register, ballot, state]                            accept, decided
 * [1, kind, epoch, register, ballot, promised]                         refused
 * [1, kind, epoch, register, request]                                  look
 * [1, kind, epoch, register, request, accepted, isChosen, state]       seen
 * [1, kind, epoch, [version, ...]]                                     digest
 * ```
 *
 * `register` is its place in the group of that epoch. Datagrams may be lost, doubled and overtaken; none is of use in another epoch.
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { ballotMax } from "./ballot.ts";
import { readState, stateToWire } from "./state-codec.ts";
import { type RegisterState, registerLimits } from "./types.ts";

/** Phase 1a: promise to accept nothing below, and say what you accepted last. */
export interface Prepare {
  readonly kind: "prepare";
  readonly epoch: number;
  readonly register: number;
  readonly ballot: number;
}

/** Phase 1b. */
export interface Promised {
  readonly kind: "promise";
  readonly epoch: number;
  readonly register: number;
  /** That was asked for. */
  readonly ballot: number;
  /** The ballot in which it accepted `state`; 0 for what the epoch began with. */
  readonly accepted: number;
  /** It knows that `state` is chosen. */
  readonly isChosen: boolean;
  readonly state: RegisterState;
}

/** Phase 2a. */
export interface Accept {
  readonly kind: "accept";
  readonly epoch: number;
  readonly register: number;
  readonly ballot: number;
  readonly state: RegisterState;
}

/** Phase 2b. */
export interface AcceptedAnswer {
  readonly kind: "accepted";
  readonly epoch: number;
  readonly register: number;
  readonly ballot: number;
}

/** To a prepare or an accept: it has promised a later ballot. */
export interface Refused {
  readonly kind: "refused";
  readonly epoch: number;
  readonly register: number;
  readonly ballot: number;
  readonly promised: number;
}

/** A majority has accepted this. */
export interface Decided {
  readonly kind: "decided";
  readonly epoch: number;
  readonly register: number;
  readonly ballot: number;
  readonly state: RegisterState;
}

/** What have you accepted last? Asks for no promise. */
export interface Look {
  readonly kind: "look";
  readonly epoch: number;
  readonly register: number;
  /** So that an answer to an earlier look is not taken for one to this. */
  readonly request: number;
}

export interface Seen {
  readonly kind: "seen";
  readonly epoch: number;
  readonly register: number;
  readonly request: number;
  readonly accepted: number;
  readonly isChosen: boolean;
  readonly state: RegisterState;
}

/** The versions of all registers that the sender knows to be chosen: who knows later ones tells them. It also says that the sender is there. */
export interface Digest {
  readonly kind: "digest";
  readonly epoch: number;
  readonly versions: readonly number[];
}

/** What an acceptor answers. */
export type Question = Prepare | Accept | Look;
/** What a proposer takes. */
export type Answer = Promised | AcceptedAnswer | Refused | Seen;
export type PaxosMessage = Question | Answer | Decided | Digest;

export const paxosMessageVersion = 1;

export function paxosMessageToWire(message: PaxosMessage): CborValue {
  const { kind, epoch } = message;
  if (kind === "digest") return [paxosMessageVersion, kinds.indexOf(kind), epoch, message.versions];
  const head = [paxosMessageVersion, kinds.indexOf(kind), epoch, message.register];
  switch (message.kind) {
    case "prepare":
    case "accepted":
      return [...head, message.ballot];
    case "promise":
      return [...head, message.ballot, message.accepted, message.isChosen, stateToWire(message.state)];
    case "accept":
    case "decided":
      return [...head, message.ballot, stateToWire(message.state)];
    case "refused":
      return [...head, message.ballot, message.promised];
    case "look":
      return [...head, message.request];
    case "seen":
      return [...head, message.request, message.accepted, message.isChosen, stateToWire(message.state)];
  }
}

/** Throws `ShapeError`. */
export function paxosMessageFromWire(value: CborValue): PaxosMessage {
  const items = new ItemReader(value, format, "", 4);
  items.version(paxosMessageVersion);
  const kind = kinds[items.integer("the kind", 0, kinds.length - 1)]!;
  const epoch = items.integer("the epoch", 1, registerLimits.epochMax);
  if (kind === "digest") return { kind, epoch, versions: readVersions(items) };
  const register = items.integer("the register", 0, registerLimits.registersMax - 1);
  if (kind === "look" || kind === "seen") {
    const request = items.integer("the request", 0, registerLimits.requestMax);
    return kind === "look"
      ? { kind, epoch, register, request }
      : { kind, epoch, register, request, ...readHeld(items) };
  }
  const ballot = items.integer("the ballot", 1, ballotMax);
  switch (kind) {
    case "prepare":
    case "accepted":
      return { kind, epoch, register, ballot };
    case "promise":
      return { kind, epoch, register, ballot, ...readHeld(items) };
    case "accept":
    case "decided":
      return { kind, epoch, register, ballot, state: readState(items, format) };
    case "refused":
      return { kind, epoch, register, ballot, promised: items.integer("promised", 1, ballotMax) };
  }
}

const format = "register message";

/** The place of a kind is its number on the wire. */
const kinds: readonly PaxosMessage["kind"][] = Object.freeze([
  "prepare",
  "promise",
  "accept",
  "accepted",
  "refused",
  "decided",
  "look",
  "seen",
  "digest",
] as const);

function readHeld(items: ItemReader): Pick<Promised, "accepted" | "isChosen" | "state"> {
  const accepted = items.integer("accepted", 0, ballotMax);
  const isChosen = items.boolean("isChosen");
  return { accepted, isChosen, state: readState(items, format) };
}

function readVersions(items: ItemReader): number[] {
  const versions = items.array("the versions", registerLimits.registersMax);
  const each = new ItemReader(versions, format, "the versions", 0);
  return versions.map(() => each.integer("a version", 0, registerLimits.versionMax));
}
