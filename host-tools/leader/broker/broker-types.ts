/** What the broker offers, and what it needs of whoever decides about its clients. */
import {
  type DownChannel,
  messageLimits,
  type UpChannel,
} from "../../../protocols/messages/board-messages.ts";
import type { TlsSecrets } from "../../security/member-file.ts";
import type { Log } from "../log.ts";
import type { Traffic } from "./measured-socket.ts";

/** A board's connection; a new one for each connect. */
export interface BoardLink {
  readonly board: string;
  /**
   * Publishes to `down/<board>/<channel>`. False when it was dropped because the board has not subscribed or has gone; a board that
   * does not read loses its connection.
   */
  send(channel: DownChannel, payload: Uint8Array): boolean;
  /** Ends the connection because of what the board did; counted as garbage or as a refusal by the error's class. */
  close(reason: Error): void;
}

/** A link whose board nobody vouches for yet. */
export interface BoardConnection extends BoardLink {
  /** Where it comes from. */
  readonly address: string;
  /** It is the board: former connections of that board end, and this one makes room for nobody. */
  prove(): void;
  /** Sends this last, then closes. */
  closeAfter(channel: DownChannel, payload: Uint8Array, reason: Error): void;
}

/** What a client says of itself when it connects. */
export interface Credentials {
  readonly clientId: string;
  readonly userName: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly address: string;
}

export interface BrokerOptions {
  readonly swarm: string;
  readonly clients: BrokerClients;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** undefined for plain TCP. */
  readonly tls?: TlsSecrets | undefined;
  readonly log: Log;
}

/** Decides who may connect, and takes what they say. */
export interface BrokerClients {
  /** How many of them there can be at a time. */
  readonly boardsMax: number;
  /** Whether this may be the board of that name. @throws {ClientRefused} */
  admit(credentials: Credentials): void;
  connected(connection: BoardConnection): void;
  /** Throwing `MalformedPayload` or `ProtocolRefused` ends that board's connection. */
  receive(connection: BoardConnection, channel: UpChannel, payload: Uint8Array): void;
  disconnected(connection: BoardConnection): void;
}

export interface Broker {
  readonly port: number;
  readonly counters: Readonly<BrokerCounters>;
  /**
   * Publishes to every board that listens, on `covey/<swarm>/all/raft`: encoded once, written to each one's socket. Gives how many
   * these are.
   */
  publish(payload: Uint8Array): number;
  /** Closes every connection and the port. */
  stop(): Promise<void>;
}

export interface BrokerCounters extends Traffic {
  /** Bytes of the messages as they are sealed, without topics and framing. */
  payloadBytesIn: number;
  payloadBytesOut: number;
  garbage: number;
  /** Publications to all boards that listen; the bytes of each are counted once. */
  publications: number;
  publicationBytes: number;
  /** Publications times the boards that each was written to. */
  publicationWrites: number;
  /** Connections ended for asking what is not theirs: an unknown client id, a foreign topic, QoS above 0. */
  refused: number;
  disconnects: number;
  /** Connections that made room for newcomers before they had proved to be a board's. */
  turnedAway: number;
}

export const brokerLimits = {
  /** Beyond the boards of the swarm: connections being replaced, and strangers on their way out. */
  spareConnections: 32,
  /** An MQTT packet's body: a payload and its topic. */
  packetBytesMax: messageLimits.payloadBytesMax + 256,
  /** Unsent bytes for a board that does not read; sixteen full messages. */
  unsentBytesMax: 64 * 1024,
  /** From the TCP connection to a complete CONNECT. */
  connectMs: 5_000,
  /** For a full socket to take bytes again. */
  drainMs: 10_000,
} as const;
