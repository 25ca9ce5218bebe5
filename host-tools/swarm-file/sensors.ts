/** The sensor catalogue: every sensor that `sense` accepts, the unit of its readings, and what stands in for it in the simulator. */
import type { Unit } from "./units.ts";

export interface SensorDefinition {
  readonly unit: Unit;
  readonly description: string;
  /** What a simulated board reads when nothing is replayed: a measurement of this computer. */
  readonly onThisComputer: string;
}

const catalogue = {
  temperature: {
    unit: "°C",
    description: "temperature of the air or of what the sensor touches",
    onThisComputer: "the processor's temperature; none where the system shows no sensor",
  },
  humidity: {
    unit: "%",
    description: "relative humidity of the air",
    onThisComputer: "none: replay a recorded series",
  },
  pressure: {
    unit: "hPa",
    description: "pressure of the air, where the board is",
    onThisComputer: "none: replay a recorded series",
  },
  co2: {
    unit: "ppm",
    description: "carbon dioxide in the air",
    onThisComputer: "none: replay a recorded series",
  },
  "cpu.load": {
    unit: "%",
    description: "share of processor time in use",
    onThisComputer: "load of all cores since the last sample",
  },
  "memory.used": {
    unit: "%",
    description: "share of memory in use",
    onThisComputer: "memory that programs hold, without caches that can be given back",
  },
  "network.received": {
    unit: "B/s",
    description: "rate of bytes received",
    onThisComputer: "all network interfaces together, since the last sample",
  },
  "network.sent": {
    unit: "B/s",
    description: "rate of bytes sent",
    onThisComputer: "all network interfaces together, since the last sample",
  },
} as const satisfies Record<string, SensorDefinition>;

export type SensorName = keyof typeof catalogue;

export const sensors: Readonly<Record<SensorName, SensorDefinition>> = catalogue;

export const sensorNames = Object.keys(catalogue) as readonly SensorName[];

export function isSensor(name: unknown): name is SensorName {
  return typeof name === "string" && Object.hasOwn(catalogue, name);
}
