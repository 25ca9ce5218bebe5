/**
 * Between the broker and the registry: who may connect, and the session of each connection. What the registry gets has come from the board that the
 * link names; what it sends is sealed for it.
 *
 * A client id, and the signed identity that comes as password with it, prove nothing: whoever copied them gets as far as the handshake. They keep out those
 * who have none, and let the handshake refer to the identity instead of carrying it.
 */

import type { UpChannel } from "../../../protocols/messages/board-messages.ts";
import { boardTopics } from "../../../protocols/messages/topics.ts";
import type { SecureSession } from "../../../protocols/security/session/secure-session.ts";
import type { Audit } from "../audit.ts";
import { ClientRefused, ProtocolRefused } from "../broker/broker-refusals.ts";
import type { BoardConnection, BoardLink, BrokerClients, Credentials } from "../broker/broker-types.ts";
import type { Log } from "../log.ts";
import { BoardSession, type SealedChannel } from "./board-session.ts";
import type { Membership } from "./membership.ts";
import { newSessionCounters } from "./session-counters.ts";

export interface BoardSessionsOptions {
  readonly membership: Membership;
  readonly swarm: string;
  /** Names of the swarm's boards. */
  readonly boards: ReadonlySet<string>;
  readonly log: Log;
  readonly audit: Audit;
  /** What a board is told first on channel `group`. */
  groupPayloads(): readonly Uint8Array[];
  /** Throwing `MalformedPayload` or `ProtocolRefused` ends that board's connection. */
  onMessage(link: BoardLink, channel: SealedChannel, payload: Uint8Array): void;
  onDisconnect(link: BoardLink): void;
}

export class BoardSessions implements BrokerClients {
  readonly counters = newSessionCounters();
  readonly #options: BoardSessionsOptions;
  readonly #sessions = new Map<BoardConnection, BoardSession>();
  /** The last session of each board, which its next connection may refresh. */
  readonly #latest = new Map<string, SecureSession>();

  constructor(options: BoardSessionsOptions) {
    this.#options = options;
  }

  get boardsMax(): number {
    return this.#options.boards.size;
  }

  /** @throws {ClientRefused} */
  admit({ clientId, userName, password, address }: Credentials): void {
    const { boards, membership } = this.#options;
    if (!boards.has(clientId)) {
      this.#refuseStranger(address, "connect as an unknown board");
      throw new ClientRefused(ClientRefused.identifier, `no board named ${clientId} in this swarm`);
    }
    // An array of its own: it may be remembered.
    const known = password === undefined ? undefined : membership.roster.admit(new Uint8Array(password));
    const isBoard = known?.identity.role === "board" && known.identity.name === clientId;
    if (isBoard && userName === clientId) return;
    this.#refuseStranger(address, `connect as ${clientId}`);
    throw new ClientRefused(ClientRefused.credentials, `${clientId} came without an identity of that board`);
  }

  connected(connection: BoardConnection): void {
    const { membership, swarm, log, audit, groupPayloads, onMessage, onDisconnect } = this.#options;
    const { board, address } = connection;
    const end = membership.end(({ identity }) => identity.role === "board" && identity.name === board);
    const session = new BoardSession(connection, boardTopics(swarm, board), end, this.counters, {
      latest: () => this.#latest.get(board),
      onUp: (up) => {
        this.#latest.set(board, up.session!);
        const { epoch, refreshes } = up.session!;
        log.debug("board-session", { board, epoch, refreshes, address });
        connection.prove();
        for (const payload of groupPayloads()) up.send("group", payload);
      },
      onMessage,
      onRefused: ({ peer }, what) =>
        audit.refused(
          peer === undefined ? address : board,
          peer === undefined ? `${what} as ${board}` : what,
        ),
      onGone: onDisconnect,
    });
    this.#sessions.set(connection, session);
  }

  /** @throws {MalformedPayload | ProtocolRefused} and the connection is to be closed. */
  receive(connection: BoardConnection, channel: UpChannel, payload: Uint8Array): void {
    this.#sessions.get(connection)?.receive(channel, payload);
  }

  disconnected(connection: BoardConnection): void {
    this.#sessions.get(connection)?.ended();
    this.#sessions.delete(connection);
  }

  /** The same to each board whose session is up. */
  tellGroup(payload: Uint8Array): void {
    for (const session of this.#sessions.values()) session.send("group", payload);
  }

  /** The epoch has risen: whoever does not belong any more is cut off at once. */
  dropRevoked(): void {
    const { membership, log, audit } = this.#options;
    const { roster } = membership;
    for (const [board, { peer }] of this.#latest) if (!roster.belongs(peer)) this.#latest.delete(board);
    for (const session of [...this.#sessions.values()]) {
      const { board, peer } = session;
      if (peer === undefined || roster.belongs(peer)) continue;
      log.warn("board-revoked", { board, epoch: roster.epoch });
      audit.refused(board, "its session: revoked");
      session.close(new ProtocolRefused("its identity was revoked"));
    }
  }

  #refuseStranger(address: string, what: string): void {
    this.counters.strangers++;
    this.#options.audit.refused(address, what);
  }
}
