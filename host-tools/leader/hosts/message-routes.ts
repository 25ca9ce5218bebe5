/**
 * Which way a Raft message goes: to this host's own part in the group, to a board at this broker, or through the host where the board is
 * connected. A message makes one hop between hosts at most, so that none can circle.
 */
import type { CborValue } from "../../../protocols/cbor/value.ts";
import {
  messageFromWire,
  messageToWire,
  publicationToWire,
  UnknownMessage,
} from "../../../protocols/raft/codec.ts";
import { hostLimits } from "../../../protocols/raft/node-options.ts";
import type { Message, Publication } from "../../../protocols/raft/types.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { BoardRegistry } from "../boards/board-registry.ts";
import type { Broker } from "../broker/broker-types.ts";
import { nameOf } from "../raft/voter-policy.ts";
import type { GroupKeys } from "../trust/group-keys.ts";
import { PeerRefused } from "./host-link.ts";
import type { HostLinks } from "./host-links.ts";

export interface RoutesOptions {
  readonly hostName: string;
  readonly hostNames: readonly string[];
  readonly boards: BoardRegistry;
  readonly broker: Pick<Broker, "publish">;
  readonly groupKeys: Pick<GroupKeys, "seal">;
  readonly links: HostLinks;
  /** For this host's own member. */
  receive(message: Message): void;
}

export class MessageRoutes {
  readonly #options: RoutesOptions;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  /** From this host's member; dropped when the receiver is connected nowhere, which Raft expects. */
  send(message: Message): void {
    const { hostName, hostNames, boards, links } = this.#options;
    const name = nameOf(message.to);
    const host = hostNames.includes(name) ? name : boards.hostOf(message.to);
    if (host === hostName) boards.send(message);
    else if (host !== undefined && links.isUp(host)) this.#sendToHost(host, message);
  }

  /** From this host's member, to all boards that listen, here and at the other hosts. */
  publish(publication: Publication): void {
    const { hostNames, boards, broker, groupKeys, links } = this.#options;
    const payload = groupKeys.seal(encodeCbor(publicationToWire(publication)));
    broker.publish(payload);
    const others = hostNames.filter((name) => links.isUp(name) && boards.countAt(name) > 0);
    if (others.length > 0) links.broadcast({ kind: "publication", payload }, others);
  }

  /** From a board at this broker. */
  takeFromBoard(message: Message): void {
    const { hostName, hostNames, receive } = this.#options;
    const name = nameOf(message.to);
    if (name === hostName) receive(message);
    else if (hostNames.includes(name)) this.#sendToHost(name, message);
  }

  /** From another host. @throws {PeerRefused | MalformedMessage} and that connection is to be closed. */
  takeFromHost(host: string, wire: CborValue): void {
    const { hostName, hostNames, boards, receive } = this.#options;
    const message = readMessage(wire);
    if (message === undefined) return;
    const sender = nameOf(message.from);
    if (sender !== host && hostNames.includes(sender)) {
      throw new PeerRefused(`a message from ${message.from} on the connection of ${host}`);
    }
    // Who is here speaks for itself: what another host says in its name while it can is late, or is not its own.
    if (boards.isHere(message.from)) return;
    if (nameOf(message.to) === hostName) {
      if (message.type === "append-response" && sender !== host) boards.takeAppendResponse(message);
      receive(message);
    } else {
      boards.send(message);
    }
  }

  #sendToHost(host: string, message: Message): void {
    this.#options.links.send(host, { kind: "raft", message: messageToWire(message) });
  }
}

/** undefined for what a newer host says beyond this one. */
function readMessage(wire: CborValue): Message | undefined {
  try {
    return messageFromWire(wire, hostLimits);
  } catch (error) {
    if (error instanceof UnknownMessage) return undefined;
    throw error;
  }
}
