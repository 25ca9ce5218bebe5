/** What a user's file compiles to, and what each mistake in it is told, word for word. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { boardModels } from "../../../host-tools/swarm-file/board-models.ts";
import type { SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { writeModelFile } from "../../../host-tools/trainer/model-file.ts";
import { packLogistic } from "../../../protocols/model/logistic.ts";
import { programFromWire, programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { mistakes } from "./mistakes.ts";

type Loaded = { definition: SwarmDefinition; mistakes?: never } | { definition?: never; mistakes: string[] };

const folder = realpathSync(mkdtempSync(join(tmpdir(), "covey-swarm-file-")));
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads each file in one process of its own, as the CLI would: under Node's type stripping and not vitest's. */
function load(files: readonly string[]): Loaded[] {
  const script = join(import.meta.dirname, "load-in-process.ts");
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...files], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Loaded[];
}

describe("a swarm file with a mistake", () => {
  const swarmFolder = join(folder, "mistakes");
  mkdirSync(swarmFolder);
  writeFileSync(
    join(swarmFolder, "series.csv"),
    "timestamp,value\n2013-12-20 15:00:00,70\n2013-12-20 16:00:00,71\n",
  );
  writeFileSync(
    join(swarmFolder, "broken.csv"),
    "timestamp,value\n2013-12-20 15:00:00,70\n2013-12-20 16:00:00,warm\n",
  );
  for (const name of ["machine.cvm", "usual.cvm"]) {
    copyFileSync(join(import.meta.dirname, "../../../examples/machine-room", name), join(swarmFolder, name));
  }
  writeModelFile(join(swarmFolder, "wide.cvm"), {
    features: Array.from({ length: 30 }, (_, i) => `f${i}`),
    classes: ["no", "yes"],
    note: "by hand",
    bytes: packLogistic(30, 2, new Float32Array(31)),
  });
  const files = mistakes.map(({ source }, i) => {
    const file = join(swarmFolder, `swarm-${i}.ts`);
    writeFileSync(file, source);
    return file;
  });
  const loaded = load(files);

  it.each(mistakes.map((mistake, i) => ({ ...mistake, i })))("$what", ({ says, i }) => {
    const place = `mistakes/swarm-${i}.ts:`;
    const expected = says.map((line) => (line.startsWith("...") ? line : place + line));
    expect(loaded[i]).toEqual({ mistakes: expected.map((line) => line.replace("FOLDER", swarmFolder)) });
  });
});

describe("the machine room", () => {
  const [loaded] = load([join(import.meta.dirname, "../../../examples/machine-room")]);
  const { boards } = loaded!.definition!;

  it("has each model beside the program that uses it", () => {
    const { program, models } = boards.press!;
    const [use] = program.models!;
    expect(use).toMatchObject({
      kind: "trained",
      metric: "machine.stopped",
      features: ["temperature.mean", "temperature.slope", "temperature.min"],
      waits: 0b111,
      ofClass: 1,
    });
    expect(models).toHaveLength(1);
    expect(models![0]).toMatchObject({ name: "machine", crc: (use as { crc: number }).crc });
    expect(boards["press-spare"]!.program.models![0]).toMatchObject({ learns: true, waits: 0b11 });
    expect(boards.office!.program.models![0]).toMatchObject({
      kind: "regression",
      target: "memory.used",
      waits: 0b11,
    });
    expect(boards.office!.units["memory.unexplained"]).toBe("%");
  });
});

it("the halls compile, and say what they agree on by themselves", () => {
  const [loaded] = load([join(import.meta.dirname, "../../../examples/halls")]);
  expect(loaded!.mistakes).toBeUndefined();
  const { registers, boards } = loaded!.definition!;
  expect(registers!.boards).toEqual(["north", "south", "gate"]);
  expect(boards.gate!.program.proposals).toMatchObject([{ register: "emergency", value: true }]);
  expect(boards.gate!.program.rules).toMatchObject([{ as: "coordinator", output: "lamp" }]);
});

describe("the greenhouse", () => {
  const [loaded] = load([join(import.meta.dirname, "../../../examples/greenhouse")]);
  const { definition } = loaded!;

  it("compiles", () => {
    expect(loaded!.mistakes).toBeUndefined();
    expect(definition!.hosts).toEqual(["main"]);
    expect(definition!.boards["north-1"]!.units).toEqual({ temperature: "°C" });
    expect(definition!.boards["north-1"]!.program.rules).toEqual([
      {
        metric: "temperature",
        when: "above",
        threshold: "heat.limit",
        hysteresis: 1,
        forMs: 1000,
        output: "fan",
        value: 90,
      },
    ]);
  });

  it("has programs that a board accepts as they are", () => {
    for (const { program } of Object.values(definition!.boards)) {
      expect(programFromWire(programToWire(program))).toEqual(JSON.parse(JSON.stringify(program)));
    }
  });
});

describe("schedules", () => {
  const file = join(folder, "schedules.ts");
  writeFileSync(
    file,
    `import { at, board, every, output, swarm } from "covey";
const zone = "Europe/Berlin";
export default swarm("house", { boards: { door: board("esp32c3-devkit", {
  sense: [],
  outputs: { lamp: output.digital({ pin: 4, safe: false }) },
  schedules: [
    every.day("06:00", { zone }).set("lamp", true, { for: "2h" }),
    every.week(["monday", "friday"], "6:30", { zone: "CET-1CEST,M3.5.0,M10.5.0/3" }).set("lamp", false),
    every("15m").set("lamp", true, { for: "30s" }),
    at("2027-12-24T18:00:30", { zone }).set("lamp", true),
    at("2027-12-24T18:00+05:45").set("lamp", true),
  ],
}) } });
`,
  );
  const [loaded] = load([file]);
  const { schedules } = loaded!.definition!.boards.door!.program;
  const berlin = {
    standardMinutes: 60,
    daylight: {
      minutes: 120,
      begins: { minutes: 120, on: { kind: "weekday", month: 3, week: 5, weekday: 0 } },
      ends: { minutes: 180, on: { kind: "weekday", month: 10, week: 5, weekday: 0 } },
    },
  };

  it("compile to what a board keeps", () => {
    expect(schedules).toEqual([
      {
        schedule: { kind: "daily", minutes: 360, weekdays: 127, zone: berlin },
        output: "lamp",
        value: 1,
        forMs: 7_200_000,
      },
      {
        schedule: { kind: "daily", minutes: 390, weekdays: 0b0100010, zone: berlin },
        output: "lamp",
        value: 0,
        forMs: 0,
      },
      { schedule: { kind: "every", everyMs: 900_000 }, output: "lamp", value: 1, forMs: 30_000 },
      {
        schedule: { kind: "at", atMs: Date.parse("2027-12-24T17:00:30Z") },
        output: "lamp",
        value: 1,
        forMs: 0,
      },
      { schedule: { kind: "at", atMs: Date.parse("2027-12-24T12:15Z") }, output: "lamp", value: 1, forMs: 0 },
    ]);
  });

  it("are accepted by a board as they are, and name their zone once", () => {
    const { program } = loaded!.definition!.boards.door!;
    const wire = programToWire(program) as unknown[][];
    expect(programFromWire(programToWire(program))).toEqual(program);
    expect(wire[6]).toHaveLength(1);
  });
});

it("offers in the editor only board models that there are", () => {
  expect([...loadBoards().keys()]).toEqual(expect.arrayContaining([...boardModels]));
});
