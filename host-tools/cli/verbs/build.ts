/** `covey build`: the image for a kind of board, or all of it but the last step where the Moddable SDK is not installed. */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Option } from "commander";
import type { BoardDescription } from "../../boards/boards.ts";
import type { BuildReport } from "../../builder/build-board.ts";
import { Failed, WrongInput } from "../failure.ts";
import { versionText } from "../option-values.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";
import { boardNamed, knownBoards } from "./boards.ts";

interface BuildVerbOptions {
  /** Checked in `run`, because commander would tell of it before it tells of an option that there is not. */
  readonly board: string;
  readonly platform: "chip" | "lin" | "sim";
  readonly tls?: boolean;
  readonly bluetooth?: boolean;
  readonly firmwareVersion?: string;
  readonly out?: string;
}

export const build: Verb<BuildVerbOptions> = {
  usage: "build [file]",
  summary: "build the image for a kind of board",
  details:
    "One image serves every board of a kind: say the kind (covey boards), or a board of swarm.ts (or of the file or folder given) for its kind. Who a board is, its Wi-Fi and its " +
    "hosts are no part of it; covey provision gives it those. The last step needs the Moddable SDK, where MODDABLE says; without it, all before that is done, and what to install is told.",
  examples: [
    "covey build --board esp32c3-devkit",
    "covey build --board north-1",
    "covey build --board north-1 --platform lin",
    "covey build --board north-1 --platform sim --firmware-version 0.2.0",
  ],
  options: [
    new Option("--board <name>", "a kind of board (covey boards), or a board of the swarm"),
    new Option(
      "--platform <platform>",
      "chip: the board's own; lin: the SDK's simulator on Linux; sim: Covey's simulator (covey sim), which needs no SDK",
    )
      .choices(["chip", "lin", "sim"])
      .default("chip"),
    new Option(
      "--firmware-version <text>",
      "what the firmware says that it is, and covey status shows, instead of its own version",
    ).argParser(versionText),
    new Option(
      "--bluetooth",
      "put Improv by Bluetooth into the image, for boards without Wi-Fi yet (covey improv --ble)",
    ),
    new Option("--tls", "put the SDK's TLS into the image, for boards that do not vote"),
    new Option(
      "-o, --out <folder>",
      "where the build folder of the kind is made (build/boards; for sim build/simulator)",
    ),
  ],
  async run(terminal, options, [file]) {
    if (options.board === undefined) {
      throw new WrongInput("Say which board: covey build --board NAME, one of swarm.ts or of covey boards.");
    }
    const { board, swarmFile } = await whatToBuild(options, file);
    if (options.platform === "sim") return buildForSimulator(terminal, options, board);
    const { buildBoard } = await import("../../builder/build-board.ts");
    const folder = resolve(options.out ?? "build/boards", board.name);
    const report = await buildBoard({
      board,
      swarmFile,
      platform: options.platform,
      tls: options.tls === true,
      bluetooth: options.bluetooth === true,
      firmwareVersion: options.firmwareVersion,
      folder,
      environment: process.env,
      onProgress: (text) => terminal.progress(text),
      onStep: (step, found) => terminal.line(`${terminal.style("green", step.padEnd(9))} ${found}`),
    }).catch((error: unknown) => {
      throw failureOf(error);
    });
    tell(report, terminal);
    terminal.result({ model: board.name, platform: options.platform, folder, ...report });
    return 0;
  },
};

/** Beside `build/boards`, so that `covey flash` does not find it for a chip. */
const simulatorFolder = "build/simulator";

async function buildForSimulator(
  terminal: Terminal,
  { tls, out = simulatorFolder, firmwareVersion: version }: BuildVerbOptions,
  board: BoardDescription,
): Promise<number> {
  if (tls) throw new WrongInput("Boards in the simulator have no TLS; leave --tls out.");
  const { buildSimulatorImage } = await import("../../builder/simulator-image.ts");
  const folder = resolve(out, board.name);
  const onProgress = (text: string) => terminal.progress(text);
  const built = await buildSimulatorImage({ board, version, folder, onProgress }).catch((error: unknown) => {
    throw failureOf(error);
  });
  terminal.endProgress();
  const [bytes, bytesMax] = [built.bytes, built.bytesMax].map((count) => count.toLocaleString("en-US"));
  terminal.line(
    `${terminal.style("green", "image    ")} ${built.file}, ${bytes} bytes of a slot of ${bytesMax}`,
  );
  terminal.result({ model: board.name, platform: "sim", folder, firmware: built.version, image: built });
  return 0;
}

interface Build {
  readonly board: BoardDescription;
  readonly swarmFile: string | undefined;
}

async function whatToBuild({ board: name, tls }: BuildVerbOptions, file: string | undefined): Promise<Build> {
  const models = await knownBoards();
  const { defaultSwarmPath, loadSwarm } = await import("../../swarm-file/load.ts");
  const hasSwarm = file !== undefined || existsSync(defaultSwarmPath());
  if (hasSwarm && (file !== undefined || !models.has(name))) {
    const swarm = await loadSwarm(file);
    const member = swarm.boards[name];
    if (member !== undefined) {
      if (tls && swarm.voters.includes(name)) {
        throw new WrongInput(
          `${name} votes, and a board that votes has no memory left for TLS beside its connections to every host; leave --tls out.`,
        );
      }
      return { board: models.get(member.model)!, swarmFile: swarm.file };
    }
    if (!models.has(name)) {
      const { suggestion } = await import("../../swarm-file/suggestion.ts");
      const known = [...Object.keys(swarm.boards), ...models.keys()];
      throw new WrongInput(
        `"${name}" is neither a board of the swarm ${swarm.name} nor a kind of board${suggestion(name, known)}`,
      );
    }
  }
  return { board: await boardNamed(name, models), swarmFile: undefined };
}

function tell({ image, missing, manifest }: BuildReport, terminal: Terminal): void {
  terminal.endProgress();
  if (image !== undefined) return;
  terminal.line(`${terminal.style("yellow", "no image")}  all is built but the last step, which needs:`);
  for (const { what, remedy } of missing) terminal.line(`  ${what}\n    ${remedy}`);
  terminal.line(`Then run the same command again; it builds from ${relative(process.cwd(), manifest)}.`);
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === "TypeErrors") {
    const [first, ...rest] = (error as Error & { problems: readonly string[] }).problems;
    return new WrongInput(first ?? error.message, ...rest);
  }
  const expected = [
    "OverBudget",
    "SdkBuildFailed",
    "BundleError",
    "BuildFailed",
    "NoCompiler",
    "PreloadFailed",
    "BoardGone",
  ];
  return expected.includes(error.name) ? new Failed(error.message, "build") : error;
}
