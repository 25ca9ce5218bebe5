import { expect, test } from "vitest";
import type { AgreedTasks } from "../../../../host-tools/leader/tasks/agreed-tasks.ts";
import { HostTenure } from "../../../../host-tools/leader/tasks/host-tenure.ts";
import { LeaseClock } from "../../../../host-tools/leader/tasks/lease-clock.ts";
import type { Leases } from "../../../../protocols/tasks/lease-messages.ts";
import type { Placement } from "../../../../protocols/tasks/placement.ts";
import { roleOfHosts } from "./task-definitions.ts";

class Scene {
  nowMs = 1_000;
  placement: Placement = {
    ...{ mode: "held", holder: "a", token: 3, leaseMs: 10_000, sinceMs: 0, program: null },
  };
  readonly claims: Leases[] = [];
  readonly tenure = new HostTenure({
    hostName: "a",
    tasks: { gateway: roleOfHosts },
    agreed: this as unknown as AgreedTasks,
    claim: (leases) => this.claims.push(leases),
    nowMs: () => this.nowMs,
  });

  get placements() {
    return new Map([["gateway", { placement: this.placement, value: new Uint8Array(), index: 1 }]]);
  }
}

test("a host claims what is placed on it, and holds it from when it asked", () => {
  const scene = new Scene();
  scene.tenure.run();
  expect(scene.claims).toEqual([{ askedMs: 1_000, tasks: [{ task: "gateway", token: 3 }] }]);
  expect(scene.tenure.of("gateway")).toBeUndefined();
  scene.nowMs += 2_000;
  scene.tenure.granted(scene.claims[0]!);
  expect(scene.tenure.of("gateway")).toEqual({ token: 3, untilMs: 11_000 });
});

test("a host that stood still does nothing when it goes on, before any timer has run", () => {
  const scene = new Scene();
  scene.tenure.run();
  scene.tenure.granted(scene.claims[0]!);
  scene.nowMs += 10_000;
  expect(scene.tenure.of("gateway")).toBeUndefined();
});

test("a host lets go as soon as the agreed state says so, before any timer has run", () => {
  const scene = new Scene();
  scene.tenure.run();
  scene.tenure.granted(scene.claims[0]!);
  scene.placement = { ...scene.placement, mode: "released" };
  expect(scene.tenure.of("gateway")).toBeUndefined();
  scene.placement = { ...scene.placement, mode: "held", holder: "a", token: 5 };
  scene.tenure.granted(scene.claims[0]!);
  expect(scene.tenure.of("gateway")).toBeUndefined();
});

test("the clock of leases counts what passed by either clock, and never goes back", () => {
  let steadyMs = 0;
  let wallMs = 1_700_000_000_000;
  const clock = new LeaseClock(
    () => steadyMs,
    () => wallMs,
  );
  const start = clock.nowMs();
  steadyMs += 1_000;
  wallMs += 1_000;
  expect(clock.nowMs() - start).toBeCloseTo(1_000, 3);
  // Asleep: the steady clock stood.
  wallMs += 60_000;
  expect(clock.nowMs() - start).toBeCloseTo(61_000, 3);
  // The wall clock is set back.
  wallMs -= 3_600_000;
  steadyMs += 500;
  expect(clock.nowMs() - start).toBeCloseTo(61_500, 3);
  // Asleep once more: that it was set back before hides nothing of it.
  wallMs += 20_000;
  expect(clock.nowMs() - start).toBeCloseTo(81_500, 3);
});
