/**
 * A swarm in virtual time: whole boards, hosts with their disks and brokers, and a network between them that delays, loses, repeats and cuts. All
 * chance comes from one seed, so a failing run replays exactly. Nothing bad happens unless somebody makes it.
 */
import type { TcpConnection, TcpEvents, UdpEvents, UdpSocket } from "../../../../firmware/platform/ports.ts";
import type { HostMemberSizes } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { defaultTiming } from "../../../../host-tools/leader/raft/host-member-types.ts";
import type { Timing } from "../../../../protocols/raft/node-options.ts";
import type { Ciphers } from "../../../../protocols/security/ciphers.ts";
import type { SenderKey } from "../../../../protocols/security/group/sender-key.ts";
import { seededCiphers } from "../../seeded-ciphers.ts";
import { Agenda } from "../agenda.ts";
import { Random } from "../random.ts";
import { CipherWatch } from "./cipher-watch.ts";
import { HostileBroker } from "./hostile-broker.ts";
import { Provisioning } from "./provisioning.ts";
import type { BoardSurroundings } from "./simulated-board.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import type { HostSurroundings, HostWord } from "./simulated-host.ts";
import { SimulatedHost } from "./simulated-host.ts";
import { SimulatedLan } from "./simulated-lan.ts";
import { TcpLink } from "./tcp-link.ts";

/** Of single messages between hosts; connections of boards only get slow by it. */
export interface Noise {
  readonly loss: number;
  readonly repeat: number;
  readonly slow: number;
  readonly slowMsMax: number;
}

export interface SwarmOptions {
  readonly seed: number;
  readonly hosts: readonly string[];
  readonly boards: readonly string[];
  readonly events: SwarmEvents;
  readonly sizes?: Partial<HostMemberSizes>;
  /** Clocks run faster or slower by up to this share; 0 when not said. */
  readonly drift?: number;
  /** The longest sync of a host's disk, ms. */
  readonly syncMsMax?: number;
  /** Hosts tell boards the time; false when not said. */
  readonly tellsTime?: boolean;
  /** How long anything is on its way while nothing is wrong, ms; 1 to 20 when not said. */
  readonly delayMs?: readonly [least: number, most: number];
}

export type SwarmEvents = Pick<
  HostSurroundings,
  "onApplied" | "onRestored" | "onViolation" | "onStep" | "note"
> &
  Partial<Pick<HostSurroundings, "onBelieved" | "onAction" | "onClaim" | "onRegister">> &
  Pick<BoardSurroundings, "onTurn"> &
  Partial<Pick<BoardSurroundings, "onLog" | "onOff" | "onPowerCut">>;

const networkDelayMs: readonly [least: number, most: number] = [1, 20];
const quiet: Noise = { loss: 0, repeat: 0, slow: 0, slowMsMax: 0 };

interface OpenLink {
  readonly board: string;
  readonly host: string;
  readonly link: TcpLink;
}

export class SimulatedSwarm implements HostSurroundings, BoardSurroundings {
  readonly swarm = "garden";
  readonly timing: Timing = defaultTiming;
  readonly sizes: Partial<HostMemberSizes>;
  readonly hostNames: readonly string[];
  readonly tellsTime: boolean;
  readonly hosts: readonly SimulatedHost[];
  readonly boards: readonly SimulatedBoard[];
  readonly provisioning: Provisioning;
  readonly ciphers: CipherWatch;
  /** Between all boards and all hosts. */
  readonly hostile: HostileBroker;
  /** Between boards. */
  readonly lan: SimulatedLan;
  readonly #options: SwarmOptions;
  readonly #random: Random;
  readonly #agenda = new Agenda();
  /** `from>to`: until when nothing passes. */
  readonly #cutUntilMs = new Map<string, number>();
  /** Connections that may still carry something, by board. */
  #links: OpenLink[] = [];
  #syncMsMax: number;
  #noise = quiet;
  #hasFounded = false;
  /** Bytes that boards and hosts have sent each other. */
  readonly traffic = { up: 0, down: 0 };
  #nowMs = 0;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#random = new Random(options.seed ^ 0x0f011);
    this.#syncMsMax = options.syncMsMax ?? 10;
    this.sizes = options.sizes ?? {};
    this.hostNames = options.hosts;
    this.tellsTime = options.tellsTime ?? false;
    const drift = options.drift ?? 0;
    const clockRate = () => 1 + drift * (2 * this.#random.next() - 1);
    const random = () => new Random(this.#random.seed());
    const ciphers = seededCiphers(random().next);
    this.ciphers = new CipherWatch(ciphers);
    this.provisioning = new Provisioning(this.swarm, ciphers, options.hosts, options.boards);
    this.hostile = new HostileBroker(random(), (delayMs, what) => this.after(delayMs, what));
    this.lan = new SimulatedLan({
      after: (delayMs, what) => this.after(delayMs, what),
      copiesMs: () => this.#copiesMs(),
      isCut: (from, to) => this.#isCut(from, to),
    });
    this.hosts = options.hosts.map((name) => {
      const syncMs = () => this.#random.between(0, this.#syncMsMax);
      return new SimulatedHost({
        name,
        surroundings: this,
        random: random(),
        clockRate: clockRate(),
        syncMs,
      });
    });
    this.boards = options.boards.map(
      (name) =>
        new SimulatedBoard({
          name,
          surroundings: this,
          random: random(),
          clockRate: clockRate(),
          restartMs: 500,
        }),
    );
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get mayFound(): boolean {
    // Later somebody has a log, and says so.
    const mayFound = !this.#hasFounded;
    this.#hasFounded = true;
    return mayFound;
  }

  start(): void {
    for (const host of this.hosts) host.start();
    for (const board of this.boards) board.powerOn();
  }

  after(delayMs: number, what: () => void): void {
    this.#agenda.add(this.#nowMs + delayMs, what);
  }

  /** Until `untilMs`, or until `isDone` says so, asked after each event. */
  run(untilMs: number, isDone?: () => boolean): void {
    for (;;) {
      const next = this.#agenda.next(untilMs);
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      next.run();
      this.ciphers.check();
      if (isDone?.()) return;
    }
    this.#nowMs = untilMs;
  }

  // What can be made to happen.

  set noise(noise: Noise | undefined) {
    this.#noise = noise ?? quiet;
  }

  set syncMsMax(ms: number) {
    this.#syncMsMax = ms;
  }

  /** Nothing passes from one to the other, whether hosts or boards. */
  cut(from: string, to: string, untilMs: number): void {
    const way = `${from}>${to}`;
    this.#cutUntilMs.set(way, Math.max(untilMs, this.#cutUntilMs.get(way) ?? 0));
  }

  /** A board's connections break, and both ends hear of it. */
  breakLinks(board: string): void {
    for (const open of this.#links.filter((each) => each.board === board)) open.link.breakOff();
    this.#links = this.#links.filter((each) => each.board !== board);
  }

  /** All ways are open and quiet. */
  mend(): void {
    this.#cutUntilMs.clear();
    this.#noise = quiet;
    this.hostile.chance = 0;
    this.#syncMsMax = this.#options.syncMsMax ?? 10;
  }

  /** How long something takes on its way; undefined when it is lost. */
  delayMs(): number | undefined {
    if (this.#random.chance(this.#noise.loss)) return undefined;
    return this.#delayMs();
  }

  // For all.

  ciphersOf(member: string): Ciphers {
    return this.ciphers.of(member);
  }

  // For hosts.

  say(from: string, to: string, word: HostWord): void {
    const copies = this.#random.chance(this.#noise.repeat) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = this.delayMs();
      if (delayMs === undefined || this.#isCut(from, to)) continue;
      this.after(delayMs, () => {
        if (!this.#isCut(from, to)) this.hosts.find(({ name }) => name === to)!.hear(from, word);
      });
    }
  }

  onStep(host: SimulatedHost): void {
    this.#options.events.onStep(host);
  }

  onApplied(...[host, entries]: Parameters<HostSurroundings["onApplied"]>): void {
    this.#options.events.onApplied(host, entries);
  }

  onRestored(host: SimulatedHost): void {
    this.#options.events.onRestored(host);
  }

  onViolation(host: SimulatedHost, violation: string): void {
    this.#options.events.onViolation(host, violation);
  }

  bootsOf(board: string): number {
    return this.boards.find(({ name }) => name === board)!.boots;
  }

  onSenderKey(key: SenderKey): void {
    this.ciphers.onSenderKey(key);
  }

  onAction(host: SimulatedHost, board: string, payload: Uint8Array): void {
    this.#options.events.onAction?.(host, board, payload);
  }

  onClaim(host: SimulatedHost, board: string, payload: Uint8Array): void {
    this.#options.events.onClaim?.(host, board, payload);
  }

  onRegister(host: SimulatedHost, board: string, payload: Uint8Array): void {
    this.#options.events.onRegister?.(host, board, payload);
  }

  onBelieved(forgery: number): void {
    this.#options.events.onBelieved?.(forgery);
  }

  // For boards.

  dial(board: string, host: string, events: TcpEvents): TcpConnection {
    const wire = {
      after: (delayMs: number, what: () => void) => this.after(delayMs, what),
      delayMs: () => this.#delayMs(),
      onBytes: (direction: "up" | "down", count: number) => {
        this.traffic[direction] += count;
      },
      cutUntilMs: (direction: "up" | "down") =>
        this.#cutUntilMs.get(direction === "up" ? `${board}>${host}` : `${host}>${board}`) ?? 0,
    };
    const swarm = this;
    const timed = {
      ...wire,
      get nowMs() {
        return swarm.nowMs;
      },
    };
    const far = this.hosts.find(({ name }) => name === host)!;
    const link = new TcpLink(timed, events, (accepted) => far.accept(accepted));
    this.#links = this.#links.filter((each) => each.link.isOpen);
    this.#links.push({ board, host, link });
    return link;
  }

  onPowerCut(board: SimulatedBoard): void {
    this.#options.events.onPowerCut?.(board);
  }

  onLog(board: SimulatedBoard, text: string): void {
    this.#options.events.onLog?.(board, text);
  }

  openUdp(board: string, port: number, events: UdpEvents, group: string | undefined): UdpSocket {
    return this.lan.open(board, port, events, group);
  }

  onTurn(board: SimulatedBoard): void {
    this.#options.events.onTurn(board);
  }

  /** The hosts hear of it when their TCP gives up, or the broker its patience: some seconds later. */
  onOff(board: SimulatedBoard): void {
    this.#options.events.onOff?.(board);
    this.lan.onOff(board.name);
    const links = this.#links.filter((each) => each.board === board.name);
    this.#links = this.#links.filter((each) => each.board !== board.name);
    for (const { link } of links) this.after(this.#random.between(0, 8_000), () => link.breakOff());
  }

  note(text: string): void {
    this.#options.events.note(`${text}`);
  }

  #copiesMs(): number[] {
    const copies = this.#random.chance(this.#noise.repeat) ? 2 : 1;
    const delaysMs = Array.from({ length: copies }, () => this.delayMs());
    return delaysMs.filter((delayMs) => delayMs !== undefined);
  }

  #isCut(from: string, to: string): boolean {
    return (this.#cutUntilMs.get(`${from}>${to}`) ?? 0) > this.#nowMs;
  }

  #delayMs(): number {
    const isSlow = this.#random.chance(this.#noise.slow);
    return isSlow
      ? this.#random.between(20, this.#noise.slowMsMax)
      : this.#random.between(...(this.#options.delayMs ?? networkDelayMs));
  }
}
