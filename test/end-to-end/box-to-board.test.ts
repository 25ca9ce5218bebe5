/** From a box of boards to a swarm, with no hardware: an empty chip is flashed, provisioned, switched on, joins, and does what it is told. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { loadBoards } from "../../host-tools/boards/boards.ts";
import { writeSimulatorFiles } from "../../host-tools/builder/simulator-image.ts";
import type { BoardSupervisor } from "../../host-tools/simulator/board-supervisor.ts";
import { bytecodeOf } from "../../host-tools/simulator/engines/xs-engine.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import { EmulatedChip } from "../emulators/esp-chip.ts";
import { DeployedSwarm } from "./deployed-swarm.ts";
import { type CommandResult, RunningSwarm, runCovey, temporaryFolder } from "./running-swarm.ts";

const definition = `
import { board, output, setting, swarm } from "covey";
export default swarm("box", {
  settings: { "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }) },
  boards: {
    "north-1": board("esp32c3-devkit", {
      sense: [],
      outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) },
    }),
  },
});
`;
const flashBytes = 0x40_0000;
const image = "build/simulator/esp32c3-devkit";

let swarm: DeployedSwarm;
let chip: EmulatedChip | undefined;
let port: string;
const switchedOn: BoardSupervisor[] = [];

beforeAll(async () => {
  swarm = await DeployedSwarm.deploy(definition, { boards: "in their box" });
  writeFileSync(
    join(swarm.folder, "wifi.json"),
    JSON.stringify({ ssid: "greenhouse", password: "a secret thing" }),
  );
  await swarm.start("main");
  ok(await run("build", "--board", "north-1", "--platform", "sim", "--firmware-version", "0.2.0"));
}, 180_000);

afterEach(async () => {
  for (const board of switchedOn.splice(0)) await board.powerOff();
  await chip?.close();
});
afterAll(() => swarm?.end());

const run = (...words: string[]) => runCovey(words, swarm.folder);

function ok({ code, stdout, stderr }: CommandResult): unknown {
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function unpack(): Promise<EmulatedChip> {
  const fresh = new EmulatedChip({ chip: "esp32c3", flashBytes });
  chip = fresh;
  ({ url: port } = await fresh.listen());
  return fresh;
}

const flash = () => run("flash", "--port", port, "--image", image, "--json");

function provision(): Promise<CommandResult> {
  const hosts = `main=127.0.0.1:${swarm.ports.get("main")!.mqtt}`;
  return run("provision", "north-1", "--port", port, "--hosts", hosts, "--wifi", "wifi.json", "--json");
}

/** The simulator takes the place of the chip's processor. */
function powerCycle(): BoardSupervisor {
  chip!.powerCycle();
  const board = swarm.powerOnFrom("north-1", chip!.flash);
  switchedOn.push(board);
  return board;
}

it("an empty chip becomes a board of the swarm that applies a setting", async () => {
  const empty = await unpack();
  expect(empty.mode).toBe("no-image");
  ok(await flash());
  expect(empty.mode).toBe("application");
  ok(await provision());

  const board = powerCycle();
  const joined = await swarm.until("north-1 is there", ({ boards }) => boards[0]?.link === "up");
  expect(joined.boards[0]).toMatchObject({ id: "north-1", firmware: { version: "0.2.0" } });
  ok(await run("set", "fan.duty", "65", "--url", swarm.url("main")));
  await swarm.until("the fan runs at 65 %", ({ boards }) => boards[0]?.outputs[0]?.value === 65);
  expect(ok(await run("status", "--url", swarm.url("main")))).toMatch(/north-1.*up/);
  expect(board.violations).toEqual([]);
}, 120_000);

it("a half-written flash starts nothing, and the next covey flash mends it", async () => {
  const torn = await unpack();
  torn.pull(80_000);
  const { code, stderr } = await run("flash", "--port", port, "--image", image);
  expect(code).toBe(1);
  expect(stderr).toContain("half-written");
  torn.plug();
  expect(torn.mode).toBe("no-image");
  const half = powerCycle();
  expect(swarm.said).toMatch(/error north-1: has no firmware that starts \(ota_0: it begins with 0xff/);
  expect(half.pid).toBeUndefined();

  ok(await flash());
  ok(await provision());
  powerCycle();
  await swarm.until("north-1 is there", ({ boards }) => boards[0]?.link === "up");
}, 120_000);

it("the second flash is over the air; firmware that dies gives way to the one before it", async () => {
  await unpack();
  ok(await flash());
  ok(await provision());
  const board = powerCycle();
  const { memberId } = (await swarm.until("north-1 is there", ({ boards }) => boards[0]?.link === "up"))
    .boards[0]!;
  ok(
    await run(
      "build",
      "--board",
      "north-1",
      "--platform",
      "sim",
      "--firmware-version",
      "0.3.0",
      "--out",
      "newer",
    ),
  );
  expect(ok(await update("newer"))).toContain("north-1  runs 0.3.0");

  process.kill(board.pid!, "SIGKILL");
  await swarm.until("it is away", ({ boards }) => boards[0]?.link === "down");
  await swarm.until("it is back, with what it runs now", ({ boards }) => {
    const { link, firmware, outputs } = boards[0]!;
    return link === "up" && firmware?.version === "0.3.0" && outputs[0]?.value === 65;
  });

  await buildDying("dying");
  const { code, stdout } = await update("dying");
  expect({ code, stdout }).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("rolled back to 0.3.0"),
  });
  const { boards } = await swarm.until("it is itself again", (status) => status.boards[0]?.link === "up");
  expect(boards[0]).toMatchObject({
    memberId,
    firmware: { version: "0.3.0", update: { stage: "rolled-back" } },
  });
}, 300_000);

it("covey sim starts a board from a whole flash", async () => {
  ok(await run("image", "merge", image, "--out", "north-1.bin"));
  const { folder, remove } = temporaryFolder();
  const given = ["--flash", `north-1=${join(swarm.folder, "north-1.bin")}`];
  const simulated = await RunningSwarm.start(folder, given, join(swarm.folder, "swarm.ts"));
  try {
    await simulated.until("north-1 runs 0.2.0", ({ boards }) => boards[0]?.firmware?.version === "0.2.0");
  } finally {
    await simulated.end();
    remove();
  }
}, 120_000);

const update = (folder: string) =>
  run("update", folder, "--yes", "--url", swarm.url("main"), "--timeout", "100s");

/** Firmware of a sound image that ends in its first turn. */
async function buildDying(folder: string): Promise<void> {
  const host = await buildXsHost();
  const core = await compileModule(host, "core", "export const version = 1;");
  const main = await compileModule(host, "main", `host.turn = () => { throw new RangeError("not ready"); };`);
  const program = await bytecodeOf({ host, core, main });
  const board = loadBoards().get("esp32c3-devkit")!;
  await writeSimulatorFiles(program, { board, version: "0.4.0", folder: join(swarm.folder, folder) });
}
