/**
 * This host's connections to the other hosts of the swarm: one for each pair, kept up.
 *
 * Of two hosts the one that stands later in `swarm.ts` opens the connection; the earlier one does so only after a while without, in case
 * the later one was never told its address. Should two connections of one pair meet, the one that the later host opened
 * stays, and of two of the same direction the newer, on both sides.
 *
 * Whoever connects has to prove that it is a host of the swarm before anything that it says is looked at (`secure-stream.ts`); who has not done so
 * yet takes one of a few places, and a newer one takes that of the oldest.
 */
import { createServer, type Socket } from "node:net";
import type { Known, Roster } from "../../../protocols/security/identity/roster.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { MemberSecrets } from "../../security/member-file.ts";
import type { Actor } from "../access/actor.ts";
import type { Audit } from "../audit.ts";
import { listen, portOf } from "../listen.ts";
import type { Log } from "../log.ts";
import { Dialer, type PeerAddress } from "./dialer.ts";
import { frameOf } from "./frame-reader.ts";
import { frameToWire } from "./host-frame-codec.ts";
import type { HostFrame, HostHello } from "./host-frames.ts";
import {
  HostLink,
  type HostTraffic,
  isGarbage,
  isRefusal,
  LinkEnded,
  SecondConnection,
} from "./host-link.ts";
import { HandshakeFailed } from "./secure-stream.ts";
import { type ForwardedRequest, vouchingHost } from "./vouching.ts";

export type { PeerAddress };

export interface HostLinksOptions {
  /** This host's identity: a host of the swarm. */
  readonly member: MemberSecrets;
  /** Who belongs to the swarm; tell `rosterChanged` when it does. */
  readonly roster: Roster;
  readonly audit: Audit;
  /** All hosts of the swarm in the order of `swarm.ts`. */
  readonly hostNames: readonly string[];
  /** Where other hosts answer; those that are missing are waited for. */
  readonly peers: ReadonlyMap<string, PeerAddress>;
  readonly listenAddress: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly log: Log;
  /** One way under one key, if not as many as usual. */
  readonly recordsMax?: number | undefined;
  /** What to say of oneself on a new connection. */
  hello(): Pick<HostHello, "hasLog" | "url">;
  onUp(peer: HostHello): void;
  onDown(host: string): void;
  onFrame(host: string, frame: HostFrame): void;
}

export const hostLinksLimits = {
  /** Connections of others that have not proved yet who they are. */
  unprovedMax: 8,
  /** How much longer a host waits before it dials one that stands later. */
  earlierWaitsMs: 1_000,
} as const;

export class HostLinks {
  port = 0;
  readonly traffic: HostTraffic = {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    dropped: 0,
    garbage: 0,
    refused: 0,
  };
  readonly #options: HostLinksOptions;
  readonly #server = createServer((socket) => this.#accept(socket));
  /** By name of the host. */
  readonly #up = new Map<string, HostLink>();
  readonly #all = new Set<HostLink>();
  readonly #dialers: Dialer[] = [];
  #isStopping = false;

  constructor(options: HostLinksOptions) {
    this.#options = options;
    // One of each other host, as many again on their way in or out, and whoever has yet to prove that it is one.
    this.#server.maxConnections = 2 * options.hostNames.length + hostLinksLimits.unprovedMax + 1;
  }

  get #own(): string {
    return this.#options.member.identity.name;
  }

  /** Listens and begins to dial. @throws {PortUnavailable} */
  async start(): Promise<void> {
    const { hostNames, peers, listenAddress, port } = this.#options;
    const hostName = this.#own;
    await listen(this.#server, { host: listenAddress, port, purpose: "peer" });
    this.port = portOf(this.#server);
    const own = hostNames.indexOf(hostName);
    for (const [name, address] of peers) {
      if (name === hostName) continue;
      const patienceMs = hostNames.indexOf(name) > own ? hostLinksLimits.earlierWaitsMs : 0;
      const dialer: Dialer = new Dialer(address, patienceMs, (socket) =>
        this.#open(socket, name, () => dialer.backOff()),
      );
      this.#dialers.push(dialer);
      dialer.isWanted = () => !this.#isStopping && !this.#up.has(name);
      dialer.start();
    }
  }

  /** The hosts that are connected, by name. */
  get peers(): ReadonlyMap<string, HostHello> {
    return new Map(Array.from(this.#up, ([name, link]) => [name, link.peer!]));
  }

  isUp(host: string): boolean {
    return this.#up.has(host);
  }

  /** False when it was dropped, which Raft expects. */
  send(host: string, frame: HostFrame): boolean {
    const link = this.#up.get(host);
    if (link !== undefined) return link.send(frame);
    this.traffic.dropped++;
    return false;
  }

  /** To all that are connected, or to those named; encoded once. */
  broadcast(frame: HostFrame, hosts: Iterable<string> = this.#up.keys()): void {
    let bytes: Buffer | undefined;
    for (const host of hosts) {
      const link = this.#up.get(host);
      if (link === undefined) continue;
      bytes ??= frameOf(encodeCbor(frameToWire(frame)));
      link.sendEncoded(bytes);
    }
  }

  /** The roster has a new epoch: whoever belongs no more is cut off. */
  rosterChanged(): void {
    for (const link of [...this.#all]) link.rosterChanged();
  }

  /** For the header of one request to this host: that this host says who asks. undefined when it is not connected. */
  vouch(host: string, request: ForwardedRequest, actor: Actor): string | undefined {
    return this.#up.get(host)?.vouching?.vouch(request, actor);
  }

  /** Who asks, as a connected host says in that header; undefined when none says so of this request, or has said it before. */
  vouched(header: string, request: ForwardedRequest): Actor | undefined {
    return this.#up.get(vouchingHost(header))?.vouching?.check(header, request);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const dialer of this.#dialers) dialer.stop();
    for (const link of [...this.#all]) link.close(undefined);
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const unproved = [...this.#all].filter((link) => !link.isDialled && link.known === undefined);
    // Whoever has waited longest is least likely to be about to prove itself.
    if (unproved.length >= hostLinksLimits.unprovedMax) {
      unproved[0]!.close(new LinkEnded("too many connections that have proved nothing yet"));
    }
    this.#open(socket, undefined);
  }

  /** `dialled` names the host that is to be there. */
  #open(socket: Socket, dialled: string | undefined, onRefused = () => {}): void {
    const { member, roster, hostNames, hello, recordsMax } = this.#options;
    const { swarm, name } = member.identity;
    const { remoteAddress = "unknown" } = socket;
    let objection: string | undefined;
    const link: HostLink = new HostLink(socket, {
      isDialled: dialled !== undefined,
      ...{ own: member, roster, recordsMax, traffic: this.traffic },
      hello: () => ({ kind: "hello", swarm, host: name, ...hello() }),
      admits: (peer) => {
        objection = objectionTo(peer, { own: name, hostNames, dialled });
        return objection === undefined;
      },
      events: {
        onHello: (_, peer) => this.#greet(link, peer),
        onFrame: (_, frame) => {
          if (this.#up.get(link.peer!.host) === link) this.#options.onFrame(link.peer!.host, frame);
        },
        onClosed: (_, reason) => {
          if (link.hasBegun && link.known === undefined && !this.#isStopping) {
            const who = dialled === undefined ? remoteAddress : `whoever answers for ${dialled}`;
            if (isRefusedThere(reason))
              this.#options.log.warn("host-refuses", { who, reason: reason.message });
            else this.#refused(who, objection);
            onRefused();
          }
          this.#closed(link, reason);
        },
      },
    });
    this.#all.add(link);
  }

  /** Who was there has not proved to be a host for this connection. */
  #refused(who: string, objection = "it proves no identity of this swarm that belongs"): void {
    this.traffic.refused++;
    this.#options.log.warn("host-refused", { who, reason: objection });
    this.#options.audit.refused(who, `a connection between hosts: ${objection}`);
  }

  #greet(link: HostLink, peer: HostHello): void {
    const former = this.#up.get(peer.host);
    if (former !== undefined && this.#isByLater(former, peer.host) && !this.#isByLater(link, peer.host)) {
      throw new SecondConnection();
    }
    link.peer = peer;
    this.#up.set(peer.host, link);
    former?.close(new LinkEnded("replaced by a newer connection"));
    this.#options.log.info("host-connected", { host: peer.host, url: peer.url });
    this.#options.onUp(peer);
  }

  /** Whether the host that stands later in the list opened this connection. */
  #isByLater(link: HostLink, peer: string): boolean {
    const { hostNames } = this.#options;
    return link.isDialled === hostNames.indexOf(this.#own) > hostNames.indexOf(peer);
  }

  #closed(link: HostLink, reason: Error | undefined): void {
    this.#all.delete(link);
    const { log, audit, onDown } = this.#options;
    const name = link.known?.identity.name;
    if (
      name !== undefined &&
      reason !== undefined &&
      isRefusal(reason) &&
      !(reason instanceof SecondConnection)
    ) {
      audit.refused(name, `a connection between hosts: ${reason.message}`);
    }
    const host = link.peer?.host;
    // A code marks an error of the operating system, such as ECONNRESET: nobody's wrong-doing.
    if (
      reason !== undefined &&
      !("code" in reason) &&
      !this.#isStopping &&
      !(reason instanceof HandshakeFailed)
    ) {
      const isTheirs = isGarbage(reason) || isRefusal(reason) || reason instanceof LinkEnded;
      if (isTheirs) log.warn("host-link-closed", { host, reason: reason.message });
      else log.error("host-frame-failed", { host, reason: reason.stack });
    }
    if (host === undefined || this.#up.get(host) !== link) return;
    this.#up.delete(host);
    log.warn("host-lost", { host });
    onDown(host);
  }
}

/** The other side does not take this host for one of the swarm. */
function isRefusedThere(reason: Error | undefined): reason is HandshakeFailed {
  return reason instanceof HandshakeFailed && !reason.isOurs;
}

interface Wanted {
  readonly own: string;
  readonly hostNames: readonly string[];
  /** Of the host that was dialled. */
  readonly dialled: string | undefined;
}

/** Why a member of the swarm is not wanted on this connection; undefined when it is. */
function objectionTo({ identity }: Known, { own, hostNames, dialled }: Wanted): string | undefined {
  const { name, role } = identity;
  if (role !== "host") return `${name} has the identity of a ${role}, not of a host`;
  if (name === own) return `${name} is this host itself: its identity is in use twice`;
  if (!hostNames.includes(name)) return `this host's swarm.ts names no host ${name}`;
  if (dialled !== undefined && name !== dialled) return `host ${name} answers at the address of ${dialled}`;
  return undefined;
}
