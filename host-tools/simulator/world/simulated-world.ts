/**
 * What surrounds one simulated board from power-on to power-off, the same for both engines: real sockets, flash, sensors, pins, and
 * somebody who hears its log.
 */
import { randomFillSync } from "node:crypto";
import type {
  Bluetooth,
  BoardConfig,
  Button,
  Ciphers,
  FlashRegion,
  KeyValue,
  Light,
  LogLevel,
  Random,
  Sensors,
  SerialLine,
  StartReason,
  UpdateSlot,
} from "../../../firmware/platform/ports.ts";
import type { BoardWorld, WorldSystem } from "../../../firmware/platform/virtual/world.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";
import type { FlashFile } from "../chip/flash-file.ts";
import type { SensorSource } from "../sensors/sensor-source.ts";
import { type OutputChange, OutputPins } from "./output-pins.ts";
import { type LanPlace, SimulatedNetwork } from "./simulated-network.ts";
import type { WifiAir } from "./wifi-air.ts";

export interface WorldParts {
  readonly config: BoardConfig;
  /** Belongs to the world from now on: it is closed when the power goes. */
  readonly flash: FlashFile;
  /** What else of the chip the firmware knows. Absent for a board that is a log's flash and nothing more. */
  readonly chip?: ChipParts | undefined;
  /** What somebody near it has to do with; nothing when absent. */
  readonly near?: NearParts | undefined;
  /** The Wi-Fi networks around it; absent for a board that is online by itself. */
  readonly air?: WifiAir | undefined;
  /** Where it speaks to other boards; absent for a board that is alone. */
  readonly place?: LanPlace | undefined;
  readonly startReason?: StartReason | undefined;
  /** Sensor name to source; a sensor that is not in it gives nothing. */
  readonly sensors: ReadonlyMap<string, SensorSource>;
  readonly onLog: (level: LogLevel, text: string) => void;
  readonly onOutput: (change: OutputChange) => void;
  readonly onRestart: (reason: string) => void;
  readonly onDeepSleep: (durationMs: number) => void;
}

export type NearParts = Pick<BoardWorld, "serial" | "bluetooth" | "button" | "light">;

export interface ChipParts {
  readonly values: KeyValue;
  readonly update: UpdateSlot;
  /** undefined for a kind of board without room for it. */
  readonly keeping?: FlashRegion | undefined;
  markValid(): void;
  /** The power is gone. */
  close(): void;
}

export class SimulatedWorld implements BoardWorld {
  readonly random: Random = { fill: (into) => void randomFillSync(into) };
  readonly ciphers: Ciphers = nodeCiphers;
  readonly flash: FlashFile;
  readonly network: SimulatedNetwork;
  readonly sensors: Sensors;
  readonly actuators: OutputPins;
  readonly system: WorldSystem;
  readonly keyValue: KeyValue | undefined;
  readonly update: UpdateSlot | undefined;
  readonly keeping: FlashRegion | undefined;
  readonly serial: SerialLine | undefined;
  readonly bluetooth: Bluetooth | undefined;
  readonly button: Button | undefined;
  readonly light: Light | undefined;
  readonly #chip: ChipParts | undefined;

  constructor(parts: WorldParts) {
    const { chip, near } = parts;
    this.flash = parts.flash;
    this.network = new SimulatedNetwork(parts.air, parts.place);
    this.#chip = chip;
    this.keyValue = chip?.values;
    this.update = chip?.update;
    this.keeping = chip?.keeping;
    this.serial = near?.serial;
    this.bluetooth = near?.bluetooth;
    this.button = near?.button;
    this.light = near?.light;
    this.sensors = { read: (sensor) => parts.sensors.get(sensor)?.read() ?? Number.NaN };
    this.actuators = new OutputPins(parts.onOutput);
    this.system = {
      config: parts.config,
      startReason: parts.startReason,
      log: parts.onLog,
      restart: parts.onRestart,
      deepSleep: parts.onDeepSleep,
      ...(chip && { markValid: () => chip.markValid() }),
    };
  }

  /** The power is gone: connections break off and the flash is closed. Idempotent. */
  powerOff(): void {
    this.network.powerOff();
    this.flash.close();
    this.#chip?.close();
  }
}
