import type { TaskDefinition } from "../../../../host-tools/swarm-file/definition.ts";

export const roleOfHosts: TaskDefinition = {
  on: "hosts",
  strategy: "least-loaded",
  leaseMs: 10_000,
  requires: { needs: [], zones: [], mains: false, apartFrom: [] },
  pipelines: [],
  units: {},
};
