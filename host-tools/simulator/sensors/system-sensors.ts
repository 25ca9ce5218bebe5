/**
 * This computer's own sensors, for the simulated boards that nothing else is fed to.
 *
 * They are sampled once a second in the background, only those that somebody asked for, and read from memory.
 */
import * as systeminformation from "systeminformation";
import type { SensorSource } from "./sensor-source.ts";

/** What this computer can stand in for. Sensor name to unit. */
export const systemSensorUnits = Object.freeze({
  "cpu.load": "%",
  "memory.used": "%",
  temperature: "°C",
  "network.received": "B/s",
});

export type SystemSensorName = keyof typeof systemSensorUnits;

const sampleEveryMs = 1000;

type Probe = () => Promise<number>;

export class SystemSensors {
  readonly #latest = new Map<SystemSensorName, number>();
  readonly #probes: Record<SystemSensorName, Probe>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor() {
    let received: { bytes: number; atMs: number } | undefined;
    this.#probes = {
      "cpu.load": async () => (await systeminformation.currentLoad()).currentLoad,
      "memory.used": async () => {
        const memory = await systeminformation.mem();
        return (100 * (memory.total - memory.available)) / memory.total;
      },
      temperature: async () => (await systeminformation.cpuTemperature()).main ?? Number.NaN,
      "network.received": async () => {
        const interfaces = await systeminformation.networkStats("*");
        const now = {
          bytes: interfaces.reduce((sum, each) => sum + each.rx_bytes, 0),
          atMs: performance.now(),
        };
        const before = received;
        received = now;
        // A counter that went back (an interface left) says nothing about this second.
        if (before === undefined || now.bytes < before.bytes) return Number.NaN;
        return ((now.bytes - before.bytes) * 1000) / (now.atMs - before.atMs);
      },
    };
  }

  static has(sensor: string): sensor is SystemSensorName {
    return Object.hasOwn(systemSensorUnits, sensor);
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
