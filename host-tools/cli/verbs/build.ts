/** `covey build`: one board's image, or all of it but the last step where the Moddable SDK is not installed. */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Option } from "commander";
import { formatHosts, mqttPort, parseHosts } from "../../../protocols/messages/host-address.ts";
import type { ImageConfig } from "../../boards/board-manifest.ts";
import type { BoardDescription } from "../../boards/boards.ts";
import type { BuildReport } from "../../builder/build-board.ts";
import { Failed, WrongInput } from "../failure.ts";
import { hostList } from "../option-values.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";
import { boardNamed, knownBoards } from "./boards.ts";

interface BuildVerbOptions {
  /** Checked in `run`, because commander would tell of it before it tells of an option that there is not. */
  readonly board: string;
  readonly platform: "chip" | "lin";
  readonly hosts: string;
  readonly timeServer: string;
  readonly wifi?: string;
  readonly tls?: boolean;
  readonly out: string;
}

export const build: Verb<BuildVerbOptions> = {
  usage: "build [file]",
  summary: "build the image of a board",
  details:
    "The board is one of swarm.ts (or of the file or folder given), or a kind of board (covey boards) for an image that " +
    'has no name yet. The Wi-Fi network comes from --wifi FILE, which holds {"ssid": ..., "password": ...}, or from ' +
    "COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD. The last step needs the Moddable SDK, where MODDABLE says; without it, all " +
    "before that is done, and what to install is told.",
  examples: [
    "covey build --board north-1 --hosts main=192.0.2.7 --wifi wifi.json",
    "covey build --board esp32c3-devkit",
    "covey build --board north-1 --platform lin",
  ],
  options: [
    new Option("--board <name>", "a board of the swarm, or a kind of board (covey boards)"),
    new Option("--platform <platform>", "the board's chip, or the SDK's simulator on Linux")
      .choices(["chip", "lin"])
      .default("chip"),
    new Option(
      "--hosts <list>",
      `where the board finds the swarm's hosts: NAME=ADDRESS or NAME=ADDRESS:PORT, with commas between (port ${mqttPort} if not said)`,
    )
      .argParser(hostList)
      .default(""),
    new Option("--time-server <host>", "where the board asks the time (SNTP) when no host tells it").default(
      "",
    ),
    new Option("--wifi <file>", "JSON file with the network's ssid and password"),
    new Option("--tls", "put the SDK's TLS into the image"),
    new Option("--out <folder>", "where the board's build folder is made").default("build/boards"),
  ],
  async run(terminal, options, [file]) {
    if (options.board === undefined) {
      throw new WrongInput("Say which board: covey build --board NAME, one of swarm.ts or of covey boards.");
    }
    const { board, swarmFile, config } = await whatToBuild(options, file);
    const wifi = await wifiOf(options);
    const { buildBoard } = await import("../../builder/build-board.ts");
    const folder = resolve(options.out, options.board);
    const report = await buildBoard({
      board,
      swarmFile,
      config,
      wifi,
      platform: options.platform,
      tls: options.tls === true,
      folder,
      environment: process.env,
      onProgress: (text) => terminal.progress(text),
      onStep: (step, found) => terminal.line(`${terminal.style("green", step.padEnd(9))} ${found}`),
    }).catch((error: unknown) => {
      throw failureOf(error);
    });
    const unset = unsetOf(config, wifi !== undefined || options.platform === "lin");
    tell(report, unset, options, terminal);
    terminal.result({
      board: options.board,
      model: board.name,
      platform: options.platform,
      folder,
      unset,
      ...report,
    });
    return 0;
  },
};

interface Build {
  readonly board: BoardDescription;
  readonly swarmFile: string | undefined;
  readonly config: ImageConfig;
}

/** A board of the swarm has its swarm's name and its own; a kind of board gets them when it is provisioned. */
async function whatToBuild(options: BuildVerbOptions, file: string | undefined): Promise<Build> {
  const { platform, timeServer } = options;
  const models = await knownBoards();
  const { defaultSwarmPath, loadSwarm } = await import("../../swarm-file/load.ts");
  const hasSwarm = file !== undefined || existsSync(defaultSwarmPath());
  if (hasSwarm && (file !== undefined || !models.has(options.board))) {
    const swarm = await loadSwarm(file);
    const member = swarm.boards[options.board];
    if (member !== undefined) {
      const hosts = options.hosts || (platform === "lin" ? onThisComputer(swarm.hosts) : "");
      const unknown = parseHosts(hosts)?.find(({ name }) => !swarm.hosts.includes(name));
      if (unknown !== undefined) {
        throw new WrongInput(
          `The swarm ${swarm.name} has no host "${unknown.name}"; its hosts are ${swarm.hosts.join(", ")}.`,
        );
      }
      const config = { swarm: swarm.name, board: options.board, hosts, timeServer };
      return { board: models.get(member.model)!, swarmFile: swarm.file, config };
    }
    if (!models.has(options.board)) {
      const { suggestion } = await import("../../swarm-file/suggestion.ts");
      const known = [...Object.keys(swarm.boards), ...models.keys()];
      throw new WrongInput(
        `"${options.board}" is neither a board of the swarm ${swarm.name} nor a kind of board${suggestion(options.board, known)}`,
      );
    }
  }
  const board = await boardNamed(options.board, models);
  return { board, swarmFile: undefined, config: { swarm: "", board: "", hosts: options.hosts, timeServer } };
}

/** The hosts of a swarm that runs on this computer: one at the usual port, the others at those after it. */
function onThisComputer(names: readonly string[]): string {
  return formatHosts(names.map((name, at) => ({ name, address: "127.0.0.1", port: mqttPort + at })));
}

async function wifiOf({ wifi }: BuildVerbOptions) {
  const { readWifi, WifiError } = await import("../../builder/wifi.ts");
  try {
    return await readWifi(wifi, process.env);
  } catch (error) {
    throw error instanceof WifiError ? new WrongInput(error.message) : error;
  }
}

/** What the board will ask for at its console, by the option that gives it. */
function unsetOf({ swarm, hosts }: ImageConfig, hasWifi: boolean): string[] {
  return [
    ...(swarm === "" ? ["a name in a swarm (--board with a board of swarm.ts)"] : []),
    ...(hosts === "" ? ["hosts (--hosts NAME=ADDRESS)"] : []),
    ...(hasWifi ? [] : ["a Wi-Fi network (--wifi FILE)"]),
  ];
}

function tell(
  { image, missing, manifest }: BuildReport,
  unset: readonly string[],
  { board }: BuildVerbOptions,
  terminal: Terminal,
): void {
  terminal.endProgress();
  if (unset.length > 0) terminal.line(`${board} is built without ${unset.join(", and without ")}.`);
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
    "PreloadFailed",
    "BoardGone",
  ];
  return expected.includes(error.name) ? new Failed(error.message, "build") : error;
}
