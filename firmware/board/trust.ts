/**
 * Whom the board trusts: its own identity, the root's statements about who belongs, its sessions with the hosts, the keys under which
 * hosts publish. A session outlives its connection, so that coming back costs a refresh instead of a handshake; over deep sleep the
 * flash keeps it (`BoardStore.keep`), for one use.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { concat } from "../../protocols/cbor/sequence.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { GroupReceiver } from "../../protocols/security/group/group-records.ts";
import { senderKeyFromWire } from "../../protocols/security/group/sender-key.ts";
import { kidOf } from "../../protocols/security/identity/credential.ts";
import { type Known, Roster, rosterKey } from "../../protocols/security/identity/roster.ts";
import { isAllowed, Permission } from "../../protocols/security/identity/scope.ts";
import type { OwnIdentity } from "../../protocols/security/session/end.ts";
import { restoreSession, type SecureSession } from "../../protocols/security/session/secure-session.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import { type BoardConfig, type Ciphers, type HostAddress, hostsMax } from "../platform/ports.ts";
import type { BoardLog } from "./board-log.ts";
import { keptSessionsFrom, keptSessionsToBytes } from "./kept-sessions.ts";
import { ownIdentity, WrongCredentials } from "./own-identity.ts";

export class Trust {
  readonly ciphers: Ciphers;
  readonly roster: Roster;
  /** undefined for a board that cannot say who it is: it has no links. */
  readonly own: OwnIdentity | undefined;
  readonly #config: BoardConfig;
  #hosts: readonly HostAddress[];
  readonly #log: BoardLog;
  /** Topic of publications. */
  readonly #all: string;
  /** undefined for a voter, which has all that is published sent to itself. */
  #group: GroupReceiver | undefined;
  /** At most one with each host. */
  #sessions: readonly SecureSession[] = [];
  #refused = 0;

  /** `all` is the topic of publications. */
  constructor(ciphers: Ciphers, config: BoardConfig, all: string, log: BoardLog) {
    this.ciphers = ciphers;
    // The hosts, and whoever else it is making a session with.
    this.roster = new Roster(ciphers, config.credentials.root, config.swarm, hostsMax + 1);
    this.#config = config;
    this.#hosts = config.hosts;
    this.#log = log;
    this.#all = all;
    this.own = this.readOwn();
    this.listen(true);
  }

  /** Records and publications that did not open, and messages that were not their sender's to send. */
  get refused(): number {
    return this.#refused;
  }

  /** Of these hosts, by their names, the keys of publications are taken. */
  setHosts(hosts: readonly HostAddress[]): void {
    this.#hosts = hosts;
  }

  countRefused(): void {
    this.#refused++;
  }

  /** Takes what the agreed state says under `rosterKey`. True when it is news. */
  takeRoster(value: StateValue | undefined): boolean {
    if (value === undefined) return false;
    const { roster, own } = this;
    if (!(value instanceof Uint8Array) || !roster.take(value)) {
      // What is applied once more, as after a snapshot, is no news, and no forgery.
      if (roster.epoch === 0) this.#log.write("error", "roster-refused", "key", rosterKey);
      return false;
    }
    this.#log.write("info", "roster", "epoch", roster.epoch);
    this.#sessions = this.#sessions.filter(({ peer }) => roster.belongs(peer));
    const isOut = own !== undefined && !roster.belongs({ ...own, kid: kidOf(this.ciphers, own.signed) });
    if (isOut) this.#log.write("error", "revoked", "board", own.identity.name, "epoch", roster.epoch);
    return true;
  }

  /** Why this member is not whom a link to `host` is for; undefined when it is. */
  objectionTo({ identity }: Known, host: string): string | undefined {
    const { role, name, scope } = identity;
    if (role !== "host") return `${name} is no host but ${role}`;
    if (name !== host) return `it is ${name}, not ${host}`;
    const isMine = isAllowed(scope, this.#config.board, Permission.command);
    return isMine ? undefined : `the scope of ${name} does not let it command ${this.#config.board}`;
  }

  // Sessions.

  /** An earlier one with this host, which may be refreshed. */
  sessionWith(host: string): SecureSession | undefined {
    return this.#sessions.find(({ peer }) => peer.identity.name === host);
  }

  /** The session with its peer is up, with these keys. */
  hold(session: SecureSession): void {
    this.forget(session.peer.identity.name);
    this.#sessions = [...this.#sessions, session];
  }

  forget(host: string): void {
    this.#sessions = this.#sessions.filter(({ peer }) => peer.identity.name !== host);
  }

  /** What is to be kept while the board sleeps; undefined for nothing. */
  save(): Uint8Array | undefined {
    if (this.#sessions.length === 0) return undefined;
    const kept = this.#sessions.map((session) => session.kept());
    return keptSessionsToBytes(this.binding(), kept);
  }

  /** Takes up what was kept, by this board under these credentials. Gives the number of sessions. */
  restore(bytes: Uint8Array): number {
    const { own, ciphers } = this;
    const kept = own && keptSessionsFrom(this.binding(), bytes);
    if (own === undefined || kept === undefined) return 0;
    const sessions = kept.map((each) => restoreSession(ciphers, own.identity.name, each));
    this.#sessions = sessions.filter(({ peer }) => this.roster.belongs(peer));
    return this.#sessions.length;
  }

  // Publications.

  /** Whether publications are taken. The keys for them come within a session, whenever that has new keys itself. */
  listen(isListening: boolean): void {
    this.#group = isListening ? new GroupReceiver(this.ciphers, this.#all) : undefined;
  }

  /** Takes the key under which a host publishes from now on, as a host said it. False for garbage. */
  takeKey(payload: Uint8Array): boolean {
    try {
      const key = senderKeyFromWire(decodeCbor(payload));
      if (this.#hosts.some(({ name }) => name === key.host)) this.#group?.hold(key);
      else this.#refused++;
      return true;
    } catch (error) {
      if (error instanceof CborError || error instanceof ShapeError) return false;
      throw error;
    }
  }

  /**
   * What is published; undefined, and counted, for what can't be opened: `garbage` when it is worse than sealed under a key that is not known,
   * or a copy.
   */
  openPublication(bytes: Uint8Array): Uint8Array | "garbage" | undefined {
    const opened = this.#group?.open(bytes);
    if (opened === undefined) return undefined;
    if ("payload" in opened) return opened.payload;
    if (opened.fault === "malformed" || opened.fault === "forged") return "garbage";
    this.#refused++;
    return undefined;
  }

  /** What was kept under other credentials is not this board's. */
  private binding(): Uint8Array {
    const { root, signed } = this.#config.credentials;
    return kidOf(this.ciphers, concat(root, signed));
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
