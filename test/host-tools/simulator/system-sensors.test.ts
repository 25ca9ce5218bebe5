import { afterEach, describe, expect, it } from "vitest";
import {
  type SystemSensorName,
  SystemSensors,
} from "../../../host-tools/simulator/sensors/system-sensors.ts";

let sensors: SystemSensors | undefined;
afterEach(() => sensors?.stop());

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("this computer's sensors", () => {
  it("give nothing before the first sample", () => {
    sensors = new SystemSensors();
    expect(sensors.source("cpu.load").read()).toBeNaN();
  });

  it("give a load and a memory share in percent, and rates once there were two samples", async () => {
    sensors = new SystemSensors();
    const source = (name: SystemSensorName) => sensors!.source(name);
    const load = source("cpu.load");
    const memory = source("memory.used");
    const received = source("network.received");
    await sensors.start();
    expect(load.read()).toBeGreaterThanOrEqual(0);
    expect(load.read()).toBeLessThanOrEqual(100);
    expect(memory.read()).toBeGreaterThan(0);
    expect(memory.read()).toBeLessThan(100);
    for (let i = 0; i < 50 && Number.isNaN(received.read()); i++) await sleep(100);
    expect(received.read()).toBeGreaterThanOrEqual(0);
  });

  it("know which sensors of the catalogue they can stand in for", () => {
    expect(SystemSensors.has("network.sent")).toBe(true);
    expect(SystemSensors.has("humidity")).toBe(false);
  });
});
