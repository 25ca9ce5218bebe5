/**
 * What surrounds one simulated board from power-on to power-off, the same for both engines: real sockets, a flash file,
 * sensors, pins, and somebody who hears its log.
 */
import { randomFillSync } from "node:crypto";
import type { BoardConfig, LogLevel, Random, Sensors } from "../../../firmware/platform/ports.ts";
import type { BoardWorld, WorldSystem } from "../../../firmware/platform/virtual/world.ts";
import type { SensorSource } from "../sensors/sensor-source.ts";
import type { FlashFile } from "./flash-file.ts";
import { type OutputChange, OutputPins } from "./output-pins.ts";
import { TcpNetwork } from "./tcp-network.ts";

export interface WorldParts {
  readonly config: BoardConfig;
  /** Belongs to the world from now on: it is closed when the power goes. */
  readonly flash: FlashFile;
  /** Sensor name to source; a sensor that is not in it gives nothing. */
  readonly sensors: ReadonlyMap<string, SensorSource>;
  readonly onLog: (level: LogLevel, text: string) => void;
  readonly onOutput: (change: OutputChange) => void;
  readonly onRestart: (reason: string) => void;
}

export class SimulatedWorld implements BoardWorld {
  readonly random: Random = { fill: (into) => void randomFillSync(into) };
  readonly flash: FlashFile;
  readonly network = new TcpNetwork();
  readonly sensors: Sensors;
  readonly actuators: OutputPins;
  readonly system: WorldSystem;

  constructor(parts: WorldParts) {
    this.flash = parts.flash;
    this.sensors = { read: (sensor) => parts.sensors.get(sensor)?.read() ?? Number.NaN };
    this.actuators = new OutputPins(parts.onOutput);
    this.system = { config: parts.config, log: parts.onLog, restart: parts.onRestart };
  }

  /** The power is gone: connections break off and the flash is closed. Idempotent. */
  powerOff(): void {
    this.network.powerOff();
    this.flash.close();
  }
}
