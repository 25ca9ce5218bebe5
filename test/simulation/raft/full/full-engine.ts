import type { Engine } from "../engine.ts";
import { Random } from "../random.ts";
import type { FullOptions, FullResult } from "./full-run.ts";
import { runFull } from "./full-run.ts";
import type { FullSchedule, FullWeather } from "./weather.ts";
import { drawFullSchedule } from "./weather.ts";

/** Whole boards over real MQTT bytes, hosts on disks that tear, clients whose history is checked. */
export const fullEngine: Engine<FullSchedule> = {
  name: "full",
  schedule: (seed) => drawFullSchedule(seed, new Random(seed)),
  run: (schedule, watching) => ({ ...runFull(schedule, watching) }),
};

/** One seed, perhaps in given weather. Throws the first thing that is wrong. */
export function simulateFull(
  seed: number,
  options: FullOptions & { readonly weather?: Partial<FullWeather> | undefined } = {},
): FullResult {
  return runFull(drawFullSchedule(seed, new Random(seed), options.weather), options);
}
