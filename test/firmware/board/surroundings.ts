/** What surrounds a board of the tests, whatever engine runs it: a leader on the wire, flash, sensors, pins, the time. */
import type { BoardConfig, LogLevel, OutputConfig } from "../../../firmware/platform/ports.ts";
import type { BoardWorld } from "../../../firmware/platform/virtual/world.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { FlashModel } from "../storage/flash-model.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { credentialsOf, memberOf } from "./members.ts";
import { VirtualTimeServer } from "./sntp-server.ts";

export const config: BoardConfig = {
  swarm: "greenhouse",
  board: "north-1",
  model: "esp32c3-devkit",
  hosts: [{ name: "main", address: "127.0.0.1", port: 7883 }],
  credentials: credentialsOf(memberOf("board", "north-1")),
};

/** Three hosts; their ports tell them apart. */
export const threeHosts = ["a", "b", "c"].map((name, i) => ({ name, address: "127.0.0.1", port: 7001 + i }));

/** Two pipelines, an output that follows a setting, and a rule over it. */
export const program: Program = {
  pipelines: [
    {
      metric: "air.temperature",
      sensor: "temperature",
      everyMs: 500,
      stages: [
        { op: "median", count: 3 },
        { op: "deadband", delta: 0.5, silenceMs: 5000 },
      ],
    },
    { metric: "cpu.load", sensor: "cpu", everyMs: 100, stages: [{ op: "mean", windowMs: 1000 }] },
  ],
  outputs: [{ name: "fan", kind: "pwm", pin: 4, safeValue: 10, setting: "fan.duty" }],
  rules: [
    {
      metric: "air.temperature",
      when: "above",
      threshold: "limit.high",
      hysteresis: 2,
      forMs: 0,
      output: "fan",
      value: 100,
    },
  ],
};

export const programBytes = (of: Program) => encodeCbor(programToWire(of));

export class SimulatedSurroundings {
  readonly flash: FlashModel;
  /** For what it keeps for others. */
  readonly keeping: FlashModel | undefined;
  readonly leader: LeaderOnTheWire;
  readonly sensors = new Map<string, number>([
    ["temperature", 20],
    ["cpu", 50],
  ]);
  readonly outputs = new Map<string, number>();
  /** What the pins did, in order: `configure fan 10`. */
  readonly pins: string[] = [];
  readonly lines: string[] = [];
  readonly restarts: string[] = [];
  /** For how long the board wanted to sleep, each time. */
  readonly sleepsMs: number[] = [];
  /** How often the firmware was called good. */
  valid = 0;
  readonly timeServer = new VirtualTimeServer(() => this.nowMs);
  readonly config: BoardConfig;
  readonly world: BoardWorld;
  nowMs: number;

  constructor(
    leader = new LeaderOnTheWire(),
    flash = FlashModel.blank(16, 4096),
    nowMs = 0,
    over: Partial<BoardConfig> = {},
    keeping?: FlashModel,
  ) {
    this.config = { ...config, ...over };
    this.leader = leader;
    this.flash = flash;
    this.keeping = keeping;
    this.nowMs = nowMs;
    this.world = this.#world();
  }

  logged(event: string): string[] {
    return this.lines.filter((line) => line.split(" ")[1] === event);
  }

  #world(): BoardWorld {
    let random = this.nowMs + 1;
    return {
      random: {
        fill: (into) => {
          for (let i = 0; i < into.length; i++) into[i] = random = (random * 75 + 74) % 65537;
        },
      },
      ciphers: this.leader.trust.boardCiphers,
      flash: this.flash,
      keeping: this.keeping,
      network: {
        start: (onChange) => this.leader.start(onChange),
        connect: (host, port, events) => this.leader.connect(host, port, events),
        openUdp: (port, events) => this.timeServer.openUdp(port, events),
      },
      sensors: { read: (sensor) => this.sensors.get(sensor) ?? NaN },
      actuators: {
        configure: ({ name, pin, safeValue }: OutputConfig) => {
          if (pin > 48) throw new RangeError(`there is no GPIO ${pin}`);
          this.#pin("configure", name, safeValue);
        },
        write: (name, value) => this.#pin("write", name, value),
        release: (name) => {
          this.pins.push(`release ${name}`);
          this.outputs.delete(name);
        },
      },
      system: {
        config: this.config,
        log: (level: LogLevel, text) => void this.lines.push(`${level} ${text}`),
        restart: (reason) => void this.restarts.push(reason),
        deepSleep: (durationMs) => void this.sleepsMs.push(durationMs),
        markValid: () => void this.valid++,
      },
    };
  }

  #pin(what: string, name: string, value: number): void {
    this.pins.push(`${what} ${name} ${value}`);
    this.outputs.set(name, value);
  }
}
