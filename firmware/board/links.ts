/**
 * The board's connections (design, point 9). A learner keeps one, to whichever host takes it; a voter one to each host, so that
 * a candidate reaches it without waiting for a dead connection. What is not said on the link on which it was asked, goes where
 * the leader speaks.
 */

import { serviceLimits } from "../../protocols/mdns/service.ts";
import type { SealedChannel } from "../../protocols/messages/board-messages.ts";
import { nameOf } from "../../protocols/messages/member-name.ts";
import type { BoardTopics } from "../../protocols/messages/topics.ts";
import { PacketWriter } from "../../protocols/mqtt/packets.ts";
import type { MemberId } from "../../protocols/raft/types.ts";
import { type BoardConfig, type HostAddress, hostsMax } from "../platform/ports.ts";
import { Inbox } from "./inbox.ts";
import { Link, type LinkState, linkLimits } from "./link.ts";
import type { LinkEvents, LinkParts } from "./link-parts.ts";

export const linksLimits = Object.freeze({
  /** A learner with a choice leaves a host through which it has heard no leader for so long; twice as long each time that it finds none. */
  silentFirstMs: 20_000,
  silentMostMs: 320_000,
  /** A leader that spoke so recently is there. */
  freshMs: 5_000,
});

export class Links {
  readonly #parts: LinkParts;
  readonly #events: LinkEvents;
  /** As the board's contact names them. */
  #known: readonly HostAddress[];
  /** Those, and where else hosts of these names were found. Several of one host stand for one after the other. */
  #places: readonly HostAddress[];
  /** Of the hosts, each once. */
  #names: readonly string[];
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
    parts: Omit<LinkParts, "inbox" | "mqttOptions" | "writer" | "authority">,
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
    const writer = new PacketWriter(linkLimits.packetBytesMax);
    this.#parts = { ...parts, inbox: this.#inbox, mqttOptions, writer, authority: credentials.authority };
    this.#events = events;
    this.#known = hosts;
    this.#places = hosts;
    this.#names = namesOf(hosts);
    this.#links = this.newLinks();
  }

  /** Of the link that has come furthest. */
  get state(): LinkState {
    let furthest = 0;
    for (let i = 0; i < this.#links.length; i++) {
      const { state } = this.#links[i]!;
      // Nothing is further, and every turn asks.
      if (state === "joined") return state;
      furthest = Math.max(furthest, order.indexOf(state));
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

  hearsLeader(nowMs: number): boolean {
    return nowMs - this.#leaderHeardMs <= linksLimits.freshMs;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    let dueMs = this.#inbox.isEmpty ? this.silentDueMs() : -Infinity;
    for (let i = 0; i < this.#links.length; i++) dueMs = Math.min(dueMs, this.#links[i]!.dueMs);
    return dueMs;
  }

  /** Whether it is known where any host might be. */
  get knowsHosts(): boolean {
    return this.#places.length > 0;
  }

  /** Whether one of the hosts has this name. */
  isHost(name: string): boolean {
    return this.#names.includes(name);
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
    return (
      this.isHost(name) && !this.#links.some(({ state, host }) => state === "joined" && host.name === name)
    );
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

  /** The hosts are there from now on: every connection ends, and new ones begin. */
  moveTo(hosts: readonly HostAddress[]): void {
    for (const link of this.#links) this.drop(link);
    this.#known = hosts;
    this.#leading = undefined;
    this.setPlaces(hosts);
    this.begin();
  }

  /** Hosts were found here too: places for those that the contact names, or, where it names none, all that is known of them. */
  find(found: readonly HostAddress[]): void {
    const isKnown = ({ name }: HostAddress) => this.#known.some((known) => known.name === name);
    const more = this.#known.length === 0 ? found.slice(0, serviceLimits.placesMax) : found.filter(isKnown);
    const isNew = ({ address, port }: HostAddress) =>
      !this.#known.some((known) => known.address === address && known.port === port);
    this.setPlaces([...this.#known, ...more.filter(isNew)]);
    if (this.#links.length === 0) this.begin();
    else if (this.#isVoter) this.linkToAll();
    else this.#links[0]!.goTo(this.#places);
  }

  /** A voter has a link to each host, a learner the one that serves it best. */
  setVoter(isVoter: boolean): void {
    if (isVoter === this.#isVoter) return;
    this.#isVoter = isVoter;
    this.#parts.trust.listen(!isVoter);
    this.#parts.log.write("info", isVoter ? "votes" : "votes-no-more", "hosts", this.#names.length);
    if (this.#names.length > 1) this.connectAs(isVoter);
    // With new keys of the session come those of publications.
    if (!isVoter) this.main?.refresh();
    const pauseMostMs = isVoter ? linkLimits.voterPauseMostMs : linkLimits.pauseMostMs;
    for (const link of this.#links) link.pauseMostMs = pauseMostMs;
  }

  /** Publishes where the leader speaks, or, while none does, on any link that is joined; false when there is none, or no room. */
  publish(channel: SealedChannel, payload: Uint8Array): boolean {
    return this.main?.publish(channel, payload) ?? false;
  }

  /** As `publish`, to the host that is `turn` places after that one among those that are joined. */
  publishAt(turn: number, channel: SealedChannel, payload: Uint8Array): boolean {
    const { main } = this;
    if (main === undefined) return false;
    const joined = this.#links.filter(({ state }) => state === "joined");
    return joined[(joined.indexOf(main) + turn) % joined.length]!.publish(channel, payload);
  }

  /** A learner with a choice leaves its host for another. */
  moveOn(reason: string): void {
    if (!this.#isVoter && this.#places.length > 1) this.#links[0]?.lose(reason);
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
    if (isVoter) {
      this.linkToAll();
      return;
    }
    const main = this.main ?? this.#links[0]!;
    for (const link of this.#links) if (link !== main) this.drop(link);
    main.goTo(this.#places);
    this.#links = [main];
  }

  private linkToAll(): void {
    const main = this.main ?? this.#links[0]!;
    const present = [main, ...this.#links.filter((link) => link !== main)];
    this.#links = this.#names.map((name) => this.linkTo(name, present));
  }

  private linkTo(name: string, present: readonly Link[]): Link {
    const places = this.placesOf(name);
    const before = present.find(({ host }) => host.name === name);
    if (before !== undefined) {
      before.goTo(places);
      return before;
    }
    const link = new Link(this.#parts, this.#events, places, 0);
    if (this.#isUp) link.onNetworkChange(true);
    return link;
  }

  private begin(): void {
    this.#links = this.newLinks();
    const pauseMostMs = this.#isVoter ? linkLimits.voterPauseMostMs : linkLimits.pauseMostMs;
    for (const link of this.#links) {
      link.pauseMostMs = pauseMostMs;
      if (this.#isUp) link.onNetworkChange(true);
    }
  }

  private newLinks(): Link[] {
    const places = this.#places;
    if (places.length === 0) return [];
    if (this.#isVoter) {
      return this.#names.map((name) => new Link(this.#parts, this.#events, this.placesOf(name), 0));
    }
    // A random host first, so that the boards of a swarm spread over its hosts.
    const seed = new Uint8Array(1);
    if (places.length > 1) this.#parts.random.fill(seed);
    return [new Link(this.#parts, this.#events, places, seed[0]! % places.length)];
  }

  private setPlaces(places: readonly HostAddress[]): void {
    this.#places = places;
    this.#names = namesOf(places);
    this.#parts.trust.setHosts(places);
  }

  private placesOf(name: string): HostAddress[] {
    return this.#places.filter((place) => place.name === name);
  }

  private drop(link: Link): void {
    this.#pastReconnects += link.reconnects;
    this.#pastGarbage += link.garbage;
    link.end();
  }

  private silentDueMs(): number {
    const link = this.#links[0];
    if (this.#isVoter || link === undefined || this.#names.length <= 1) return Infinity;
    if (link.state !== "joined") return Infinity;
    return Math.max(link.joinedMs, this.#leaderHeardMs) + this.#silentMs;
  }
}

/** At most `hostsMax`. */
function namesOf(places: readonly HostAddress[]): string[] {
  const names: string[] = [];
  for (const { name } of places) if (!names.includes(name) && names.length < hostsMax) names.push(name);
  return names;
}

const order: readonly LinkState[] = Object.freeze([
  "offline",
  "waiting",
  "connecting",
  "joining",
  "joined",
] as const);
