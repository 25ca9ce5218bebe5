import type { TaskDefinition } from "../../../../host-tools/swarm-file/definition.ts";

export const roleOfHosts: TaskDefinition = {
  on: "hosts",
  strategy: "least-loaded",
  leaseMs: 10_000,
  requires: { needs: [], zones: [], mains: false, apartFrom: [] },
  pipelines: [],
  units: {},
};

export const aggregateOfHosts: TaskDefinition = {
  ...roleOfHosts,
  aggregate: {
    ...{ metric: "house-p95", unit: "°C", everyMs: 60_000, boards: ["n", "s"] },
    query: "p95(temperature) over 60s",
  },
  units: { "house-p95": "°C" },
};
