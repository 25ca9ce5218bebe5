/**
 * Whom the board trusts: its own identity, the root's statements about who belongs, its sessions with the hosts, the keys under which
 * hosts publish. A session outlives its connection, so that coming back costs a refresh instead of a handshake; over deep sleep the
 * flash keeps it (`BoardStore.keep`), for one use.
 */
import { concat } from "../../protocols/cbor/sequence.ts";
import { GroupReceiver } from "../../protocols/security/group/group-records.ts";
import type { SenderKey } from "../../protocols/security/group/sender-key.ts";
import { kidOf } from "../../protocols/security/identity/credential.ts";
import { type Known, Roster, rosterKey } from "../../protocols/security/identity/roster.ts";
import { isAllowed, Permission } from "../../protocols/security/identity/scope.ts";
import type { EndOptions, OwnIdentity } from "../../protocols/security/session/end.ts";
import { restoreSession, type SecureSession } from "../../protocols/security/session/secure-session.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import { type BoardConfig, type Ciphers, hostsMax } from "../platform/ports.ts";
import type { BoardLog } from "./board-log.ts";
import { keptSessionsFrom, keptSessionsToBytes } from "./kept-sessions.ts";
import { ownIdentity, WrongCredentials } from "./own-identity.ts";

export class Trust {
  /** undefined for a board that cannot say who it is: it has no links. */
  readonly own: OwnIdentity | undefined;
  readonly #ciphers: Ciphers;
  readonly #config: BoardConfig;
  readonly #log: BoardLog;
  readonly #roster: Roster;
  readonly #group: GroupReceiver;
  /** At most one of each host. */
  #sessions: readonly HostSession[] = [];
  #refused = 0;

  /** `all` is the topic of publications. */
  constructor(ciphers: Ciphers, config: BoardConfig, all: string, log: BoardLog) {
    this.#ciphers = ciphers;
    this.#config = config;
    this.#log = log;
    this.#roster = new Roster(ciphers, config.credentials.root, config.swarm, hostsMax);
    this.#group = new GroupReceiver(ciphers, all);
    this.own = this.readOwn();
  }

  /** Of the roster, as far as the board knows. */
  get epoch(): number {
    return this.#roster.epoch;
  }

  /** Records and publications that did not open, and messages that were not their sender's to send. */
  get refused(): number {
    return this.#refused;
  }

  countRefused(): void {
    this.#refused++;
  }

  /** Takes what the agreed state says under `rosterKey`. True when it is news. */
  takeRoster(value: StateValue | undefined): boolean {
    if (value === undefined) return false;
    if (!(value instanceof Uint8Array) || !this.#roster.take(value)) {
      // What is applied again after a snapshot is no news, and no forgery.
      if (this.epoch === 0) this.#log.write("error", "roster-refused", "key", rosterKey);
      return false;
    }
    this.#log.write("info", "roster", "epoch", this.epoch);
    this.#sessions = this.#sessions.filter(({ session }) => this.#roster.belongs(session.peer));
    const { own } = this;
    const isOut = own !== undefined && !this.#roster.belongs(this.known(own));
    if (isOut) this.#log.write("error", "revoked", "board", own.identity.name, "epoch", this.epoch);
    return true;
  }

  /** Whether the root has not revoked it. */
  belongs(peer: Known): boolean {
    return this.#roster.belongs(peer);
  }

  /** Why this member is not whom a link to `host` is for; undefined when it is. */
  objectionTo({ identity }: Known, host: string): string | undefined {
    const { role, name, scope } = identity;
    if (role !== "host") return `${name} is no host but ${role}`;
    if (name !== host) return `it is ${name}, not ${host}`;
    const isMine = isAllowed(scope, this.#config.board, Permission.command);
    return isMine ? undefined : `the scope of ${name} does not let it command ${this.#config.board}`;
  }

  /** For a session with whom `admits` says yes to. */
  endOptions(own: OwnIdentity, admits: (peer: Known) => boolean): EndOptions {
    return { ciphers: this.#ciphers, own, roster: this.#roster, admits };
  }

  // Sessions.

  /** An earlier one with this host, which may be refreshed. */
  sessionWith(host: string): SecureSession | undefined {
    return this.find(host)?.session;
  }

  /** The number of the next refresh of the session with this host: higher than any that was ever begun. 0 without a session. */
  nextRefresh(host: string): number {
    const found = this.find(host);
    return found === undefined ? 0 : ++found.begun;
  }

  /** The session with this host is up, with these keys. */
  hold(host: string, session: SecureSession): void {
    this.forget(host);
    this.#sessions = [...this.#sessions, { host, session, begun: session.refreshes }];
  }

  forget(host: string): void {
    if (this.find(host) !== undefined) this.#sessions = this.#sessions.filter((each) => each.host !== host);
  }

  /** What is to be kept while the board sleeps; undefined for nothing. */
  save(): Uint8Array | undefined {
    const kept = this.#sessions
      // As after the last refresh that was begun: the other side may have followed it.
      .map(({ session, begun }) =>
        begun > session.refreshes ? session.refreshed(begun, this.epoch) : session,
      )
      .filter((session) => session !== undefined)
      .map((session) => session.kept());
    return kept.length === 0 ? undefined : keptSessionsToBytes(this.binding(), kept);
  }

  /** Takes up what was kept, by this board under these credentials. Gives the number of sessions. */
  restore(bytes: Uint8Array): number {
    const { own } = this;
    const kept = own && keptSessionsFrom(this.binding(), bytes);
    if (own === undefined || kept === undefined) return 0;
    for (const each of kept) {
      const session = restoreSession(this.#ciphers, own.identity.name, each);
      if (this.#roster.belongs(session.peer)) this.hold(session.peer.identity.name, session);
    }
    return this.#sessions.length;
  }

  // Publications.

  /** Takes the key under which a host publishes from now on. */
  holdKey(key: SenderKey): void {
    if (this.#config.hosts.some(({ name }) => name === key.host)) this.#group.hold(key);
    else this.#refused++;
  }

  /** What is published; or whether what it is none of is worse than a key that is not known, or a copy. */
  openPublication(bytes: Uint8Array): Uint8Array | "garbage" | undefined {
    const opened = this.#group.open(bytes);
    if ("payload" in opened) return opened.payload;
    this.#refused++;
    return opened.fault === "malformed" || opened.fault === "forged" ? "garbage" : undefined;
  }

  private find(host: string): HostSession | undefined {
    return this.#sessions.find((each) => each.host === host);
  }

  private known({ signed, identity }: OwnIdentity): Known {
    return { signed, identity, kid: kidOf(this.#ciphers, signed) };
  }

  /** What was kept under other credentials is not this board's. */
  private binding(): Uint8Array {
    const { root, signed } = this.#config.credentials;
    return kidOf(this.#ciphers, concat(root, signed));
  }

  private readOwn(): OwnIdentity | undefined {
    try {
      return ownIdentity(this.#config);
    } catch (error) {
      if (!(error instanceof WrongCredentials)) throw error;
      this.#log.write("error", "credentials-refused", "reason", error.message);
      return undefined;
    }
  }
}

interface HostSession {
  readonly host: string;
  readonly session: SecureSession;
  /** The highest refresh that was ever begun. */
  begun: number;
}
