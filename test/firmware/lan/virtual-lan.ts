/**
 * Boards on one network of virtual time, each with nothing but its `Lan`: datagrams get lost, come twice, late and out of order as chance wants, and a test may
 * hear, hold back and make up whatever it likes. Every (key, nonce) that seals is written down.
 */
import { BoardLog } from "../../../firmware/board/board-log.ts";
import { Trust } from "../../../firmware/board/trust.ts";
import { Lan } from "../../../firmware/lan/lan.ts";
import type { Network, System, UdpEvents } from "../../../firmware/platform/ports.ts";
import type { MemberSecrets } from "../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { lanGroup, lanPort } from "../../../protocols/lan/datagrams.ts";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { TestRoot } from "../../members.ts";

export const swarm = "greenhouse";
export const root = new TestRoot(swarm);
const stranger = new TestRoot("greenhouse");

const members = new Map<string, MemberSecrets>();
/** Issued once: making keys is what takes longest here. */
export function memberOf(name: string): MemberSecrets {
  if (!members.has(name)) members.set(name, root.issue("board", name));
  return members.get(name)!;
}
export const strangerOf = (name: string) => stranger.issue("board", name);

export interface Weather {
  /** Of each datagram, for each receiver: 0 to 1. */
  readonly loss: number;
  readonly twice: number;
  readonly delayMostMs: number;
}

export const fairWeather: Weather = { loss: 0, twice: 0, delayMostMs: 2 };

export interface Datagram {
  readonly from: string;
  /** An address, or the group. */
  readonly to: string;
  readonly bytes: Uint8Array;
}

interface Delivery extends Datagram {
  readonly atMs: number;
}

export class VirtualLan {
  nowMs = 1000;
  weather: Weather;
  /** All that was sent. */
  readonly sent: Datagram[] = [];
  readonly sealed = new Set<string>();
  /** What a datagram becomes on its way to one receiver; undefined lets it pass. */
  meddle: (datagram: Datagram) => readonly Datagram[] | undefined = () => undefined;
  handshakes = 0;
  /** Address of a board that is not one of these: `meddle` hears what goes there. */
  outside: string | undefined;
  readonly #boards = new Map<string, LanBoard>();
  readonly #random: () => number;
  #deliveries: Delivery[] = [];

  constructor(random: () => number, weather = fairWeather) {
    this.#random = random;
    this.weather = weather;
  }

  readonly ciphers: Ciphers = {
    ...nodeCiphers,
    generateKeyPair: () => {
      this.handshakes++;
      return nodeCiphers.generateKeyPair();
    },
    ccmSeal: (key, nonce, ...rest) => {
      const pair = `${Buffer.from(key).toString("hex")} ${Buffer.from(nonce).toString("hex")}`;
      if (this.sealed.has(pair)) throw new Error(`A key sees a nonce a second time: ${pair}.`);
      this.sealed.add(pair);
      return nodeCiphers.ccmSeal(key, nonce, ...rest);
    },
  };

  add(name: string, peers: readonly string[], secrets = memberOf(name), address?: string): LanBoard {
    const board = new LanBoard(this, name, peers, secrets, address ?? `10.7.0.${this.#boards.size + 1}`);
    this.#boards.set(board.address, board);
    board.powerOn();
    return board;
  }

  /** A whole group, each with sessions that are kept alive unless said otherwise. */
  group(names: readonly string[], isKept = true): LanBoard[] {
    const boards = names.map((name) => this.add(name, names));
    if (isKept) for (const { lan } of boards) lan.keepAlive(true);
    return boards;
  }

  move(board: LanBoard, address: string): void {
    this.#boards.delete(board.address);
    board.address = address;
    this.#boards.set(address, board);
  }

  send(datagram: Datagram): void {
    this.sent.push(datagram);
    const { from, to } = datagram;
    const addresses = [...this.#boards.keys()];
    if (this.outside !== undefined) addresses.push(this.outside);
    for (const address of addresses) {
      if (address === from || !(to === lanGroup || to === address)) continue;
      const each = { ...datagram, to: address };
      for (const passed of this.meddle(each) ?? [each]) this.#carry(passed);
    }
  }

  /** Straight to a board, whatever the weather. */
  inject(datagram: Datagram): void {
    this.#deliveries.push({ ...datagram, atMs: this.nowMs });
  }

  run(forMs: number): void {
    this.until(() => false, forMs);
  }

  /** Milliseconds until `holds`; `mostMs` when it does not. */
  until(holds: () => boolean, mostMs: number): number {
    const startMs = this.nowMs;
    const endMs = startMs + mostMs;
    let turns = 0;
    while (!holds()) {
      const dueMs = this.#dueMs();
      if (dueMs > endMs) {
        this.nowMs = endMs;
        break;
      }
      if (++turns > 2_000_000) throw new Error("The boards never rest.");
      this.nowMs = Math.max(this.nowMs, Math.ceil(dueMs));
      this.#turn();
    }
    return this.nowMs - startMs;
  }

  #dueMs(): number {
    let dueMs = Infinity;
    for (const { atMs } of this.#deliveries) dueMs = Math.min(dueMs, atMs);
    for (const board of this.#boards.values()) dueMs = Math.min(dueMs, board.dueMs);
    return dueMs;
  }

  #turn(): void {
    const due = this.#deliveries.filter(({ atMs }) => atMs <= this.nowMs);
    this.#deliveries = this.#deliveries.filter(({ atMs }) => atMs > this.nowMs);
    for (const { from, to, bytes } of due) this.#boards.get(to)?.hear(bytes, from);
    for (const board of this.#boards.values()) board.run(this.nowMs);
  }

  #carry(datagram: Datagram): void {
    const { loss, twice, delayMostMs } = this.weather;
    for (let copies = this.#random() < twice ? 2 : 1; copies > 0; copies--) {
      if (this.#random() < loss) continue;
      this.#deliveries.push({ ...datagram, atMs: this.nowMs + 1 + Math.floor(this.#random() * delayMostMs) });
    }
  }
}

export class LanBoard {
  readonly name: string;
  address: string;
  readonly said: string[] = [];
  readonly heard: { from: string; bytes: Uint8Array }[] = [];
  readonly peers: readonly string[];
  onMessage: (from: string, bytes: Uint8Array) => void = () => {};
  lan!: Lan;
  trust!: Trust;
  readonly #world: VirtualLan;
  readonly #secrets: MemberSecrets;
  #socket: UdpEvents | undefined;
  #isOn = false;

  constructor(
    world: VirtualLan,
    name: string,
    peers: readonly string[],
    secrets: MemberSecrets,
    address: string,
  ) {
    this.#world = world;
    this.name = name;
    this.peers = peers;
    this.#secrets = secrets;
    this.address = address;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  get dueMs(): number {
    return this.#isOn ? this.lan.dueMs : Infinity;
  }

  /** Anew, with nothing of before. */
  powerOn(): void {
    const { identity, signed, privateKey, root } = this.#secrets;
    const config = {
      ...{ swarm, board: this.name, model: "test", hosts: [] },
      credentials: { root, signed, privateKey },
    };
    const log = new BoardLog({
      log: (_: string, text: string) => void this.said.push(text),
    } as unknown as System);
    const ciphers = this.#world.ciphers;
    this.trust = new Trust(ciphers, { ...config, board: identity.name }, `covey/${swarm}/all`, log);
    const world = this.#world;
    const network: Network = {
      start: () => {},
      connect: () => {
        throw new Error("There is no host here.");
      },
      openUdp: (port, events, group) => {
        if (port !== lanPort || group !== lanGroup) throw new Error(`Port ${port}, group ${group}.`);
        this.#socket = events;
        return {
          send: (to, _, bytes) => world.send({ from: this.address, to, bytes: bytes.slice() }),
          close: () => {
            this.#socket = undefined;
          },
        };
      },
    };
    this.#isOn = true;
    this.#socket = undefined;
    this.lan = new Lan(
      {
        clock: { nowMs: () => world.nowMs, setTimer: () => ({ cancel: () => {} }) },
        random: { fill: (into) => ciphers.random(into) },
        ...{ network, trust: this.trust, log, swarm },
        turns: { begin: () => this.#isOn, fail: () => {}, end: () => this.run(world.nowMs) },
      },
      {
        onLanMessage: (from, bytes) => {
          this.heard.push({ from, bytes });
          this.onMessage(from, bytes);
        },
      },
    );
    this.lan.setPeers(this.peers);
    this.lan.onNetworkChange(true);
  }

  powerOff(): void {
    this.#isOn = false;
    this.#socket = undefined;
  }

  hear(bytes: Uint8Array, from: string): void {
    this.#socket?.onData(bytes, from, lanPort);
  }

  run(nowMs: number): void {
    if (this.#isOn && nowMs >= this.lan.dueMs) this.lan.run(nowMs);
  }

  /** Whether it has a session with every other member. */
  get isUpWithAll(): boolean {
    return this.peers.every((name) => name === this.name || this.lan.isUp(name));
  }
}
