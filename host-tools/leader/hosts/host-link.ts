/**
 * One connection to another host, from its first byte to its last: hello both ways, then frames.
 *
 * What the other side does not read is bounded: beyond `unsentBytesMax` frames are dropped and counted, because Raft repeats what matters
 * and a host that hangs must not fill the memory of one that works. Whoever sends what no host sends, or nothing for `silenceMs`, is
 * cut off.
 */
import type { Socket } from "node:net";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { MalformedMessage } from "../../../protocols/raft/codec.ts";
import { CborError, decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import { MalformedPayload, ProtocolRefused } from "../broker.ts";
import { FrameReader, FrameTooLong, frameOf } from "./frame-reader.ts";
import { frameFromWire, frameToWire, type HostFrame, type HostHello } from "./host-frames.ts";

export const hostLinkLimits = {
  /** From the TCP connection to the other side's hello. */
  helloMs: 5_000,
  /** Ten of the states that are sent twice a second. */
  silenceMs: 5_000,
  /** One frame: an append of a host's size, or a payload of a board. */
  frameBytesMax: 1024 * 1024,
  /** What waits for a peer that does not read. */
  unsentBytesMax: 8 * 1024 * 1024,
} as const;

/** What all links of a host have carried. */
export interface HostTraffic {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Frames that found no room, or no connection. */
  dropped: number;
  /** Connections closed for bytes that no host sends. */
  garbage: number;
  /** Connections refused: another swarm, an unknown host, another version. */
  refused: number;
}

/** The other side is well-formed and not wanted here; the message is told to it. */
export class PeerRefused extends Error {
  override readonly name = "PeerRefused";
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

export class HostLink {
  /** This side opened it. */
  readonly isDialled: boolean;
  /** undefined until the other side's hello was accepted. */
  peer: HostHello | undefined;
  readonly #socket: Socket;
  readonly #traffic: HostTraffic;
  readonly #events: HostLinkEvents;
  readonly #timer: NodeJS.Timeout;
  #isCorked = false;
  #isClosed = false;

  /** A connected socket; sends this side's hello. */
  constructor(
    socket: Socket,
    isDialled: boolean,
    hello: HostHello,
    traffic: HostTraffic,
    events: HostLinkEvents,
  ) {
    this.isDialled = isDialled;
    this.#socket = socket;
    this.#traffic = traffic;
    this.#events = events;
    socket.setNoDelay(true);
    const reader = new FrameReader(hostLinkLimits.frameBytesMax, (payload) => this.#take(payload));
    this.#timer = setTimeout(() => this.close(new LinkEnded("silent for too long")), hostLinkLimits.helloMs);
    socket.on("data", (chunk) => {
      this.#traffic.bytesIn += chunk.length;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#refuse(error as Error);
      }
    });
    socket.on("error", (error) => this.close(error));
    socket.on("close", () => this.close(undefined));
    this.send(hello);
  }

  send(frame: HostFrame): boolean {
    return this.sendEncoded(frameOf(encodeCbor(frameToWire(frame))));
  }

  /** A whole frame, for one that goes to several hosts. False when it was dropped. */
  sendEncoded(frame: Buffer): boolean {
    if (this.#isClosed || this.#socket.writableLength + frame.length > hostLinkLimits.unsentBytesMax) {
      this.#traffic.dropped++;
      return false;
    }
    this.#cork();
    this.#socket.write(frame);
    this.#traffic.framesOut++;
    this.#traffic.bytesOut += frame.length;
    return true;
  }

  /** Idempotent. */
  close(reason: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#events.onClosed(this, reason);
  }

  #take(payload: Buffer): void {
    if (this.#isClosed) return;
    this.#timer.refresh();
    this.#traffic.framesIn++;
    const frame = frameFromWire(decodeCbor(payload));
    if (frame === undefined) return;
    if (this.peer !== undefined) {
      if (frame.kind === "hello") throw new ShapeError("host frame", "a second hello", "left out", null);
      this.#events.onFrame(this, frame);
    } else if (frame.kind === "hello") {
      this.#events.onHello(this, frame);
      this.peer = frame;
    } else if (frame.kind === "refused") {
      this.close(new PeerRefused(`the other host says: ${frame.why}`));
    } else {
      throw new ShapeError("host frame", "the first frame", "a hello", frame.kind);
    }
  }

  #refuse(error: Error): void {
    if (isRefusal(error)) {
      this.#traffic.refused++;
      this.send({ kind: "refused", why: error.message.slice(0, 200) });
      // The reason is on its way before the end of the connection is.
      this.#socket.uncork();
      this.#socket.end();
    } else if (isGarbage(error)) {
      this.#traffic.garbage++;
    }
    this.close(error);
  }

  /** All frames of one turn of the event loop leave in one write. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }
}

/** Bytes that no host sends. */
export function isGarbage(error: Error): boolean {
  const kinds = [ShapeError, CborError, FrameTooLong, MalformedMessage, MalformedPayload];
  return kinds.some((kind) => error instanceof kind);
}

/** Well-formed, and not for that host to say. */
export function isRefusal(error: Error): boolean {
  return error instanceof PeerRefused || error instanceof ProtocolRefused;
}
