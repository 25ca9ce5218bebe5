import { expect, test } from "vitest";
import type { QueryAnswer } from "../../../../host-tools/leader/api/types/queries.ts";
import { type AggregateTold, Aggregations } from "../../../../host-tools/leader/tasks/aggregations.ts";
import type { AgreedTasks } from "../../../../host-tools/leader/tasks/agreed-tasks.ts";
import type { OpenTenure } from "../../../../host-tools/leader/tasks/host-tenure.ts";
import type { NewReading } from "../../../../host-tools/leader/telemetry/telemetry.ts";
import type { Placement } from "../../../../protocols/tasks/placement.ts";
import { aggregateOfHosts } from "./task-definitions.ts";

class Scene {
  wallMs = 1_700_000_010_000;
  open: OpenTenure | undefined = { token: 3, untilMs: Infinity };
  placement: Placement = {
    ...{ mode: "held", holder: "a", token: 3, leaseMs: 10_000, sinceMs: 0, program: null },
  };
  readonly told: AggregateTold[] = [];
  readonly stored: NewReading[] = [];
  readonly asked: string[] = [];
  answer = Promise.withResolvers<Pick<QueryAnswer, "rows">>();
  readonly aggregations = new Aggregations({
    ...{ hostName: "a", tasks: { "house-p95": aggregateOfHosts }, agreed: this as unknown as AgreedTasks },
    tenure: { of: () => this.open },
    query: (text, isWanted) => {
      this.asked.push(`${text} of ${["n", "s", "w"].filter(isWanted)}`);
      return this.answer.promise as Promise<QueryAnswer>;
    },
    tell: (told) => void this.told.push(told),
    store: (reading) => void this.stored.push(reading),
    log: { warn: () => {} },
    wallMs: () => this.wallMs,
  });

  get placements() {
    return new Map([["house-p95", { placement: this.placement, value: new Uint8Array(), index: 1 }]]);
  }

  /** The boards have answered. */
  async settle(value: number | null): Promise<void> {
    this.answer.resolve({ rows: [{ group: "all", samples: 9, value, error: 0 }] });
    await this.answer.promise;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** To the next full minute. */
  pass(): void {
    this.aggregations.run();
    this.wallMs = Math.ceil((this.wallMs + 1) / 60_000) * 60_000 + 120;
    this.aggregations.run();
  }
}

const minuteMs = Math.ceil(1_700_000_010_001 / 60_000) * 60_000;

test("at each full period the boards are asked, and what comes of it is told and stored as of its end", async () => {
  const scene = new Scene();
  scene.pass();
  scene.aggregations.run();
  expect(scene.asked).toEqual(["p95(temperature) over 60s of n,s"]);
  await scene.settle(21.5);
  expect(scene.told).toEqual([{ task: "house-p95", token: 3, atMs: minuteMs, value: 21.5 }]);
  expect(scene.stored).toEqual([
    { board: "a", metric: "house-p95", atMs: minuteMs, value: 21.5, quality: 0 },
  ]);
});

test("a host that does not hold it asks nobody", () => {
  const scene = new Scene();
  scene.open = undefined;
  scene.pass();
  expect(scene.asked).toEqual([]);
});

test.each([
  ["is over", undefined],
  ["is another one", { token: 4, untilMs: Infinity }],
])("a host whose lease %s when the answer is there writes nothing", async (_what, open) => {
  const scene = new Scene();
  scene.pass();
  scene.open = open;
  await scene.settle(21.5);
  expect(scene.told).toEqual([]);
  expect(scene.stored).toEqual([]);
  expect(scene.aggregations.late).toBe(1);
});

test("what a former holder tells, or somebody who never was one, is not taken", () => {
  const scene = new Scene();
  const told = { task: "house-p95", token: 3, atMs: minuteMs, value: 21.5 };
  scene.aggregations.take("b", told);
  scene.aggregations.take("a", { ...told, token: 2 });
  scene.aggregations.take("a", { ...told, task: "other" });
  expect(scene.stored).toEqual([]);
  expect(scene.aggregations.fenced).toBe(3);
  scene.aggregations.take("a", told);
  expect(scene.stored).toHaveLength(1);
});

test("where no board has anything to say nothing is told", async () => {
  const scene = new Scene();
  scene.pass();
  await scene.settle(null);
  expect(scene.told).toEqual([]);
});
