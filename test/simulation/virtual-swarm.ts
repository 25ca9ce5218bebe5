/**
 * A swarm in virtual time: whole boards (the firmware's core on the engine in process), one leader host, and a network between them
 * that delays, breaks and refuses. All chance comes from one seed, so a failing seed replays exactly.
 */
import { createHash } from "node:crypto";
import type { Network, TcpConnection, TcpEvents } from "../../firmware/platform/ports.ts";
import { VirtualBoard } from "../../firmware/platform/virtual/virtual-board.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { programToWire } from "../../protocols/pipeline/program-codec.ts";
import type { Entry } from "../../protocols/raft/types.ts";
import { FlashModel, PowerCut } from "../firmware/storage/flash-model.ts";
import { type Session, VirtualLeader } from "./virtual-leader.ts";

const program: Program = {
  pipelines: [{ metric: "humidity", sensor: "humidity", everyMs: 500, stages: [{ op: "median", count: 3 }] }],
  outputs: [{ name: "valve", kind: "pwm", pin: 4, safeValue: 0, setting: "valve.opening" }],
  rules: [],
};

export class VirtualSwarm {
  readonly leader: VirtualLeader;
  readonly boards: readonly SwarmBoard[];
  /** Every entry ever known to be committed, by index. */
  readonly committed = new Map<number, Entry>();
  /** What happened, for comparing two runs and for reading a failure. */
  readonly trace: string[] = [];
  nowMs = 0;
  #events: { atMs: number; what: () => void }[] = [];
  #seed: number;

  constructor(seed: number, boards: number, voters: number) {
    this.#seed = seed;
    const names = Array.from({ length: boards }, (_, i) => `board-${i}`);
    this.leader = new VirtualLeader({
      voterNames: names.slice(0, voters),
      nowMs: () => this.nowMs,
      random: () => this.random(),
      after: (delayMs, what) => this.after(delayMs, what),
      onCommitted: (entry) => this.#onCommitted(entry),
    });
    this.boards = names.map((name) => new SwarmBoard(name, this));
    this.after(500, () => {
      const bytes = encodeCbor(programToWire(program));
      for (const name of names) this.leader.put(`program/${name}`, bytes);
    });
  }

  /** From 0 up to, but not including, 1: mulberry32. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  after(delayMs: number, what: () => void): void {
    const atMs = this.nowMs + delayMs;
    const place = this.#events.findLastIndex((event) => event.atMs <= atMs) + 1;
    this.#events.splice(place, 0, { atMs, what });
  }

  note(text: string): void {
    this.trace.push(`${this.nowMs} ${text}`);
  }

  /** Moves time on, from one thing that is due to the next. */
  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (;;) {
      const { node } = this.leader;
      const due = [this.#events[0]?.atMs, node?.deadlineMs, ...this.boards.map((board) => board.deadlineMs)];
      const nextMs = Math.max(this.nowMs, Math.min(...due.filter((each) => each !== undefined)));
      if (nextMs > endMs) break;
      this.nowMs = nextMs;
      if (this.#events[0] !== undefined && this.#events[0].atMs <= nextMs) this.#events.shift()!.what();
      else if (node !== undefined && node.deadlineMs <= nextMs) this.leader.tick();
      else this.boards.find((board) => board.deadlineMs <= nextMs)!.turn();
    }
    this.nowMs = endMs;
  }

  #onCommitted(entry: Entry): void {
    const known = this.committed.get(entry.index);
    if (known === undefined) {
      this.committed.set(entry.index, entry);
      this.note(`committed ${entry.index} of term ${entry.term}`);
    } else if (known.term !== entry.term || Buffer.compare(known.data, entry.data) !== 0) {
      throw new Error(
        `Entry ${entry.index} was committed in term ${known.term} and again, another, in ${entry.term}.`,
      );
    }
  }
}

/** A board, its flash, and its link; the power may fail at any byte. */
export class SwarmBoard implements Network {
  readonly name: string;
  readonly outputs = new Map<string, number>();
  boots = 0;
  #flash = FlashModel.blank(32, 4096);
  readonly #swarm: VirtualSwarm;
  #board: VirtualBoard | undefined;
  #link: Link | undefined;

  constructor(name: string, swarm: VirtualSwarm) {
    this.name = name;
    this.#swarm = swarm;
    this.powerOn();
  }

  get deadlineMs(): number {
    return this.#board?.nextDeadlineMs ?? Number.POSITIVE_INFINITY;
  }

  get linkState(): string {
    return this.#board?.board?.linkState ?? "off";
  }

  /** Takes the power away when so many more bytes are written; at once for 0. */
  failPowerAfter(bytes: number): void {
    if (bytes === 0) this.#powerOff();
    else this.#flash.power = bytes;
  }

  cutLink(): void {
    this.#link?.cut();
  }

  turn(): void {
    try {
      this.#board!.turn(this.#swarm.nowMs);
    } catch (error) {
      // While it recovers, nothing on the board stands between the flash and us.
      if (!(error instanceof PowerCut)) throw error;
    }
    if (this.#flash.power === 0) this.#powerOff();
  }

  powerOn(): void {
    const swarm = this.#swarm;
    this.boots++;
    this.outputs.clear();
    this.#board = new VirtualBoard(
      {
        random: {
          fill: (into) => {
            for (let i = 0; i < into.length; i++) into[i] = Math.floor(swarm.random() * 256);
          },
        },
        digest: { sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()) },
        flash: this.#flash,
        network: this,
        sensors: { read: () => 40 + 20 * Math.sin(swarm.nowMs / 10_000) },
        actuators: {
          configure: ({ name, safeValue }) => void this.outputs.set(name, safeValue),
          write: (name, value) => void this.outputs.set(name, value),
          release: (name) => void this.outputs.delete(name),
        },
        system: {
          config: {
            swarm: "garden",
            board: this.name,
            model: "esp32c3-devkit",
            hosts: [{ name: "host", address: "host", port: 1 }],
          },
          log: (level, text) => {
            if (level === "warn" || level === "error") swarm.note(`${this.name} ${text}`);
          },
          restart: () => this.#powerOff(),
        },
      },
      () => {},
    );
  }

  #powerOff(): void {
    if (this.#board === undefined) return;
    this.#board.powerOff();
    this.#board = undefined;
    this.#link?.cut();
    this.#flash = this.#flash.reboot();
    this.#swarm.note(`${this.name} off`);
    this.#swarm.after(500, () => this.powerOn());
  }

  // The network.

  start(onChange: (up: boolean) => void): void {
    onChange(true);
  }

  connect(_host: string, _port: number, events: TcpEvents): TcpConnection {
    this.#link = new Link(this.#swarm, this.name, events);
    return this.#link;
  }
}

/** One TCP connection: each direction keeps its order, and every piece takes 1 to 40 ms. */
class Link implements TcpConnection {
  readonly #swarm: VirtualSwarm;
  readonly #events: TcpEvents;
  #session: Session | undefined;
  #upMs = 0;
  #downMs = 0;
  #isOpen = true;

  constructor(swarm: VirtualSwarm, board: string, events: TcpEvents) {
    this.#swarm = swarm;
    this.#events = events;
    this.#travel("up", () => {
      const down = (bytes: Uint8Array) => this.#travel("down", () => this.#events.onData(bytes));
      this.#session = swarm.leader.accept(board, down, () => this.#end("broken off"));
      if (this.#session === undefined) this.#end("refused");
      else this.#travel("down", () => this.#events.onOpen());
    });
  }

  write(bytes: Uint8Array): boolean {
    const own = bytes.slice();
    this.#travel("up", () => this.#session?.receive(own));
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
    this.#session?.breakOff();
  }

  /** What is on the way, either way, is lost. */
  cut(): void {
    if (!this.#isOpen) return;
    if (this.#session === undefined) this.#end("cut");
    else this.#session.breakOff();
  }

  #end(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#events.onClose(reason);
  }

  #travel(direction: "up" | "down", arrive: () => void): void {
    const { nowMs } = this.#swarm;
    const soonest = nowMs + 1 + Math.floor(this.#swarm.random() * 40);
    const atMs = Math.max(soonest, direction === "up" ? this.#upMs : this.#downMs);
    if (direction === "up") this.#upMs = atMs;
    else this.#downMs = atMs;
    this.#swarm.after(atMs - nowMs, () => {
      if (this.#isOpen) arrive();
    });
  }
}
