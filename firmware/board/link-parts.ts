import type { BoardTopics } from "../../protocols/messages/topics.ts";
import type { PacketWriter } from "../../protocols/mqtt/packets.ts";
import type { MqttOptions } from "../../protocols/mqtt/session.ts";
import type { Clock, Network, Random } from "../platform/ports.ts";
import type { BoardLog } from "./board-log.ts";
import type { Inbox } from "./inbox.ts";
import type { Link } from "./link.ts";
import type { Trust } from "./trust.ts";
import type { Turns } from "./turns.ts";

export interface LinkEvents {
  /** The session is up; the hello must be the first that is published. */
  onJoined(link: Link): void;
  /** The host said this on one of the board's own channels. */
  onPayload(link: Link, channel: string, payload: Uint8Array): void;
  /** A publication of Raft's to all members, by whoever has the key of a host. */
  onPublication(link: Link, payload: Uint8Array): void;
}

/** What all links of a board share. */
export interface LinkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  /** Of the hosts' certificates; with it connections are over TLS, where the network has it. */
  readonly authority: Uint8Array | undefined;
  readonly log: BoardLog;
  readonly turns: Turns;
  readonly trust: Trust;
  readonly inbox: Inbox;
  readonly topics: BoardTopics;
  readonly mqttOptions: MqttOptions;
  readonly writer: PacketWriter;
}
