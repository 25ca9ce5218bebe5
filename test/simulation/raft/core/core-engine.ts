import type { Engine } from "../engine.ts";
import { Random } from "../random.ts";
import type { CoreOptions, CoreResult } from "./core-run.ts";
import { runCore } from "./core-run.ts";
import type { CoreSchedule, CoreWeather } from "./weather.ts";
import { drawCoreSchedule } from "./weather.ts";

/** The protocol cores alone: three hosts, three voting boards and two learners. */
export const coreEngine: Engine<CoreSchedule> = {
  name: "core",
  schedule: (seed) => drawCoreSchedule(seed, new Random(seed)),
  run: (schedule, { onNote }) => ({ ...runCore(schedule, onNote === undefined ? {} : { onNote }) }),
};

/** One seed, perhaps in given weather or with other cores. Throws the first thing that is wrong. */
export function simulateCore(
  seed: number,
  options: CoreOptions & { readonly weather?: Partial<CoreWeather> } = {},
): CoreResult {
  return runCore(drawCoreSchedule(seed, new Random(seed), options.weather), options);
}
