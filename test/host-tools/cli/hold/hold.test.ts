/** Commands that are held, as real processes; the host that answers is played. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { HeldCommand } from "../../../../host-tools/cli/hold/held-command.ts";
import { hold } from "../../../../host-tools/cli/hold/hold.ts";
import { thisComputer } from "../../../../host-tools/cli/hold/surroundings.ts";
import type { HoldAnswer } from "../../../../host-tools/leader/api/types/tasks.ts";

function temporaryFile(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "covey-hold-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}

async function until(what: string, isSo: () => boolean, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(10);
  }
}

const isAlive = (pid: number) => {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
};
const pidIn = (file: string) => Number(readFileSync(file, "utf8").trim());
const isWritten = (file: string) => existsSync(file) && readFileSync(file, "utf8").includes("\n");

/** Notes its process id and ignores SIGTERM. */
const stubborn = (file: string) => ["-c", `trap '' TERM; echo $$ > ${file}; while true; do sleep 0.05; done`];

test("a command that ignores SIGTERM is dead when the lease is over, with what it started", async () => {
  const file = temporaryFile("pid");
  const startMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const surroundings = thisComputer();
  new HeldCommand(
    {
      ...{ command: "sh", args: stubborn(file), environment: {}, graceMs: 700, surroundings },
      onEnd: (code) => resolve(code),
    },
    surroundings.nowMs() + 1_500,
  );
  await until("it runs", () => isWritten(file));
  expect(await promise).toBe(137);
  expect(performance.now() - startMs).toBeLessThan(1_500);
  expect(performance.now() - startMs).toBeGreaterThan(1_000);
  expect(isAlive(pidIn(file))).toBe(false);
});

test("a lease that goes on is waited for; then the command has its grace to end well", async () => {
  const startMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const surroundings = thisComputer();
  const startedMs = surroundings.nowMs();
  const options = {
    ...{ command: "sh", args: ["-c", "trap 'exit 3' TERM; while true; do sleep 0.05; done"] },
    ...{ environment: {}, graceMs: 800, surroundings },
    onEnd: (code: number | undefined) => resolve(code),
  };
  const held = new HeldCommand(options, startedMs + 1_500);
  setTimeout(() => held.extend(startedMs + 2_500), 400);
  expect(await promise).toBe(3);
  expect(performance.now() - startMs).toBeGreaterThan(1_550);
  expect(performance.now() - startMs).toBeLessThan(2_400);
});

test.each(["SIGKILL", "SIGSTOP"] as const)(
  "whoever holds the lease gets %s: the command ends all the same",
  async (signal) => {
    const file = temporaryFile("pid");
    const module = (name: string) =>
      JSON.stringify(new URL(`../../../../host-tools/cli/hold/${name}.ts`, import.meta.url).href);
    const source = `
    const { HeldCommand } = await import(${module("held-command")});
    const { thisComputer } = await import(${module("surroundings")});
    const surroundings = thisComputer();
    new HeldCommand({ command: "sh", args: ${JSON.stringify(stubborn(file))}, environment: {}, graceMs: 100,
      surroundings, onEnd: () => {} }, surroundings.nowMs() + 2_000);
    setInterval(() => {}, 1_000);
  `;
    const holder = spawn(process.execPath, ["--input-type=module-typescript", "-e", source], {
      stdio: "inherit",
    });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await until("it runs", () => isWritten(file));
    // The guard has been told how long.
    await sleep(700);
    holder.kill(signal);
    await until("it has ended", () => !isAlive(pidIn(file)), 3_000);
  },
);

/** Answers of a host to one process. */
class PlayedHost {
  state: "held" | "waiting" = "held";
  token = 1;
  leaseMs = 2_000;
  isReachable = true;
  readonly asked: { isRunning: boolean; isLeaving: boolean; number: number }[] = [];

  readonly ask = async (body: object): Promise<HoldAnswer> => {
    if (!this.isReachable) throw new Error("unreachable");
    this.asked.push(body as PlayedHost["asked"][number]);
    const { state, token, leaseMs } = this;
    const common = { task: "gateway", host: "a", state, leaseMs, askAgainMs: 50 };
    return state === "held" ? { ...common, token, leftMs: leaseMs } : common;
  };
}

test("a command runs while the role is held, under its token, stops when it is not, and runs again under another", async () => {
  const file = temporaryFile("tokens");
  const host = new PlayedHost();
  host.state = "waiting";
  const stop = new AbortController();
  const said: string[] = [];
  const done = hold({
    ...{ task: "gateway", command: "sh", graceMs: undefined, interrupted: stop.signal },
    args: ["-c", `echo $COVEY_TASK $COVEY_TASK_TOKEN $COVEY_HOST >> ${file}; exec sleep 60`],
    ask: host.ask,
    say: (text) => said.push(text),
  });
  await sleep(200);
  expect(existsSync(file)).toBe(false);
  host.state = "held";
  await until("it runs", () => isWritten(file));
  host.state = "waiting";
  await until("it has stopped", () => host.asked.at(-1)!.isRunning === false && said.length === 2);
  host.token = 4;
  host.state = "held";
  await until("it runs again", () => readFileSync(file, "utf8") === "gateway 1 a\ngateway 4 a\n");
  stop.abort();
  expect(await done).toEqual({ task: "gateway", exitCode: undefined, tenures: 2 });
  expect(host.asked.at(-1)).toMatchObject({ isRunning: false, isLeaving: true });
  const numbers = host.asked.map(({ number }) => number);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
});

test("a command that ends by itself ends it all, with its exit code", async () => {
  const host = new PlayedHost();
  const options = { task: "gateway", graceMs: undefined, interrupted: new AbortController().signal };
  const result = await hold({
    ...options,
    command: "sh",
    args: ["-c", "exit 7"],
    ask: host.ask,
    say: () => {},
  });
  expect(result).toEqual({ task: "gateway", exitCode: 7, tenures: 1 });
  expect(host.asked.at(-1)!.isLeaving).toBe(true);
  const missing = { ...options, command: "no-such-command", args: [], ask: host.ask, say: () => {} };
  await expect(hold(missing)).rejects.toThrow("no-such-command could not be started");
});
