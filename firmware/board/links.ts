/**
 * The board's connections (design, point 9). A learner keeps one, to whichever host takes it; a voter one to each host, so that
 * a candidate reaches it without waiting for a dead connection. What is not said on the link on which it was asked, goes where
 * the leader speaks.
 */
import type { SealedChannel } from "../../protocols/messages/board-messages.ts";
import { nameOf } from "../../protocols/messages/member-name.ts";
import type { BoardTopics } from "../../protocols/messages/topics.ts";
import type { MemberId } from "../../protocols/raft/types.ts";
import type { BoardConfig, HostAddress } from "../platform/ports.ts";
import { Inbox } from "./inbox.ts";
import { Link, type LinkState, linkLimits } from "./link.ts";
import type { LinkEvents, LinkParts } from "./link-parts.ts";

export const linksLimits = Object.freeze({
  /** A learner with a choice leaves a host through which it has heard no leader for so long; twice as long each time that it finds none. */
  silentFirstMs: 20_000,
  silentMostMs: 320_000,
});

export class Links {
  readonly #parts: LinkParts;
  readonly #events: LinkEvents;
  readonly #hosts: readonly HostAddress[];
  readonly #inbox = new Inbox();
  #links: readonly Link[];
  #isUp = false;
  #isVoter = false;
  /** On which the leader was heard last, and when. */
  #leading: Link | undefined;
  #leaderHeardMs = -Infinity;
  #silentMs: number = linksLimits.silentFirstMs;
  /** Of links that are no more. */
  #pastReconnects = 0;
  #pastGarbage = 0;

  /** `gone` is the payload of the board's last will. */
  constructor(
    parts: Omit<LinkParts, "inbox" | "mqttOptions" | "authority">,
    events: LinkEvents,
    { board, hosts, credentials }: BoardConfig,
    gone: Uint8Array,
  ) {
    const topics: BoardTopics = parts.topics;
    const mqttOptions = {
      clientId: board,
      keepaliveSeconds: linkLimits.keepaliveSeconds,
      will: { topic: `${topics.up}gone`, payload: gone },
      filters: [`${topics.down}#`, topics.all],
      packetBytesMax: linkLimits.packetBytesMax,
      answerTimeoutMs: linkLimits.answerMs,
      userName: board,
      password: credentials.signed,
    };
    this.#parts = { ...parts, inbox: this.#inbox, mqttOptions, authority: credentials.authority };
    this.#events = events;
    this.#hosts = hosts;
    // A random host first, so that the boards of a swarm spread over its hosts.
    const seed = new Uint8Array(1);
    if (hosts.length > 1) parts.random.fill(seed);
    this.#links = hosts.length === 0 ? [] : [new Link(this.#parts, events, hosts, seed[0]! % hosts.length)];
  }

  /** Of the link that has come furthest. */
  get state(): LinkState {
    let furthest = 0;
    for (let i = 0; i < this.#links.length; i++) {
      furthest = Math.max(furthest, order.indexOf(this.#links[i]!.state));
    }
    return order[furthest]!;
  }

  get count(): number {
    return this.#links.length;
  }

  get reconnects(): number {
    let reconnects = this.#pastReconnects;
    for (const link of this.#links) reconnects += link.reconnects;
    return reconnects;
  }

  /** Connections that were dropped because of what a host sent. */
  get garbage(): number {
    let garbage = this.#pastGarbage;
    for (const link of this.#links) garbage += link.garbage;
    return garbage;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    let dueMs = this.#inbox.isEmpty ? this.silentDueMs() : -Infinity;
    for (let i = 0; i < this.#links.length; i++) dueMs = Math.min(dueMs, this.#links[i]!.dueMs);
    return dueMs;
  }

  /** Whether the broker has all that was published before `ping`. */
  get isHeard(): boolean {
    return this.main?.isHeard ?? false;
  }

  run(nowMs: number): void {
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      // A voter has all that is published sent to itself.
      if (next.channel !== undefined || !this.#isVoter) next.link.read(next, nowMs);
    }
    for (const link of this.#links) if (nowMs >= link.dueMs) link.run(nowMs);
    if (nowMs < this.silentDueMs()) return;
    this.#silentMs = Math.min(2 * this.#silentMs, linksLimits.silentMostMs);
    this.#links[0]!.lose("no leader speaks there");
  }

  /** The board knows a new statement about who belongs: whoever does not is left, and with the others new keys are made. */
  onRoster(nowMs: number): void {
    for (const link of this.#links) link.onRoster(nowMs);
  }

  /**
   * Whether `from` may speak through `link`: its host for itself, and for another host while the board has no session with that one. No host
   * speaks for a board.
   */
  mayCarry(link: Link, from: MemberId): boolean {
    const name = nameOf(from);
    if (name === link.host.name) return true;
    const isHost = this.#hosts.some((host) => host.name === name);
    return isHost && !this.#links.some(({ state, host }) => state === "joined" && host.name === name);
  }

  onNetworkChange(up: boolean): void {
    // Nobody would take a board that can't say who it is.
    if (this.#parts.trust.own === undefined) return;
    this.#isUp = up;
    this.#parts.log.write("info", up ? "network-up" : "network-down");
    for (const link of this.#links) link.onNetworkChange(up);
  }

  /** The leader spoke through `link`. */
  onLeader(link: Link, nowMs: number): void {
    this.#leading = link;
    this.#leaderHeardMs = nowMs;
    this.#silentMs = linksLimits.silentFirstMs;
  }

  /** A voter has a link to each host, a learner the one that serves it best. */
  setVoter(isVoter: boolean): void {
    if (isVoter === this.#isVoter) return;
    this.#isVoter = isVoter;
    this.#parts.trust.listen(!isVoter);
    this.#parts.log.write("info", isVoter ? "votes" : "votes-no-more", "hosts", this.#hosts.length);
    if (this.#hosts.length > 1) this.connectAs(isVoter);
    // With new keys of the session come those of publications.
    if (!isVoter) this.main?.refresh();
    const pauseMostMs = isVoter ? linkLimits.voterPauseMostMs : linkLimits.pauseMostMs;
    for (const link of this.#links) link.pauseMostMs = pauseMostMs;
  }

  /** Publishes where the leader speaks, or, while none does, on any link that is joined; false when there is none, or no room. */
  publish(channel: SealedChannel, payload: Uint8Array): boolean {
    return this.main?.publish(channel, payload) ?? false;
  }

  ping(): void {
    this.main?.ping();
  }

  /** Says goodbye everywhere. */
  leave(gone: Uint8Array): void {
    for (const link of this.#links) link.leave(gone);
  }

  private get main(): Link | undefined {
    if (this.#leading?.state === "joined") return this.#leading;
    return this.#links.find(({ state }) => state === "joined");
  }

  private connectAs(isVoter: boolean): void {
    const main = this.main ?? this.#links[0]!;
    if (isVoter) {
      this.#links = this.#hosts.map((host) => this.linkTo(host, main));
      return;
    }
    for (const link of this.#links) if (link !== main) this.drop(link);
    main.goTo(this.#hosts);
    this.#links = [main];
  }

  private linkTo(host: HostAddress, present: Link): Link {
    const hosts = [host];
    if (present.host.name === host.name) {
      present.goTo(hosts);
      return present;
    }
    const link = new Link(this.#parts, this.#events, hosts, 0);
    if (this.#isUp) link.onNetworkChange(true);
    return link;
  }

  private drop(link: Link): void {
    this.#pastReconnects += link.reconnects;
    this.#pastGarbage += link.garbage;
    link.end();
  }

  private silentDueMs(): number {
    if (this.#isVoter || this.#hosts.length <= 1) return Infinity;
    const link = this.#links[0]!;
    if (link.state !== "joined") return Infinity;
    return Math.max(link.joinedMs, this.#leaderHeardMs) + this.#silentMs;
  }
}

const order: readonly LinkState[] = Object.freeze([
  "offline",
  "waiting",
  "connecting",
  "joining",
  "joined",
] as const);
