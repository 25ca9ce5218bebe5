/** `covey register`, and what the other verbs say of registers, over a swarm of simulated boards. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CheckpointListed } from "../../../host-tools/leader/api/types/checkpoints.ts";
import type { LogEntry } from "../../../host-tools/leader/api/types/log.ts";
import type {
  RegisterChanges,
  RegisterRead,
  RegisterStatus,
  RegistersStatus,
} from "../../../host-tools/leader/api/types/registers.ts";
import { CoveyProcess, covey, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
let swarm: CoveyProcess;

beforeAll(async () => {
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { board, output, register, sense, setting, swarm } from "covey";
const hall = board("esp32c3-devkit", {
  sense: [sense("cpu.load", { every: "1s" })],
  outputs: { siren: output.digital({ pin: 5, safe: false, follows: "emergency" }) },
});
export default swarm("hall", {
  settings: { "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }) },
  registers: {
    boards: ["north", "south", "gate"],
    names: {
      emergency: register.boolean({ initial: false }),
      setpoint: register.number({ unit: "°C", min: 5, max: 35, initial: 21 }),
      note: register.text({ initial: "calm" }),
      coordinator: register.coordinator(),
    },
  },
  boards: { north: hall, south: hall, gate: hall },
});
`,
  );
  swarm = new CoveyProcess(
    ["sim", "--engine", "virtual", "--plain", "--http-port", "0", "--mqtt-port", "0"],
    folder,
  );
  await until(async () => (await json<RegistersStatus>("register", "list")).group.phase === "open");
}, 60_000);

afterAll(async () => {
  await swarm.interrupt();
  remove();
}, 30_000);

async function json<T>(...words: string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await covey([...words, "--json"], folder);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

/** While it is not so, or the swarm is not there yet, it is looked at again. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (;;) {
    if (await isSo().catch(() => false)) return;
    await sleep(200);
  }
}

it("is set by boards, and follows into the log, the history and the outputs", async () => {
  const { stdout, exitCode } = await covey(["register", "set", "emergency", "on"], folder);
  expect(stdout).toMatch(/^emergency = true \(version 1, by (north|south|gate)\)\n$/);
  expect(exitCode).toBe(0);
  await until(async () => (await json<RegisterStatus>("register", "get", "emergency")).version === 1);
  expect((await covey(["get", "emergency"], folder)).stdout).toBe("true\n");
  const { changes } = await json<RegisterChanges>("register", "changes", "emergency");
  expect(changes).toMatchObject([{ version: 1, value: true }]);
  const log = await json<LogEntry[]>("log");
  const said = log.map(({ text }) => text).filter((text) => text.includes("covey/register"));
  expect(said[0]).toMatch(/^covey\/registers = epoch 1, open, of gate\.\w+, north\.\w+, south\.\w+$/);
  expect(said.at(-1)).toMatch(
    /^covey\/changes\/emergency = 1 change; covey\/register\/emergency = true, version 1 by/,
  );
  await until(async () => (await covey(["status"], folder)).stdout.includes("siren on"));
});

it("is read from a majority, which may know more than the log", async () => {
  const made = await json<RegisterRead>("register", "set", "setpoint", "24.5");
  const read = await json<RegisterRead>("register", "get", "setpoint", "--now");
  expect(read).toMatchObject({ name: "setpoint", value: 24.5, version: made.version });
  expect((await covey(["register", "get", "setpoint", "--now"], folder)).stdout).toBe("24.5\n");
});

it("is set only in place of the version that is named", async () => {
  const { version } = await json<RegisterRead>("register", "get", "note", "--now");
  const made = await json<RegisterRead>("register", "set", "note", "fire", "--if-version", `${version}`);
  expect(made).toMatchObject({ value: "fire", version: version + 1 });
  const { exitCode, stderr } = await covey(
    ["register", "set", "note", "calm", "--if-version", `${version}`],
    folder,
  );
  expect(stderr).toMatch(
    new RegExp(
      `^note is "fire", version ${version + 1} by \\w+, not version ${version}; nothing was changed\\.\n$`,
    ),
  );
  expect(exitCode).not.toBe(0);
});

it("is listed with who agrees on it", async () => {
  await until(async () => (await json<RegisterStatus>("register", "get", "note")).value === "fire");
  const { stdout } = await covey(["register"], folder);
  expect(stdout).toMatch(/^register +value +version +by +since$/m);
  expect(stdout).toMatch(/^note +"fire" +1 +(north|south|gate) +\d+ s$/m);
  expect(stdout).toContain("north, south, gate agree by themselves, 2 of them are enough (epoch 1, open).");
});

it("is told among the events of covey sim", () => {
  expect(swarm.stdout).toMatch(/ (north|south|gate) +note = fire \(register, version 1\)$/m);
});

it("is not brought back with a checkpoint, which says what it was", async () => {
  await json<CheckpointListed>("checkpoint", "create", "before");
  await json("set", "fan.duty", "50");
  await json("register", "set", "note", "later");
  await until(async () => (await json<RegisterStatus>("register", "get", "note")).value === "later");
  const { stdout } = await covey(["checkpoint", "diff", "before"], folder);
  expect(stdout).toBe("fan.duty: 20 -> 50\n");
  const restored = await covey(["checkpoint", "restore", "before", "--yes"], folder);
  expect(restored).toMatchObject({ exitCode: 0 });
  expect((await covey(["get", "fan.duty"], folder)).stdout).toBe("20\n");
  expect(await json("register", "get", "note", "--now")).toMatchObject({ value: "later" });
  expect(await json("register", "get", "note")).toMatchObject({ value: "later" });
});

it.each([
  [
    ["set", "emergency", "on"],
    "emergency is a register, which boards agree on by themselves: covey register get emergency, covey register set emergency VALUE.",
  ],
  [
    ["register", "set", "fan.duty", "40"],
    "fan.duty is a setting, not a register: covey get fan.duty, covey set fan.duty.",
  ],
  [
    ["register", "get", "siren"],
    "There is no register siren; this swarm has emergency, setpoint, note, coordinator (registers in swarm.ts).",
  ],
  [["register", "set", "setpoint", "36"], "setpoint takes a number from 5 to 35 °C, not 36."],
  [["register", "set", "setpoint", "warm"], 'setpoint takes a number in °C, not "warm".'],
  [
    ["register", "set", "note", "a text that is longer than 32 bytes"],
    'note takes a text of at most 32 bytes, not "a text that is longer than 32 bytes".',
  ],
  [
    ["register", "set", "coordinator", "door"],
    'coordinator takes north, south, gate or "" for nobody, not "door".',
  ],
  [["register", "set", "note"], "Say which register and what value: covey register set emergency on."],
  [["register", "forget", "note"], "There is no action forget; use list, get, set, changes or recover."],
  [
    ["register", "recover", "--accept-loss", "--yes"],
    "north, south, gate are connected, which is a majority of 3: nothing needs to be given up.",
  ],
])("says in one sentence why %j is refused", async (words, sentence) => {
  const { exitCode, stderr, stdout } = await covey(words, folder);
  expect(stderr.trimEnd().split("\n").at(-1)).toBe(sentence);
  expect(exitCode).not.toBe(0);
  expect(stdout).toBe("");
});
