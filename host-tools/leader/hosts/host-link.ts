/**
 * One connection to another host, from its first byte to its last: both prove who they are, hello both ways, then frames.
 *
 * What the other side does not read is bounded: beyond `unsentBytesMax` frames are dropped and counted, because Raft repeats what matters
 * and a host that hangs must not fill the memory of one that works. Whoever sends what no host sends, or nothing for `silenceMs`, is
 * cut off.
 */
import type { Socket } from "node:net";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { MalformedMessage } from "../../../protocols/raft/codec.ts";
import type { Known, Roster } from "../../../protocols/security/identity/roster.ts";
import type { OwnIdentity } from "../../../protocols/security/session/end.ts";
import { CborError, decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";
import { MalformedPayload, ProtocolRefused } from "../broker/broker-refusals.ts";
import { FrameReader, FrameTooLong, frameOf } from "./frame-reader.ts";
import { frameFromWire, frameToWire } from "./host-frame-codec.ts";
import type { HostFrame, HostHello } from "./host-frames.ts";
import { RecordRefused, SecureStream, secureStreamLimits } from "./secure-stream.ts";
import { Vouching } from "./vouching.ts";

export const hostLinkLimits = {
  /** From the TCP connection over the handshake to the other side's hello. */
  helloMs: 5_000,
  /** Ten of the states that are sent twice a second. */
  silenceMs: 5_000,
  /** One frame: an append of a host's size, or a payload of a board. */
  frameBytesMax: 1024 * 1024,
  unsentBytesMax: secureStreamLimits.unsentBytesMax,
} as const;

/** What all links of a host have carried. */
export interface HostTraffic {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Frames that found no room, or no connection. */
  dropped: number;
  /** Connections closed for bytes that no host sends, or that none sent there. */
  garbage: number;
  /** Connections refused: no host of this swarm, or not the one that it says. */
  refused: number;
}

/** The other side is well-formed and not wanted here; the message is told to it. */
export class PeerRefused extends Error {
  override readonly name = "PeerRefused";
}

/** A connection with that host is there already, and that one stays. */
export class SecondConnection extends PeerRefused {
  constructor() {
    super("a connection is there already");
  }
}

/** The connection had to end, and nobody did wrong. */
export class LinkEnded extends Error {
  override readonly name = "LinkEnded";
}

export interface HostLinkEvents {
  /** The first frame: throw `PeerRefused` to turn it away. */
  onHello(link: HostLink, hello: HostHello): void;
  onFrame(link: HostLink, frame: HostFrame): void;
  /** Once, whoever closed it. */
  onClosed(link: HostLink, reason: Error | undefined): void;
}

export interface HostLinkOptions {
  /** This side opened the connection. */
  readonly isDialled: boolean;
  readonly own: OwnIdentity;
  readonly roster: Roster;
  /** See `secureStreamLimits`. */
  readonly recordsMax?: number | undefined;
  readonly traffic: HostTraffic;
  /** Whether this is a host for this connection. */
  admits(peer: Known): boolean;
  /** What this side says first. */
  hello(): HostHello;
  readonly events: HostLinkEvents;
}

export class HostLink {
  readonly isDialled: boolean;
  /** undefined until the other side's hello was accepted. */
  peer: HostHello | undefined;
  /** For the requests that either host sends on to the other; undefined until the session is up. */
  vouching: Vouching | undefined;
  readonly #options: HostLinkOptions;
  readonly #traffic: HostTraffic;
  readonly #events: HostLinkEvents;
  readonly #timer: NodeJS.Timeout;
  readonly #stream: SecureStream;
  #isClosed = false;

  /** `socket` is connected. */
  constructor(socket: Socket, options: HostLinkOptions) {
    const { isDialled, traffic, own, roster, admits, recordsMax } = options;
    this.isDialled = isDialled;
    this.#options = options;
    this.#traffic = traffic;
    this.#events = options.events;
    this.#timer = setTimeout(() => this.close(new LinkEnded("silent for too long")), hostLinkLimits.helloMs);
    const reader = new FrameReader(hostLinkLimits.frameBytesMax, (payload) => this.#take(payload));
    this.#stream = new SecureStream(socket, isDialled, {
      ...{ ciphers: nodeCiphers, own, roster, admits, traffic, recordsMax },
      onUp: (session) => {
        this.vouching = new Vouching(session, own.identity.name, session.peer.identity.name);
        this.send(options.hello());
      },
      onBytes: (bytes) => {
        this.#timer.refresh();
        reader.push(bytes);
      },
      onFailure: (error) => (error === undefined ? this.close(undefined) : this.#refuse(error)),
    });
  }

  /** Who the other side has proved to be; undefined before it has. */
  get known(): Known | undefined {
    return this.#stream.peer;
  }

  /** Whether the other side has said anything of who it is. */
  get hasBegun(): boolean {
    return this.#stream.hasBegun;
  }

  send(frame: HostFrame): boolean {
    return this.sendEncoded(frameOf(encodeCbor(frameToWire(frame))));
  }

  /** A whole frame, for one that goes to several hosts. False when it was dropped. */
  sendEncoded(frame: Buffer): boolean {
    if (this.#isClosed || this.known === undefined || !this.#stream.write(frame)) {
      this.#traffic.dropped++;
      return false;
    }
    this.#traffic.framesOut++;
    return true;
  }

  /** Ends the connection with a peer that belongs no more; with one that does, goes on under keys of the new epoch. */
  rosterChanged(): void {
    const { known } = this;
    if (known === undefined) return;
    if (this.#options.roster.belongs(known)) this.#stream.refreshIfDue();
    else this.#refuse(new PeerRefused(`the swarm's root has revoked ${known.identity.name}`));
  }

  /** Idempotent. */
  close(reason: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#stream.destroy();
    this.#events.onClosed(this, reason);
  }

  #take(payload: Buffer): void {
    if (this.#isClosed) return;
    this.#traffic.framesIn++;
    const frame = frameFromWire(decodeCbor(payload));
    if (frame === undefined) return;
    if (this.peer !== undefined) {
      if (frame.kind === "hello") throw new ShapeError("host frame", "a second hello", "left out", null);
      this.#events.onFrame(this, frame);
    } else if (frame.kind === "hello") {
      this.#greet(frame);
    } else if (frame.kind === "refused") {
      this.close(new LinkEnded(`the other host says: ${frame.why}`));
    } else {
      throw new ShapeError("host frame", "the first frame", "a hello", frame.kind);
    }
  }

  #greet(hello: HostHello): void {
    const { swarm, name } = this.known!.identity;
    if (hello.host !== name || hello.swarm !== swarm) {
      throw new PeerRefused(`${name} of ${swarm} says that it is ${hello.host} of ${hello.swarm}`);
    }
    this.#events.onHello(this, hello);
    this.peer = hello;
  }

  #refuse(error: Error): void {
    if (this.#isClosed) return;
    if (isRefusal(error)) {
      this.#traffic.refused++;
      if (this.known !== undefined) this.send({ kind: "refused", why: error.message.slice(0, 200) });
      // The reason is on its way before the end of the connection is.
      this.#stream.end();
    } else if (isGarbage(error)) {
      this.#traffic.garbage++;
    }
    this.close(error);
  }
}

/** Bytes that no host sends. */
export function isGarbage(error: Error): boolean {
  const kinds = [ShapeError, CborError, FrameTooLong, MalformedMessage, MalformedPayload, RecordRefused];
  return kinds.some((kind) => error instanceof kind);
}

/** Well-formed, and not for that host to say. */
export function isRefusal(error: Error): boolean {
  return error instanceof PeerRefused || error instanceof ProtocolRefused;
}
