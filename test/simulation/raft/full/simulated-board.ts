/** A whole board in virtual time: the firmware on its flash, its clock a little off; power may fail at any byte. */
import type {
  Network,
  StartReason,
  TcpConnection,
  TcpEvents,
  UdpEvents,
  UdpSocket,
} from "../../../../firmware/platform/ports.ts";
import { VirtualBoard } from "../../../../firmware/platform/virtual/virtual-board.ts";
import type { Ciphers } from "../../../../protocols/security/ciphers.ts";
import { FlashModel, PowerCut } from "../../../firmware/storage/flash-model.ts";
import type { Random } from "../random.ts";
import { DriftingClock } from "./drifting-clock.ts";
import type { Provisioning } from "./provisioning.ts";

export interface BoardSurroundings {
  readonly nowMs: number;
  readonly swarm: string;
  readonly hostNames: readonly string[];
  readonly provisioning: Provisioning;
  ciphersOf(member: string): Ciphers;
  after(delayMs: number, what: () => void): void;
  dial(board: string, host: string, events: TcpEvents): TcpConnection;
  openUdp(board: string, port: number, events: UdpEvents, group: string | undefined): UdpSocket;
  /** After each turn. */
  onTurn(board: SimulatedBoard): void;
  /** Its power is gone; nobody is told. */
  onOff(board: SimulatedBoard): void;
  /** Its power fails in the middle of what it writes. */
  onPowerCut?(board: SimulatedBoard): void;
  /** A line of its log. */
  onLog?(board: SimulatedBoard, text: string): void;
  note(text: string): void;
}

export interface BoardOptions {
  readonly name: string;
  readonly surroundings: BoardSurroundings;
  readonly random: Random;
  /** Its milliseconds in one of the world's. */
  readonly clockRate: number;
  /** How long it stays off when it restarts by itself. */
  readonly restartMs: number;
}

/** 64 KB: small enough that cleaning happens. */
const flashSectors = 16;
const sectorBytes = 4096;

export class SimulatedBoard implements Network {
  readonly name: string;
  readonly outputs = new Map<string, number>();
  /** What its sensor shows in place of a slow wave; undefined for that. */
  reading: number | undefined;
  boots = 0;
  sleeps = 0;
  readonly #options: BoardOptions;
  readonly #surroundings: BoardSurroundings;
  #flash = FlashModel.blank(flashSectors, sectorBytes);
  #clock: DriftingClock;
  #virtual: VirtualBoard | undefined;
  #wakeMs = Infinity;

  constructor(options: BoardOptions) {
    this.name = options.name;
    this.#options = options;
    this.#surroundings = options.surroundings;
    this.#clock = new DriftingClock(0, 0, 1);
  }

  get isOn(): boolean {
    return this.#virtual !== undefined;
  }

  /** What its flash holds at this moment: what a board would find that starts with it. */
  get flash(): FlashModel {
    return this.#flash.reboot();
  }

  /** The firmware, once it has booted. */
  get board(): VirtualBoard["board"] {
    return this.#virtual?.board;
  }

  /** Unless told, because its power has come back. */
  powerOn(startReason: StartReason = "power"): void {
    if (this.#virtual !== undefined) return;
    const { random, clockRate, surroundings } = this.#options;
    this.boots++;
    this.outputs.clear();
    this.#clock = new DriftingClock(surroundings.nowMs, random.between(0, 100_000), clockRate);
    this.#virtual = new VirtualBoard(
      {
        random: {
          fill: (into) => {
            for (let i = 0; i < into.length; i++) into[i] = random.between(0, 255);
          },
        },
        ciphers: surroundings.ciphersOf(this.name),
        flash: this.#flash,
        network: this,
        sensors: { read: () => this.reading ?? 40 + 20 * Math.sin(surroundings.nowMs / 10_000) },
        actuators: {
          configure: ({ name, safeValue }) => void this.outputs.set(name, safeValue),
          write: (name, value) => void this.outputs.set(name, value),
          release: (name) => void this.outputs.delete(name),
        },
        system: {
          config: {
            swarm: surroundings.swarm,
            board: this.name,
            model: "esp32c3-devkit",
            hosts: surroundings.hostNames.map((name) => ({ name, address: name, port: 1 })),
            credentials: surroundings.provisioning.of(this.name),
          },
          startReason,
          log: (level, text) => {
            surroundings.onLog?.(this, text);
            if (level === "warn" || level === "error") surroundings.note(`${this.name}: ${text}`);
          },
          restart: () => {
            this.powerOff();
            surroundings.after(this.#options.restartMs, () => this.powerOn("restart"));
          },
          deepSleep: (durationMs) => {
            this.sleeps++;
            this.powerOff();
            // Whoever takes its power away meanwhile wakes it as well.
            const { boots } = this;
            surroundings.after(durationMs, () => {
              if (this.boots === boots) this.powerOn("sleep");
            });
          },
        },
      },
      () => this.#wake(surroundings.nowMs),
    );
    this.#wakeMs = Infinity;
    this.#wake(surroundings.nowMs);
  }

  /** At once; its flash keeps what was written. */
  powerOff(): void {
    if (this.#virtual === undefined) return;
    if (this.#flash.power === 0) this.#surroundings.onPowerCut?.(this);
    this.#virtual.powerOff();
    this.#virtual = undefined;
    this.#flash = this.#flash.reboot();
    this.#surroundings.onOff(this);
  }

  /** In the middle of what it writes next: when so many more bytes are written. */
  powerOffAfter(bytes: number): void {
    this.#flash.power = Math.max(1, bytes);
  }

  /** Whoever it was, it is not any more. Only while it is off. */
  eraseFlash(): void {
    this.#flash = FlashModel.blank(flashSectors, sectorBytes);
  }

  // The network.

  start(onChange: (up: boolean) => void): void {
    onChange(true);
  }

  connect(host: string, _port: number, events: TcpEvents): TcpConnection {
    return this.#surroundings.dial(this.name, host, events);
  }

  openUdp(port: number, events: UdpEvents, group?: string): UdpSocket {
    return this.#surroundings.openUdp(this.name, port, events, group);
  }

  #wake(atMs: number): void {
    if (atMs >= this.#wakeMs) return;
    this.#wakeMs = atMs;
    const virtual = this.#virtual;
    this.#surroundings.after(Math.max(0, atMs - this.#surroundings.nowMs), () => {
      if (this.#virtual === virtual && this.#wakeMs === atMs) this.#turn();
    });
  }

  #turn(): void {
    this.#wakeMs = Infinity;
    try {
      this.#virtual!.turn(this.#clock.at(this.#surroundings.nowMs));
    } catch (error) {
      // While it recovers, nothing on the board stands between the flash and us.
      if (!(error instanceof PowerCut)) throw error;
    }
    if (this.#flash.power === 0) {
      this.#surroundings.note(`${this.name}'s power fails while it writes`);
      this.powerOff();
      this.#surroundings.after(this.#options.restartMs, () => this.powerOn());
      return;
    }
    if (this.#virtual === undefined) return;
    this.#surroundings.onTurn(this);
    const deadlineMs = this.#virtual.nextDeadlineMs;
    if (deadlineMs < Infinity) this.#wake(Math.max(this.#surroundings.nowMs, this.#clock.whenAt(deadlineMs)));
  }
}
