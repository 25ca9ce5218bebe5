/** One reading of each driver from its simulated chip: plain enough to run on a board's engine as well as here. */
import { Bme280 } from "../../../firmware/drivers/bme280.ts";
import { Scd4x } from "../../../firmware/drivers/scd4x.ts";
import { SimulatedBme280 } from "./simulated-bme280.ts";
import { SimulatedBus, SimulatedClock } from "./simulated-i2c.ts";
import { SimulatedScd4x } from "./simulated-scd4x.ts";

export function readBme280(): string {
  const clock = new SimulatedClock();
  const bus = new SimulatedBus();
  const chip = new SimulatedBme280(clock, {
    t: [27504, 26435, -1000],
    p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
    h: [75, 360, 0, -325, -50, 30],
  });
  chip.raw = { temperature: 519888, pressure: 415148, humidity: 30000 };
  bus.plug(0x76, chip);
  clock.advance(10);
  const sensor = new Bme280({ sensor: { io: bus.io }, clock });
  clock.advance(20);
  const sample = sensor.sample();
  sensor.configure({ mode: "forced", temperatureOversampling: 16 });
  clock.advance(20);
  sensor.sample();
  clock.advance(60);
  return JSON.stringify([sample, sensor.sample()]);
}

export function readScd4x(): string {
  const clock = new SimulatedClock();
  const bus = new SimulatedBus();
  bus.plug(0x62, new SimulatedScd4x(clock));
  const sensor = new Scd4x({ sensor: { io: bus.io }, clock });
  clock.advance(6000);
  const sample = sensor.sample();
  bus.unplug(0x62);
  clock.advance(10_000);
  try {
    return JSON.stringify([sample, sensor.sample()]);
  } catch (error) {
    return `${JSON.stringify(sample)} ${error}`;
  }
}
