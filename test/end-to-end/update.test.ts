/** New firmware over the air, as a user gives it: `covey sim` with two hosts and four boards in the real XS engine, three of which vote, images that `covey build` made, `covey update`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBoards } from "../../host-tools/boards/boards.ts";
import { writeSimulatorImage } from "../../host-tools/simulator/chip/simulator-image.ts";
import { bytecodeOf } from "../../host-tools/simulator/engines/xs-engine.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import { RunningSwarm, runCovey, temporaryFolder, turnsOf } from "./running-swarm.ts";

const model = "esp32c3-devkit";
const { folder, remove } = temporaryFolder();
let swarm: RunningSwarm;

/** Processes start slowly where many other things run, and a learner waits up to a minute before it restarts. */
const patient = { timeout: 300_000 };

beforeAll(async () => {
  const file = join(folder, "swarm.ts");
  writeFileSync(
    file,
    `import { board, swarm } from "covey";
const plain = () => board("${model}", { sense: [] });
export default swarm("house", { hosts: ["a", "b"], voters: ["door", "gate", "yard"], boards: { door: plain(), gate: plain(), roof: plain(), yard: plain() } });
`,
  );
  swarm = await RunningSwarm.start(folder, [], file);
  await swarm.until(
    "all have joined, and vote that are to",
    ({ boards, leader }) => boards.every(({ link }) => link === "up") && leader.voters.length === 5,
    150_000,
  );
}, patient.timeout);

afterAll(async () => {
  await swarm.end();
  remove();
}, 60_000);

const update = async (...words: string[]) => {
  const { code, stdout, stderr } = await runCovey(
    ["update", ...words, "--yes", "--timeout", "4m", "--json"],
    folder,
  );
  return {
    code,
    stderr,
    ...(JSON.parse(stdout) as { boards: { id: string; outcome: string; note: string }[] }),
  };
};

const versions = async () => {
  const { boards } = (await swarm.status())!;
  return boards.map(({ id, firmware, link, role }) => `${id} ${role} ${link} ${firmware!.version}`);
};

/** An image that is whole and for the right chip, and whose program ends as it begins. */
async function crashingImage(): Promise<Uint8Array> {
  const host = await buildXsHost();
  const core = await compileModule(host, "core", "export const nothing = 0;");
  const main = await compileModule(host, "main", `host.turn = () => { throw new RangeError("not ready"); };`);
  const program = await bytecodeOf({ host, core, main });
  return writeSimulatorImage({
    program,
    board: loadBoards().get(model)!,
    version: "0.3.0",
    builtAt: new Date(0),
  });
}

describe("covey update", () => {
  it("brings every board to the new firmware, those that vote one after the other", patient, async () => {
    const built = await runCovey(
      ["build", "--platform", "sim", "--board", model, "--firmware-version", "0.2.0"],
      folder,
    );
    expect(built).toMatchObject({ code: 0 });
    const { code, boards, stderr } = await update("build/simulator");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(boards.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      "door runs",
      "gate runs",
      "roof runs",
      "yard runs",
    ]);
    await swarm.until("all are there", ({ boards }) => boards.every(({ link }) => link === "up"));
    expect(await versions()).toEqual([
      "door voter up 0.2.0",
      "gate voter up 0.2.0",
      "roof learner up 0.2.0",
      "yard voter up 0.2.0",
    ]);
    const turns = ["door", "gate", "yard"].map((board) => `${board}, to update`);
    expect((await turnsOf(folder)).sort()).toEqual(turns);
    expect((await swarm.status())!.violations).toEqual([]);
  });

  it("a board whose new firmware does not work runs the one before again, and says so", patient, async () => {
    writeFileSync(join(folder, "broken.bin"), await crashingImage());
    const { code, boards } = await update("broken.bin", "--boards", "gate");
    expect({ code, boards }).toMatchObject({ code: 1, boards: [{ id: "gate", outcome: "rolled-back" }] });
    await swarm.until("the gate is back", ({ boards: [, gate] }) => gate!.link === "up");
    expect((await versions())[1]).toBe("gate voter up 0.2.0");
    const told = await runCovey(["update", "--status"], folder);
    expect(told.stdout).toMatch(
      /^gate .* 0\.2\.0 \(release 1\) +0\.3\.0 \(release 2\) +rolled back to 0\.2\.0/m,
    );
  });

  it("and takes the next one", patient, async () => {
    const version = ["--firmware-version", "0.4.0"];
    await runCovey(["build", "--platform", "sim", "--board", model, ...version], folder);
    const { code, boards } = await update("build/simulator", "--boards", "gate");
    expect({ code, boards }).toMatchObject({ code: 0, boards: [{ id: "gate", outcome: "runs" }] });
    expect((await versions())[1]).toBe("gate voter up 0.4.0");
  });
});
