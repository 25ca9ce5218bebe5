/** The tasks of the simulated hosts: roles and an aggregation, of which each host may hold any, but `zigbee`, which needs a stick. */
import type { BoardPlace, TaskDefinition } from "../../../../host-tools/swarm-file/definition.ts";

export const hostNames = ["a", "b", "c"];

const hasStick: BoardPlace = { zone: undefined, has: ["zigbee-stick"], onBattery: false, weight: 1 };

export const hostPlaces: Readonly<Record<string, BoardPlace>> = { a: hasStick, b: hasStick };

export const tasks: Readonly<Record<string, TaskDefinition>> = {
  zigbee: role({ leaseMs: 4_000, needs: ["zigbee-stick"], strategy: "least-loaded" }),
  gateway: role({}),
  modbus: role({ apartFrom: ["zigbee"] }),
  billing: role({ leaseMs: 9_000 }),
  p95: {
    ...role({ leaseMs: 3_000, strategy: "round-robin" }),
    aggregate: {
      ...{ metric: "p95", unit: "°C", everyMs: 2_000, boards: ["n"] },
      query: "p95(temperature) over 2s",
    },
  },
};

export const roles = Object.keys(tasks).filter((name) => tasks[name]!.aggregate === undefined);

interface RoleParts {
  readonly leaseMs?: number;
  readonly strategy?: TaskDefinition["strategy"];
  readonly needs?: readonly string[];
  readonly apartFrom?: readonly string[];
}

function role({
  leaseMs = 6_000,
  strategy = "rendezvous",
  needs = [],
  apartFrom = [],
}: RoleParts): TaskDefinition {
  return {
    ...{ on: "hosts", strategy, leaseMs, pipelines: [], units: {} },
    requires: { needs, zones: [], mains: false, apartFrom },
  };
}
