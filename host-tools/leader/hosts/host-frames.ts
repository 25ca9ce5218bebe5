/**
 * What hosts say to each other: one CBOR array a frame, the first item says which.
 *
 * ```
 * hello        [0, version, swarm, host, has a log, url]     first on every connection, both ways
 * refused      [1, why]                                      last before the connection is closed
 * state        [2, role, term, commit index, applied index, leader, member, [task, ...], [task, ...]]    twice a second; leader and member may be null; see `HostState`
 * raft         [3, message]                                  for the host itself, or for a board at its broker
 * board        [4, board, payload]                           it said this hello to my broker
 * gone         [5, board]                                    it left my broker
 * publication  [6, payload]                                  to be published by your broker as it stands
 * telemetry    [7, board, channel, payload]                  it told this report, health, answer or part in actions, tasks and turns to my broker
 * sender-key   [8, key]                                      what I seal publications under, for you to hand to your boards
 * images       [9, [image, ...]]                             what firmware I have: the first 8 bytes of each digest
 * image-want   [10, image, chunk, count]                     send me these
 * image-piece  [11, image, chunk, [bytes, ...]]              here they are, from that chunk on; null: I have no such image
 * query        [12, board, payload]                          ask this of the board, which is at your broker
 * grant        [13, holder, payload]                         tasks are granted: to the board, if it is at your broker, or to you
 * claim        [14, payload]                                 I claim these tasks
 * aggregate    [15, task, token, time, value]                I hold this task, and this is what came of it
 * keep         [16, board, payload]                          tell it this on its channel for what it keeps, if it is at your broker
 * keep-ask     [17, number, waiting, short, lost]            up to which entry must I have applied to know what was agreed on? And how my blocks stand
 * keep-index   [18, number, index]                           the leader's answer
 * past         [19, [block, ...]]                            blocks of readings, from boards that kept them: put them among yours
 * keep-accept  [21, short, lost]                             somebody accepts that so many of your blocks are on too few boards, and so many on none: count them no more
 * order        [20, board, payload]                          tell it this on its channel for registers, if it is at your broker
 * ```
 *
 * Payloads are byte strings, handed on as they came; a publication is sealed, by whoever published it first. A frame of an unknown kind is passed over and items beyond the known ones are ignored,
 * so that a newer host may say more.
 */
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { limits, type MemberId } from "../../../protocols/raft/types.ts";
import type { AggregateTold } from "../tasks/aggregations.ts";

export interface HostHello {
  readonly kind: "hello";
  readonly swarm: string;
  /** The host's name in `swarm.ts`. */
  readonly host: string;
  /** It has something to lose: a term or entries. Asked before a group is founded. */
  readonly hasLog: boolean;
  /** Of its HTTP interface. */
  readonly url: string;
}

export type HostRole = "leader" | "candidate" | "follower";

/** How a host stands in the group. */
export interface HostState {
  readonly kind: "state";
  readonly role: HostRole;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Whom it takes for the leader. */
  readonly leaderId: MemberId | undefined;
  /** Its own id; undefined while it has no log and waits for the other hosts. */
  readonly memberId: MemberId | undefined;
  /** Roles for which somebody stands ready there. */
  readonly ready: readonly string[];
  /** Roles that somebody there may still be carrying out, though they were taken from it. */
  readonly lingering: readonly string[];
}

export type TelemetryChannel =
  | "report"
  | "health"
  | "query"
  | "action"
  | "lease"
  | "turn"
  | "keep"
  | "register";

/** Counted since the host has the disk that it has, or since somebody accepted what was counted before. */
export interface KeepAskFrame {
  readonly kind: "keep-ask";
  readonly number: number;
  /** Blocks that are not on all their keepers. */
  readonly waiting: number;
  /** Blocks that gave way while they were on some of them. */
  readonly short: number;
  /** Blocks that no board has. */
  readonly lost: number;
}

export type HostFrame =
  | HostHello
  | HostState
  | { readonly kind: "refused"; readonly why: string }
  /** `message` as `protocols/raft/codec.ts` makes it. */
  | { readonly kind: "raft"; readonly message: CborValue }
  | { readonly kind: "board"; readonly board: string; readonly hello: Uint8Array }
  | { readonly kind: "gone"; readonly board: string }
  | { readonly kind: "query"; readonly board: string; readonly payload: Uint8Array }
  /** To a board, or to the host itself; `payload` as `leasesToWire` makes it. */
  | { readonly kind: "grant"; readonly holder: string; readonly payload: Uint8Array }
  /** Of the host itself. */
  | { readonly kind: "claim"; readonly payload: Uint8Array }
  | ({ readonly kind: "aggregate" } & AggregateTold)
  | { readonly kind: "keep"; readonly board: string; readonly payload: Uint8Array }
  | KeepAskFrame
  | { readonly kind: "keep-index"; readonly number: number; readonly index: number }
  | { readonly kind: "keep-accept"; readonly short: number; readonly lost: number }
  | { readonly kind: "past"; readonly blocks: readonly KeptBlock[] }
  /** For a board that is connected there: what it is asked about registers, and which of its changes are in the log. */
  | { readonly kind: "order"; readonly board: string; readonly payload: Uint8Array }
  | { readonly kind: "publication"; readonly payload: Uint8Array }
  /** `key` as `senderKeyToWire` makes it. */
  | { readonly kind: "sender-key"; readonly key: CborValue }
  | {
      readonly kind: "telemetry";
      readonly board: string;
      readonly channel: TelemetryChannel;
      readonly payload: Uint8Array;
    }
  | { readonly kind: "images"; readonly images: readonly Uint8Array[] }
  | {
      readonly kind: "image-want";
      readonly image: Uint8Array;
      readonly chunk: number;
      readonly count: number;
    }
  | {
      readonly kind: "image-piece";
      readonly image: Uint8Array;
      readonly chunk: number;
      /** As `protocols/update/chunks.ts` makes them; undefined where there is no such image. */
      readonly chunks: readonly Uint8Array[] | undefined;
    };

/** What hosts say to each other of readings that boards keep. */
export type KeepingFrame = HostFrame & { readonly kind: "keep-ask" | "keep-index" | "keep-accept" | "past" };

/** Hosts of different versions do not talk: what each may assume of the other is not the same. */
export const hostWireVersion = 1;

export const hostFrameLimits = {
  /** UTF-8 bytes of a name or an address. */
  textBytesMax: 256,
  /** Bytes of a publication: entries within an append's limits, and what is around them. */
  publicationBytesMax: 4 * limits.appendBytesMax,
  /** Images that one host tells of: as many as there are boards of a cell, and some. */
  imagesMax: 256,
  /** Chunks in one piece. */
  pieceChunksMax: 64,
} as const;
