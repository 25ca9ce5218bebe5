/**
 * This computer's own sensors, for the simulated boards that nothing else is fed to.
 *
 * They are sampled once a second in the background, only those that somebody asked for, and read from memory.
 */
import * as systeminformation from "systeminformation";
import type { SensorSource } from "./sensor-source.ts";

/** The sensors of the catalogue that this computer can stand in for; each gives the catalogue's unit. */
export type SystemSensorName =
  | "cpu.load"
  | "memory.used"
  | "temperature"
  | "network.received"
  | "network.sent";

const systemSensorNames: readonly string[] = Object.freeze([
  "cpu.load",
  "memory.used",
  "temperature",
  "network.received",
  "network.sent",
] satisfies SystemSensorName[]);

const sampleEveryMs = 1000;

type Probe = () => Promise<number>;

export class SystemSensors {
  readonly #latest = new Map<SystemSensorName, number>();
  readonly #probes: Record<SystemSensorName, Probe>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor() {
    this.#probes = {
      "cpu.load": async () => (await systeminformation.currentLoad()).currentLoad,
      "memory.used": async () => {
        const memory = await systeminformation.mem();
        return (100 * (memory.total - memory.available)) / memory.total;
      },
      temperature: async () => (await systeminformation.cpuTemperature()).main ?? Number.NaN,
      "network.received": byteRate("rx_bytes"),
      "network.sent": byteRate("tx_bytes"),
    };
  }

  static has(sensor: string): sensor is SystemSensorName {
    return systemSensorNames.includes(sensor);
  }

  /** The sensor's latest sample; NaN before the first, and for ever where this computer has no such sensor. */
  source(sensor: SystemSensorName): SensorSource {
    if (!this.#latest.has(sensor)) this.#latest.set(sensor, Number.NaN);
    return { read: () => this.#latest.get(sensor) ?? Number.NaN };
  }

  /** Resolves once each sensor asked for so far has been sampled; goes on sampling until `stop()`. */
  async start(): Promise<void> {
    await this.#sample();
    // Most containers and virtual machines have no thermal sensor: looking again each second would cost processes for nothing.
    if (Number.isNaN(this.#latest.get("temperature"))) this.#latest.delete("temperature");
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      void this.#sample().then(() => this.#schedule());
    }, sampleEveryMs);
    this.#timer.unref();
  }

  async #sample(): Promise<void> {
    for (const sensor of this.#latest.keys()) {
      const value = await this.#probes[sensor]().catch(() => Number.NaN);
      if (this.#latest.has(sensor)) this.#latest.set(sensor, value);
    }
  }
}

/** Bytes a second over all interfaces since the probe's last call; NaN at its first. */
function byteRate(counter: "rx_bytes" | "tx_bytes"): Probe {
  let before: { bytes: number; atMs: number } | undefined;
  return async () => {
    const interfaces = await systeminformation.networkStats("*");
    const now = { bytes: interfaces.reduce((sum, each) => sum + each[counter], 0), atMs: performance.now() };
    const last = before;
    before = now;
    // A counter that went back (an interface left) says nothing about this second.
    if (last === undefined || now.bytes < last.bytes) return Number.NaN;
    return ((now.bytes - last.bytes) * 1000) / (now.atMs - last.atMs);
  };
}
