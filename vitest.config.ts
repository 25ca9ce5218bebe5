import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Real processes, sockets and files: generous limits, none of which is a measurement.
    testTimeout: 60_000,
    hookTimeout: 240_000,
    // Two cores; the swarm under test is itself a dozen processes.
    maxWorkers: 2,
  },
});
