/**
 * Boards speak to boards: messages between the members of a group, over UDP on the network that they share, each pair under a session of its own.
 * No host has a part in it.
 *
 * ```
 *   asking ----> to all around        here ----> the address of a member        handshake, by whose name is smaller ----> session
 * ```
 *
 * A message may be lost, may come late and out of order, and never comes twice: who needs an answer asks again. Sessions are made when somebody has something to
 * say, or all at once and for good with `keepAlive`; nothing of them outlives the power. Until a group names the board there is no socket and next to no heap.
 */
import {
  DatagramKind,
  decodeAnnouncement,
  decodeFirst,
  encodeAnnouncement,
  encodeTagged,
  kindOf,
  lanGroup,
  lanPort,
  tagEnd,
  tagOf,
} from "../../protocols/lan/datagrams.ts";
import type { BoardLog } from "../board/board-log.ts";
import type { Trust } from "../board/trust.ts";
import type { Turns } from "../board/turns.ts";
import type { Clock, Network, Random, UdpEvents, UdpSocket } from "../platform/ports.ts";
import { type HandshakeEvents, LanHandshakes } from "./lan-handshakes.ts";
import { LanInbox, type Waiting } from "./lan-inbox.ts";
import { handshakeLimits, lanLimits } from "./lan-limits.ts";
import { LanPeer } from "./lan-peer.ts";
import { LanQuestion } from "./lan-question.ts";
import type { LanSession } from "./lan-session.ts";

export { lanLimits } from "./lan-limits.ts";

export interface LanParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly trust: Trust;
  readonly log: BoardLog;
  readonly turns: Turns;
  readonly swarm: string;
}

export interface LanEvents {
  /** The member `from` sent this, which is the receiver's to keep. Called from `run` only. */
  onLanMessage(from: string, bytes: Uint8Array): void;
}

export class Lan implements UdpEvents, HandshakeEvents {
  readonly #parts: LanParts;
  readonly #events: LanEvents;
  /** Name of this board; empty for one that cannot say who it is. */
  readonly #own: string;
  readonly #question: LanQuestion;
  readonly #inbox = new LanInbox();
  /** undefined while there are no peers, and for a board that cannot say who it is. */
  #handshakes: LanHandshakes | undefined;
  #peers: readonly LanPeer[] = noPeers;
  #socket: UdpSocket | undefined;
  #openMs = 0;
  #isUp = false;
  #isKept = false;
  /** When somebody was last told that its record is of no session here. */
  #toldMs = -Infinity;
  #dueMs = Infinity;

  /** Quiet, and next to nothing of heap, until `setPeers` names somebody. */
  constructor(parts: LanParts, events: LanEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#own = parts.trust.own?.identity.name ?? "";
    this.#question = new LanQuestion(parts.random);
  }

  /** When `run` has something to do; -Infinity for at once, Infinity for never. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** The other members of the group, whoever else is in `names`; at most `peersMax`. Sessions with others end. None: the socket is closed. */
  setPeers(names: readonly string[]): void {
    const { trust, random, swarm } = this.#parts;
    const { own } = trust;
    const before = this.#peers;
    const others = own === undefined ? noNames : names.filter((name) => name !== this.#own);
    if (others.length > lanLimits.peersMax)
      throw new RangeError(`${others.length} other members: at most ${lanLimits.peersMax} are spoken to.`);
    this.#peers = others.map(
      (name) => before.find((peer) => peer.name === name) ?? new LanPeer(name, this.#own < name),
    );
    if (own === undefined || others.length === 0) {
      this.#handshakes = undefined;
      this.close();
      return;
    }
    this.#handshakes ??= new LanHandshakes({ trust, random, own, swarm }, this);
    this.#handshakes.keep(this.#peers);
    this.#dueMs = -Infinity;
  }

  /** Whether there are to be sessions with all peers, in which something is said every 2 s. Without it a session is made when there is something to send. */
  keepAlive(isKept: boolean): void {
    if (this.#isKept === isKept) return;
    this.#isKept = isKept;
    if (this.#peers.length > 0) this.#dueMs = -Infinity;
  }

  /**
   * Sends a message, which may be lost. False when there is no session with that member yet: one is made, try again soon. Throws `RangeError` for
   * more than `messageBytesMax`.
   */
  send(name: string, bytes: Uint8Array): boolean {
    if (bytes.length === 0 || bytes.length > lanLimits.messageBytesMax)
      throw new RangeError(
        `A message has ${bytes.length} bytes: 1 to ${lanLimits.messageBytesMax} can be sent.`,
      );
    const peer = this.find(name);
    if (peer === undefined) return false;
    const nowMs = this.#parts.clock.nowMs();
    if (!this.isWanted(peer, nowMs)) this.#dueMs = -Infinity;
    peer.wantedUntilMs = nowMs + lanLimits.wantedMs;
    return this.say(peer, bytes, nowMs);
  }

  /** When that member last said something that is surely its own; -Infinity for never since the board started. */
  heardMs(name: string): number {
    return this.find(name)?.heardMs ?? -Infinity;
  }

  /** Whether there is a session with that member. It may be silent all the same: see `heardMs`. */
  isUp(name: string): boolean {
    return this.find(name)?.session !== undefined;
  }

  onNetworkChange(up: boolean): void {
    this.#isUp = up;
    this.close();
    if (this.#peers.length > 0) this.#dueMs = -Infinity;
  }

  /** The roster has changed: `Trust.takeRoster` took it. Whoever belongs no more has no session from now on. */
  onRoster(): void {
    const { roster } = this.#parts.trust;
    for (const peer of this.#peers) {
      if (peer.session !== undefined && !roster.belongs(peer.session.peer)) forget(peer);
    }
    if (this.#peers.length > 0) this.#dueMs = -Infinity;
  }

  run(nowMs: number): void {
    const handshakes = this.#handshakes;
    if (nowMs < this.#dueMs || handshakes === undefined) return;
    this.#dueMs = Infinity;
    if (!this.isOpen(nowMs)) return;
    const arrived = this.#inbox.takeAll();
    for (let i = 0; i < arrived.length; i++) this.take(arrived[i]!, nowMs);
    handshakes.run(nowMs);
    let dueMs = Infinity;
    let isNewlySought = false;
    let isSought = false;
    for (let i = 0; i < this.#peers.length; i++) {
      const peer = this.#peers[i]!;
      dueMs = Math.min(dueMs, this.tend(peer, handshakes, nowMs));
      const wasSought = peer.isSought;
      peer.isSought = this.isToBeSought(peer, nowMs);
      isSought ||= peer.isSought;
      isNewlySought ||= peer.isSought && !wasSought;
    }
    if (this.#question.run(isSought, isNewlySought, nowMs)) this.announce(true, lanGroup);
    this.#dueMs = Math.min(this.#dueMs, dueMs, handshakes.dueMs, this.#question.dueMs);
  }

  // For the socket.

  /** Read in the board's turn, off the socket's deep stack. What is of no use to anybody here costs no more than this. */
  onData(bytes: Uint8Array, address: string): void {
    const kind = kindOf(bytes);
    if (kind < 0 || (kind === DatagramKind.handshake && !this.knows(tagOf(bytes)))) return;
    // Of a record that nobody here can open only the tag is looked at.
    const isStrange = kind === DatagramKind.record && this.sessionOf(tagOf(bytes)) === undefined;
    const { turns } = this.#parts;
    if (!turns.begin()) return;
    this.#inbox.push(bytes, isStrange ? tagEnd + 1 : bytes.length, address);
    this.#dueMs = -Infinity;
    turns.end();
  }

  // For the handshakes.

  sendTo(address: string | undefined, datagram: Uint8Array): void {
    this.#socket?.send(address ?? lanGroup, lanPort, datagram);
  }

  onSession(peer: LanPeer, session: LanSession, address: string): void {
    const nowMs = this.#parts.clock.nowMs();
    peer.session = session;
    peer.address = address;
    peer.retryMs = nowMs + handshakeLimits.againMs;
    peer.pauseMs = 0;
    this.hear(peer, nowMs);
    this.#parts.log.write(
      "info",
      "lan-session",
      "with",
      peer.name,
      "address",
      address,
      "epoch",
      session.epoch,
    );
    // So the peer knows that message 4 has come.
    if (peer.isResponder) this.say(peer, empty, nowMs);
  }

  onFailure(peer: LanPeer, reason: string): void {
    const { pauseFirstMs, pauseMostMs } = handshakeLimits;
    const nowMs = this.#parts.clock.nowMs();
    const seed = new Uint8Array(1);
    this.#parts.random.fill(seed);
    peer.pauseMs = Math.min(Math.max(2 * peer.pauseMs, pauseFirstMs), pauseMostMs);
    peer.retryMs = nowMs + Math.ceil((peer.pauseMs * (1 + seed[0]! / 255)) / 2);
    // It is to say once more where it is: nobody there costs no more than that question, which is asked soon, because somebody has just been there.
    peer.saidAddress = undefined;
    this.#question.hasten(nowMs);
    this.#parts.log.write("info", "lan-refused", "by", peer.name, "reason", reason, "pauseMs", peer.pauseMs);
  }

  // What arrives.

  private take({ bytes, address }: Waiting, nowMs: number): void {
    switch (kindOf(bytes)) {
      case DatagramKind.record:
        this.takeRecord(bytes, address, nowMs);
        break;
      case DatagramKind.handshake:
        this.takeHandshake(bytes, address, nowMs);
        break;
      case DatagramKind.first:
        this.takeFirst(bytes, address, nowMs);
        break;
      default:
        this.takeAnnouncement(bytes, address, nowMs);
    }
  }

  private takeRecord(bytes: Uint8Array, address: string, nowMs: number): void {
    const peer = this.sessionOf(tagOf(bytes));
    const session = peer?.session;
    if (peer === undefined || session === undefined) {
      this.tellStranger(address, nowMs);
      return;
    }
    const { highest } = session;
    const { ciphers } = this.#parts.trust;
    const payload = session.open(ciphers, bytes.subarray(tagEnd));
    if (payload === undefined) {
      this.#parts.trust.countRefused();
      return;
    }
    // Whoever repeats an earlier record from elsewhere moves nobody.
    if (session.highest > highest) peer.address = address;
    peer.answer = undefined;
    this.hear(peer, nowMs);
    if (payload.length > 0) this.#events.onLanMessage(peer.name, payload);
  }

  private takeHandshake(bytes: Uint8Array, address: string, nowMs: number): void {
    const tag = tagOf(bytes);
    const answered = this.sessionOf(tag);
    if (answered === undefined) this.#handshakes?.take(tag, bytes.subarray(tagEnd), address, nowMs);
    else if (answered.answer !== undefined) this.sendTo(address, answered.answer);
  }

  private takeFirst(bytes: Uint8Array, address: string, nowMs: number): void {
    const first = decodeFirst(bytes);
    if (first === undefined || first.swarm !== this.#parts.swarm || first.to !== this.#own) return;
    const peer = this.find(first.from);
    if (peer === undefined || peer.isResponder || this.sessionOf(first.tag) !== undefined) return;
    this.#handshakes?.takeFirst(first, peer, address, nowMs);
  }

  private takeAnnouncement(bytes: Uint8Array, address: string, nowMs: number): void {
    const announcement = decodeAnnouncement(bytes);
    if (announcement === undefined || announcement.swarm !== this.#parts.swarm) return;
    const peer = this.find(announcement.name);
    if (peer === undefined) return;
    peer.saidAddress = address;
    peer.hasCome = true;
    if (!announcement.isAsking) return;
    // It does not look for the peer in its turn: the two would ask each other for ever.
    peer.askedUntilMs = nowMs + lanLimits.wantedMs;
    if (nowMs < peer.answeredMs + lanLimits.answerEveryMs) return;
    peer.answeredMs = nowMs;
    this.announce(false, address);
  }

  /** Whoever seals for a session that is not known here, because this board was without power, hears that it is there and looks for its peers. */
  private tellStranger(address: string, nowMs: number): void {
    if (nowMs < this.#toldMs + lanLimits.answerEveryMs) return;
    this.#toldMs = nowMs;
    this.announce(true, address);
  }

  // What is due.

  /** Gives when there is something to do for this peer again. */
  private tend(peer: LanPeer, handshakes: LanHandshakes, nowMs: number): number {
    const dueMs = this.tendSession(peer, nowMs);
    const isWantedByEither = this.isWanted(peer, nowMs) || nowMs < peer.askedUntilMs;
    const isToBegin = peer.isResponder && isWantedByEither && this.isNewDue(peer, nowMs);
    if (!isToBegin || (peer.saidAddress ?? peer.address) === undefined || !handshakes.isFree) return dueMs;
    if (nowMs < peer.retryMs) return Math.min(dueMs, peer.retryMs);
    peer.hasCome = false;
    handshakes.begin(peer, nowMs);
    return dueMs;
  }

  private tendSession(peer: LanPeer, nowMs: number): number {
    const { aliveMs, idleMs, silentMs } = lanLimits;
    const isWanted = this.isWanted(peer, nowMs);
    if (peer.session === undefined) return isWanted && !this.#isKept ? peer.wantedUntilMs : Infinity;
    if (peer.answer !== undefined && nowMs >= peer.heardMs + handshakeLimits.answerMs)
      peer.answer = undefined;
    if (this.#isKept && nowMs >= peer.sentMs + aliveMs) this.say(peer, empty, nowMs);
    const idleFromMs = Math.max(peer.heardMs, peer.sentMs) + idleMs;
    if (!isWanted && nowMs >= idleFromMs) {
      forget(peer);
      return Infinity;
    }
    const endMs = this.#isKept ? peer.sentMs + aliveMs : isWanted ? peer.wantedUntilMs : idleFromMs;
    return isSilent(peer, nowMs) ? endMs : Math.min(endMs, peer.heardMs + silentMs);
  }

  /** Whether there is to be a new session with this peer: for want of one, or because it seems to have forgotten it, or in place of an old one. */
  private isNewDue({ session, hasCome, heardMs }: LanPeer, nowMs: number): boolean {
    if (session === undefined) return true;
    const hasForgotten = hasCome && nowMs >= heardMs + lanLimits.silentMs;
    return hasForgotten || session.isWorn || session.epoch < this.#parts.trust.roster.epoch;
  }

  private isToBeSought(peer: LanPeer, nowMs: number): boolean {
    return this.isWanted(peer, nowMs) && (peer.session === undefined || isSilent(peer, nowMs));
  }

  private isWanted({ wantedUntilMs }: LanPeer, nowMs: number): boolean {
    return this.#isKept || nowMs < wantedUntilMs;
  }

  // Words.

  private announce(isAsking: boolean, address: string): void {
    const { swarm } = this.#parts;
    this.sendTo(address, encodeAnnouncement({ isAsking, swarm, name: this.#own }));
  }

  /** False where there is no session, or no network. Whoever is silent may be elsewhere: then it goes there too. */
  private say(peer: LanPeer, payload: Uint8Array, nowMs: number): boolean {
    const { session, address, saidAddress } = peer;
    if (session === undefined || address === undefined || this.#socket === undefined) return false;
    const record = session.seal(this.#parts.trust.ciphers, payload);
    peer.sentMs = nowMs;
    const datagram = encodeTagged(DatagramKind.record, session.tag, record);
    this.sendTo(address, datagram);
    const isElsewhere = saidAddress !== undefined && saidAddress !== address && isSilent(peer, nowMs);
    if (isElsewhere) this.sendTo(saidAddress, datagram);
    return true;
  }

  private hear(peer: LanPeer, nowMs: number): void {
    peer.heardMs = nowMs;
    peer.hasCome = false;
  }

  // The socket.

  private isOpen(nowMs: number): boolean {
    const { network, log } = this.#parts;
    if (this.#socket !== undefined) return true;
    if (!this.#isUp || network.openUdp === undefined) return false;
    if (nowMs < this.#openMs) {
      this.#dueMs = this.#openMs;
      return false;
    }
    try {
      this.#socket = network.openUdp(lanPort, this, lanGroup);
    } catch (error) {
      log.write("warn", "lan-closed", "reason", (error as Error).message);
      this.#openMs = nowMs + lanLimits.openAgainMs;
      this.#dueMs = this.#openMs;
      return false;
    }
    // Whoever knew this board's address is told of the new one by what is said to it.
    for (const peer of this.#peers) peer.sentMs = -Infinity;
    return true;
  }

  private close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#inbox.takeAll();
    this.#question.stop();
    this.#dueMs = Infinity;
  }

  private find(name: string): LanPeer | undefined {
    for (const peer of this.#peers) if (peer.name === name) return peer;
    return undefined;
  }

  private sessionOf(tag: number): LanPeer | undefined {
    for (const peer of this.#peers) if (peer.session?.tag === tag) return peer;
    return undefined;
  }

  private knows(tag: number): boolean {
    return this.sessionOf(tag) !== undefined || this.#handshakes?.knows(tag) === true;
  }
}

const noPeers: readonly LanPeer[] = Object.freeze([]);
const noNames: readonly string[] = Object.freeze([]);
/** What keeps a session alive says nothing. */
const empty = new Uint8Array(0);

function isSilent({ heardMs }: LanPeer, nowMs: number): boolean {
  return nowMs >= heardMs + lanLimits.silentMs;
}

function forget(peer: LanPeer): void {
  peer.session = undefined;
  peer.address = undefined;
  peer.answer = undefined;
}
