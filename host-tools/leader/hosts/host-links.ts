/**
 * This host's connections to the other hosts of the swarm: one for each pair, kept up.
 *
 * Of two hosts the one that stands later in `swarm.ts` opens the connection; the earlier one does so only after a while without, in case
 * the later one was never told its address. Should two connections of one pair meet, the one that the later host opened
 * stays, and of two of the same direction the newer, on both sides.
 */
import { connect, createServer, type Socket } from "node:net";
import { encodeCbor } from "../../codec/cbor.ts";
import { listen, portOf } from "../listen.ts";
import type { Log } from "../log.ts";
import { frameOf } from "./frame-reader.ts";
import { frameToWire, type HostFrame, type HostHello } from "./host-frames.ts";
import { HostLink, type HostTraffic, isGarbage, isRefusal, LinkEnded, PeerRefused } from "./host-link.ts";

export interface PeerAddress {
  readonly address: string;
  readonly port: number;
}

export interface HostLinksOptions {
  readonly swarm: string;
  readonly hostName: string;
  /** All hosts of the swarm in the order of `swarm.ts`. */
  readonly hostNames: readonly string[];
  /** Where other hosts answer; those that are missing are waited for. */
  readonly peers: ReadonlyMap<string, PeerAddress>;
  readonly listenAddress: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly log: Log;
  /** What to say of oneself on a new connection. */
  hello(): Pick<HostHello, "hasLog" | "url">;
  onUp(peer: HostHello): void;
  onDown(host: string): void;
  onFrame(host: string, frame: HostFrame): void;
}

const dialLimits = {
  /** For the TCP connection. */
  connectMs: 2_000,
  pauseFirstMs: 100,
  pauseMostMs: 2_000,
  /** A connection that held this long was good: the next pause is the first again. */
  goodMs: 2_000,
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
  readonly #server = createServer((socket) => this.#open(socket, false));
  /** By name of the host. */
  readonly #up = new Map<string, HostLink>();
  readonly #all = new Set<HostLink>();
  readonly #dialers: Dialer[] = [];
  #isStopping = false;

  constructor(options: HostLinksOptions) {
    this.#options = options;
    // One of each other host, and as many again on their way in or out.
    this.#server.maxConnections = 16;
  }

  /** Listens and begins to dial. @throws {PortUnavailable} */
  async start(): Promise<void> {
    const { hostNames, hostName, peers, listenAddress, port } = this.#options;
    await listen(this.#server, { host: listenAddress, port, purpose: "peer" });
    this.port = portOf(this.#server);
    const own = hostNames.indexOf(hostName);
    for (const [name, address] of peers) {
      if (name === hostName) continue;
      const patienceMs = hostNames.indexOf(name) > own ? dialLimits.earlierWaitsMs : 0;
      const dialer = new Dialer(address, patienceMs, (socket) => this.#open(socket, true));
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

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const dialer of this.#dialers) dialer.stop();
    for (const link of [...this.#all]) link.close(undefined);
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #open(socket: Socket, isDialled: boolean): void {
    const { swarm, hostName, hello } = this.#options;
    const own: HostHello = { kind: "hello", swarm, host: hostName, ...hello() };
    const link: HostLink = new HostLink(socket, isDialled, own, this.traffic, {
      onHello: (_, peer) => this.#greet(link, peer),
      onFrame: (_, frame) => {
        if (this.#up.get(link.peer!.host) === link) this.#options.onFrame(link.peer!.host, frame);
      },
      onClosed: (_, reason) => this.#closed(link, reason),
    });
    this.#all.add(link);
  }

  #greet(link: HostLink, peer: HostHello): void {
    const { swarm, hostName, hostNames, log } = this.#options;
    if (peer.swarm !== swarm)
      throw new PeerRefused(`this is a host of the swarm ${swarm}, not ${peer.swarm}`);
    if (!hostNames.includes(peer.host)) {
      throw new PeerRefused(`${swarm} has no host ${peer.host} in this host's swarm.ts`);
    }
    if (peer.host === hostName) throw new PeerRefused(`host ${hostName} runs already, here`);
    const former = this.#up.get(peer.host);
    if (former !== undefined && this.#isByLater(former, peer.host) && !this.#isByLater(link, peer.host)) {
      throw new PeerRefused("a connection is there already");
    }
    link.peer = peer;
    this.#up.set(peer.host, link);
    former?.close(new LinkEnded("replaced by a newer connection"));
    log.info("host-connected", { host: peer.host, url: peer.url });
    this.#options.onUp(peer);
  }

  /** Whether the host that stands later in the list opened this connection. */
  #isByLater(link: HostLink, peer: string): boolean {
    const { hostNames, hostName } = this.#options;
    return link.isDialled === hostNames.indexOf(hostName) > hostNames.indexOf(peer);
  }

  #closed(link: HostLink, reason: Error | undefined): void {
    this.#all.delete(link);
    const { log, onDown } = this.#options;
    const host = link.peer?.host;
    // A code marks an error of the operating system, such as ECONNRESET: nobody's wrong-doing.
    if (reason !== undefined && !("code" in reason) && !this.#isStopping) {
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

/** Tries again and again, with growing pauses, as long as the connection is wanted. */
class Dialer {
  isWanted: () => boolean = () => false;
  readonly #address: PeerAddress;
  readonly #patienceMs: number;
  readonly #onSocket: (socket: Socket) => void;
  #pauseMs: number = dialLimits.pauseFirstMs;
  #timer: NodeJS.Timeout | undefined;
  #socket: Socket | undefined;
  #isStopped = false;

  constructor(address: PeerAddress, patienceMs: number, onSocket: (socket: Socket) => void) {
    this.#address = address;
    this.#patienceMs = patienceMs;
    this.#onSocket = onSocket;
  }

  start(): void {
    this.#later(this.#patienceMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #later(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#try(), delayMs);
  }

  #try(): void {
    if (!this.isWanted()) {
      this.#pauseMs = dialLimits.pauseFirstMs;
      this.#later(dialLimits.pauseFirstMs + this.#patienceMs);
      return;
    }
    const socket = connect({ host: this.#address.address, port: this.#address.port });
    this.#socket = socket;
    const slow = setTimeout(() => socket.destroy(), dialLimits.connectMs);
    let openedMs = Number.POSITIVE_INFINITY;
    socket.on("error", () => {});
    socket.once("connect", () => {
      clearTimeout(slow);
      openedMs = performance.now();
      this.#onSocket(socket);
    });
    // Half to whole pauses, so that two hosts that start together do not stay in step.
    socket.once("close", () => {
      clearTimeout(slow);
      this.#socket = undefined;
      if (performance.now() - openedMs > dialLimits.goodMs) this.#pauseMs = dialLimits.pauseFirstMs;
      this.#later(this.#patienceMs + this.#pauseMs * (0.5 + Math.random() / 2));
      this.#pauseMs = Math.min(dialLimits.pauseMostMs, this.#pauseMs * 2);
    });
  }
}
