import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { Status } from "../../../host-tools/leader/api/types/status.ts";
import { portOf } from "../../../host-tools/leader/listen.ts";
import type { ReadyLine } from "../../../host-tools/leader/main.ts";
import { writeMemberFile } from "../../../host-tools/security/member-file.ts";
import { definition, temporaryFolder } from "./leader-under-test.ts";
import { RawBoard } from "./raw-board.ts";
import { memberOf } from "./test-swarm.ts";

const main = fileURLToPath(new URL("../../../host-tools/leader/main.ts", import.meta.url));

interface LeaderProcess {
  readonly child: ChildProcess;
  readonly ready: Promise<ReadyLine>;
  readonly ended: Promise<{ exitCode: number | null; stderr: string }>;
}

function startProcess(stateDir: string, options: readonly string[] = []): LeaderProcess {
  const file = join(temporaryFolder(), "definition.json");
  writeFileSync(file, JSON.stringify(definition));
  const memberFile = join(temporaryFolder(), "member.json");
  writeMemberFile(memberFile, memberOf("greenhouse", "host", "a"));
  const ports = ["--mqtt-port", "0", "--http-port", "0", "--peer-port", "0"];
  const child = spawn(process.execPath, [
    main,
    "--definition",
    file,
    "--state",
    stateDir,
    "--name",
    "a",
    "--member",
    memberFile,
    ...ports,
    ...options,
  ]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr!.on("data", (text) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([exitCode]) => ({ exitCode, stderr }));
  const ready = once(child.stdout!, "data").then(([line]) => JSON.parse(String(line)) as ReadyLine);
  ready.catch(() => {});
  return { child, ready, ended };
}

async function readStatus({ httpPort }: ReadyLine): Promise<Status> {
  return (await (await fetch(`http://127.0.0.1:${httpPort}/api/status`)).json()) as Status;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`serves when it says so, and on ${signal} ends with 0 and takes host.json away`, async () => {
    const stateDir = temporaryFolder();
    const { child, ready, ended } = startProcess(stateDir);
    const line = await ready;
    expect(line).toMatchObject({ ready: true, pid: child.pid });
    expect((await readStatus(line)).leader).toMatchObject({ mqttPort: line.mqttPort, pid: child.pid });
    expect(existsSync(join(stateDir, "host-a", "host.json"))).toBe(true);
    child.kill(signal);
    expect((await ended).exitCode).toBe(0);
    expect(existsSync(join(stateDir, "host-a", "host.json"))).toBe(false);
  });
}

test("with --parent it ends cleanly when its parent dies, though nobody reads its last words", async () => {
  const stateDir = temporaryFolder();
  const { child, ready, ended } = startProcess(stateDir, ["--parent"]);
  const { mqttPort } = await ready;
  await RawBoard.join({ swarm: "greenhouse", name: "north-2", port: mqttPort });
  child.stdout!.destroy();
  child.stderr!.destroy();
  child.stdin!.end();
  expect((await ended).exitCode).toBe(0);
  expect(existsSync(join(stateDir, "host-a", "host.json"))).toBe(false);
});

test("a second process of the same host is refused and told which one is there; after a SIGKILL the folder is free", async () => {
  const stateDir = temporaryFolder();
  const first = startProcess(stateDir);
  const { pid, httpPort } = await first.ready;
  const second = await startProcess(stateDir).ended;
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toBe(
    `Host a runs already (process ${pid}, http://127.0.0.1:${httpPort}) and is using ${join(stateDir, "host-a")}; stop it first, or run another host of the swarm with --name.\n`,
  );
  first.child.kill("SIGKILL");
  await first.ended;
  expect(JSON.parse(readFileSync(join(stateDir, "host-a", "host.json"), "utf8")).pid).toBe(pid);
  const third = startProcess(stateDir);
  await third.ready;
  expect(JSON.parse(readFileSync(join(stateDir, "host-a", "host.json"), "utf8")).pid).toBe(third.child.pid);
});

test("an identity that can't be read, is another's, or may be read by others is refused with one sentence", async () => {
  const file = join(temporaryFolder(), "member.json");
  const refusal = async () => {
    const { exitCode, stderr } = await startProcess(temporaryFolder(), ["--member", file]).ended;
    expect(exitCode).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    return stderr;
  };
  expect(await refusal()).toMatch(/member\.json can't be read: issue the identity with covey keys issue/);
  writeMemberFile(file, memberOf("greenhouse", "host", "b"));
  expect(await refusal()).toMatch(/that of the host b of the swarm greenhouse; host a .* needs its own/);
  writeMemberFile(file, memberOf("greenhouse", "host", "a"));
  chmodSync(file, 0o644);
  expect(await refusal()).toMatch(/may be read by others and holds a private key; run chmod 600/);
});

for (const purpose of ["MQTT", "HTTP"] as const) {
  test(`a port for ${purpose} that is in use is named, with what to do, and nothing is left behind`, async () => {
    const other = createServer().listen({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const stateDir = temporaryFolder();
    const option = `--${purpose.toLowerCase()}-port`;
    const { exitCode, stderr } = await startProcess(stateDir, [option, String(portOf(other))]).ended;
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `Port ${portOf(other)} for ${purpose} is in use by another program; stop that program or choose another port with ${option} (0 takes any free one).\n`,
    );
    expect(existsSync(join(stateDir, "host-a", "host.json"))).toBe(false);
  });
}

test("a damaged Raft log is refused with one sentence and kept", async () => {
  const stateDir = temporaryFolder();
  const first = startProcess(stateDir);
  await first.ready;
  first.child.kill();
  await first.ended;
  const log = join(stateDir, "host-a", "raft", readdirSync(join(stateDir, "host-a", "raft"))[0]!);
  const bytes = readFileSync(log);
  bytes[40]! ^= 0xff;
  writeFileSync(log, bytes);
  const { exitCode, stderr } = await startProcess(stateDir).ended;
  expect(exitCode).toBe(1);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain("damaged");
});
