/** `covey boards`, and that adding a kind of board is adding a file. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { covey, runCovey, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);
const root = join(import.meta.dirname, "../../..");

describe("covey boards", () => {
  it("lists the kinds of board", async () => {
    const { exitCode, stdout } = await covey(["boards"], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^xiao-esp32c3 +esp32c3 +4 MiB +- +92 KiB +Seeed Studio XIAO ESP32C3$/m);
  });

  it("shows one with its pins, sensors and partitions", async () => {
    const { stdout } = await covey(["boards", "m5stack-core2"], folder);
    expect(stdout).toMatch(/^pins +13 14 19 25 26 27 32 33$/m);
    expect(stdout).toMatch(
      /^sensor +imu: TDK InvenSense MPU6886 on internal 0x68 \(not read by the firmware\)$/m,
    );
    expect(stdout).toMatch(/^partition +ota_1 +0x420000 +4 MiB$/m);
  });

  it("gives one JSON value", async () => {
    const list = JSON.parse((await covey(["boards", "--json"], folder)).stdout);
    expect(list.map(({ name }: { name: string }) => name)).toContain("esp32c6-devkit");
    const one = JSON.parse((await covey(["boards", "esp32c6-devkit", "--json"], folder)).stdout);
    expect(one).toMatchObject({ moddableTarget: "esp32/esp32c6", flashBytes: 8 * 1024 * 1024 });
  });

  it("says what is near a wrong name", async () => {
    expect(await covey(["boards", "esp32c3-devkid"], folder)).toMatchObject({
      exitCode: 2,
      stderr: '"esp32c3-devkid" is not a kind of board; did you mean "esp32c3-devkit"?\n',
    });
  });
});

describe("a file that is added to boards/", () => {
  const copy = join(folder, "covey");
  mkdirSync(copy);
  for (const part of ["boards", "firmware", "host-tools", "protocols", "package.json", "manifest.json"]) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const board = JSON.parse(readFileSync(join(root, "boards/esp32c3-devkit.json"), "utf8"));
  board.name = "wall-box";
  board.sensors = [{ name: "air", driver: "sht3x", bus: "i2c" }];
  writeFileSync(join(copy, "boards/wall-box.json"), JSON.stringify(board));
  const program = join(copy, "host-tools/cli/bin.js");

  it("is listed", async () => {
    const { stdout } = await runCovey(program, ["boards", "wall-box"], folder);
    expect(stdout).toMatch(/^sensor +air: Sensirion SHT3x on i2c 0x44 \(temperature, humidity\)$/m);
  });

  it("is a model for swarm.ts", async () => {
    const file = join(folder, "swarm.ts");
    writeFileSync(
      file,
      `import { board, sense, swarm } from "covey";
export default swarm("house", {
  voters: ["hall"],
  boards: { hall: board("wall-box", { sense: [sense("cpu.load", { every: "100ms" })] }) },
});
`,
    );
    const words = ["sim", file, "--engine", "virtual", "--for", "1s", "--http-port", "0", "--mqtt-port", "0"];
    const { exitCode, stdout, stderr } = await runCovey(program, [...words, "--json"], folder);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(stdout).boards).toMatchObject([{ id: "hall", board: "wall-box" }]);
  });
});
