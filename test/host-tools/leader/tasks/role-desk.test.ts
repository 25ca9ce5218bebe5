import { expect, test } from "vitest";
import { ApiFailure } from "../../../../host-tools/leader/api/api-failure.ts";
import type { OpenTenure } from "../../../../host-tools/leader/tasks/host-tenure.ts";
import { RoleDesk } from "../../../../host-tools/leader/tasks/role-desk.ts";
import { roleOfHosts } from "./task-definitions.ts";

class Scene {
  nowMs = 100_000;
  open: OpenTenure | undefined;
  readonly desk = new RoleDesk({
    hostName: "a",
    tasks: { gateway: roleOfHosts },
    tenure: { of: () => this.open },
    nowMs: () => this.nowMs,
  });
  #number = 0;

  ask(isRunning = false, process = "process-1", isLeaving = false) {
    return this.desk.ask("gateway", { process, number: ++this.#number, isRunning, isLeaving });
  }

  /** Past what the process of this host before may have told somebody. */
  settle(): void {
    this.nowMs += roleOfHosts.leaseMs;
  }
}

test("somebody stands ready from its first question until it is silent, or leaves", () => {
  const scene = new Scene();
  expect(scene.desk.ready).toEqual([]);
  expect(scene.ask()).toMatchObject({ state: "waiting", host: "a", askAgainMs: 500 });
  scene.nowMs += 2_999;
  expect(scene.desk.ready).toEqual(["gateway"]);
  scene.nowMs += 1;
  expect(scene.desk.ready).toEqual([]);
  scene.ask();
  expect(scene.desk.ready).toEqual(["gateway"]);
  scene.ask(false, "process-1", true);
  expect(scene.desk.ready).toEqual([]);
});

test("whoever asks is told how long the host's own lease lasts, and under which token", () => {
  const scene = new Scene();
  scene.settle();
  scene.open = { token: 7, untilMs: scene.nowMs + 4_000 };
  expect(scene.ask()).toMatchObject({ state: "held", token: 7, leftMs: 4_000 });
});

test("a role lingers until its process has stopped, or was told to by the end of its lease", () => {
  const scene = new Scene();
  scene.settle();
  scene.open = { token: 7, untilMs: scene.nowMs + 4_000 };
  scene.ask();
  scene.open = undefined;
  expect(scene.ask(true).state).toBe("waiting");
  expect(scene.desk.lingering).toEqual(["gateway"]);
  scene.ask(false);
  expect(scene.desk.lingering).toEqual([]);
  scene.open = { token: 8, untilMs: scene.nowMs + 4_000 };
  scene.ask();
  scene.nowMs += 3_999;
  expect(scene.desk.lingering).toEqual(["gateway"]);
  scene.nowMs += 1;
  expect(scene.desk.lingering).toEqual([]);
});

test("all roles linger after a start for a lease: the process before may have told somebody anything", () => {
  const scene = new Scene();
  expect(scene.desk.lingering).toEqual(["gateway"]);
  scene.settle();
  expect(scene.desk.lingering).toEqual([]);
});

test("for a lease after a start, only whoever runs a role already may go on: another may run it, as the process before told it", () => {
  const scene = new Scene();
  scene.open = { token: 7, untilMs: scene.nowMs + 20_000 };
  expect(scene.ask(false).state).toBe("waiting");
  expect(scene.ask(true).state).toBe("held");
  scene.settle();
  expect(scene.ask(false).state).toBe("held");
});

test("a question that comes after a later one changes nothing", () => {
  const scene = new Scene();
  scene.settle();
  scene.open = { token: 7, untilMs: scene.nowMs + 4_000 };
  scene.ask();
  scene.open = undefined;
  const late = { process: "process-1", number: 1, isRunning: false, isLeaving: false };
  expect(() => scene.desk.ask("gateway", late)).toThrow(ApiFailure);
  expect(scene.desk.lingering).toEqual(["gateway"]);
});

test("a second process waits until the first is silent and its lease is over", () => {
  const scene = new Scene();
  scene.settle();
  scene.open = { token: 7, untilMs: scene.nowMs + 9_000 };
  scene.ask();
  scene.nowMs += 8_999;
  expect(() => scene.ask(false, "process-2")).toThrow("Another process stands ready for gateway on a");
  scene.nowMs += 1;
  expect(scene.ask(false, "process-2").state).toBe("held");
});

test("what is no role of hosts is refused", () => {
  const request = { process: "process-1", number: 1, isRunning: false, isLeaving: false };
  expect(() => new Scene().desk.ask("gatewy", request)).toThrow("swarm.ts declares gateway");
});
