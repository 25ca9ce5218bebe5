import { defineConfig } from "vitest/config";
import { SlowestFirst } from "./test/slowest-first.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Real processes, sockets and files: generous limits, none of which is a measurement.
    testTimeout: 60_000,
    hookTimeout: 240_000,
    // One more than the two cores of CI: a third of the time is spent waiting for what takes its time in a real swarm.
    maxWorkers: 3,
    sequence: { sequencer: SlowestFirst },
  },
});
