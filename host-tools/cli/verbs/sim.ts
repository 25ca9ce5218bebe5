/** `covey sim`: the whole swarm on this computer, shown live, until Ctrl-C or for as long as `--for` says. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { EngineName } from "../../simulator/engines/simulated-board.ts";
import type { Simulation } from "../../simulator/simulation.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { Failed, WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { SwarmEvents } from "../live-view/swarm-event.ts";
import { durationMs, port, positiveNumber, wholeNumber } from "../option-values.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";
import { noteAdvice } from "../voter-advice-note.ts";

interface SimOptions {
  readonly boards?: number;
  readonly engine?: EngineName;
  readonly for?: number;
  readonly replay?: string;
  readonly speed?: number;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly state: string;
  readonly plain?: boolean;
  readonly flash: ReadonlyMap<string, string>;
  readonly air?: string;
  readonly lan?: string;
  readonly mdns?: boolean;
}

export const sim: Verb<SimOptions> = {
  usage: "sim [file]",
  summary: "run the whole swarm on this computer",
  details:
    "Every board runs the firmware in the real XS engine, in a process of its own with a chip's memory; each host is a process too, the same as for real boards. State is kept, so the next start goes on from there.",
  examples: [
    "covey sim",
    "covey sim --boards 50",
    "covey sim --for 20s --json",
    "covey sim --flash north-1=north-1.bin",
  ],
  options: [
    new Option("--boards <n>", "the first n boards of the file, or more by repeating them").argParser(
      wholeNumber(1, 250),
    ),
    new Option("--engine <name>", "xs: the real engine; virtual: in process, without heap figures").choices([
      "xs",
      "virtual",
    ]),
    new Option("--for <duration>", "run this long, wait until every board has caught up, and end").argParser(
      durationMs,
    ),
    new Option(
      "--replay <file>",
      "feed this recording (CSV: timestamp,value) instead of those in the swarm file",
    ),
    new Option("--speed <n>", "recorded seconds in a second").argParser(positiveNumber),
    new Option("--http-port <port>", "for the page and the other verbs; 0 takes any free one")
      .default(7800)
      .argParser(port),
    new Option("--mqtt-port <port>", "for the boards; 0 takes any free one").default(7883).argParser(port),
    new Option("--state <folder>", "where the swarm's state is kept").default(".covey"),
    new Option(
      "--flash <board=file>",
      "start this board from a copy of a whole flash (covey image merge, covey flash --backup); again for each further one",
    )
      .argParser(boardFile)
      .default(new Map(), "what its chip holds, or this Covey's own firmware"),
    new Option(
      "--air <file>",
      "Wi-Fi networks around the boards, in a file that may change meanwhile (docs/moving-house.md)",
    ),
    new Option(
      "--lan <file>",
      "boards that are cut off from the other boards, in a file that may change meanwhile (docs/lan.md)",
    ),
    new Option("--mdns", "hosts tell boards by mDNS where they are, on this computer alone"),
    new Option("--plain", "a line for each event instead of the live picture"),
  ],
  async run(terminal, options, [file]) {
    const startedMs = performance.now();
    const signal = untilInterrupted();
    const definition = await readDefinition(file, options.boards);
    noteAdvice(terminal, definition);
    const events = new SwarmEvents();
    const simulation = await start(terminal, options, definition, events, signal);
    if (simulation === undefined) return 0;
    const { showSwarm } = await import("../live-view/show-swarm.ts");
    try {
      const plain = options.plain === true;
      const swarm = definition.name;
      return await showSwarm({
        terminal,
        simulation,
        swarm,
        events,
        signal,
        plain,
        forMs: options.for,
        startedMs,
      });
    } finally {
      terminal.progress("Stopping the swarm");
      await simulation.stop();
      terminal.endProgress();
      terminal.line(`${definition.name} has stopped; covey sim goes on from here.`);
    }
  },
};

async function readDefinition(
  file: string | undefined,
  boards: number | undefined,
): Promise<SwarmDefinition> {
  const { loadSwarm } = await import("../../swarm-file/load.ts");
  const definition = await loadSwarm(file);
  if (boards === undefined) return definition;
  const { withBoards } = await import("../../simulator/swarm-size.ts");
  return withBoards(definition, boards);
}

/** `north-1=FILE`, added to those before. */
function boardFile(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("Write BOARD=FILE.");
  return new Map(before).set(text.slice(0, at), text.slice(at + 1));
}

async function flashOf({ flash }: SimOptions, { boards }: SwarmDefinition): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const [board, file] of flash) {
    if (boards[board] === undefined) throw new WrongInput(`No board of this swarm is called "${board}".`);
    const bytes = await readFile(file).catch((error: Error) => {
      throw new WrongInput(`${file} cannot be read (${error.message}).`);
    });
    found.set(board, bytes);
  }
  return found;
}

/** undefined when the user gave up meanwhile. */
async function start(
  terminal: Terminal,
  options: SimOptions,
  definition: SwarmDefinition,
  events: SwarmEvents,
  signal: AbortSignal,
): Promise<Simulation | undefined> {
  const { Simulation, SimulationError, ReplayFileError } = await import("../../simulator/simulation.ts");
  const { AirFile } = await import("../../simulator/world/air-file.ts");
  const { lanFromFile } = await import("../../simulator/world/lan-file.ts");
  const { air, lan } = options;
  try {
    return await Simulation.start({
      definition,
      engine: options.engine,
      flash: await flashOf(options, definition),
      replay: { file: options.replay && resolve(options.replay), speed: options.speed },
      house: air === undefined ? undefined : new AirFile(air, (text) => events.add("warn", "air", text)),
      lan:
        lan === undefined
          ? undefined
          : lanFromFile(lan, Object.keys(definition.boards), (text) => events.add("warn", "lan", text)),
      mdns: options.mdns,
      httpPort: options.httpPort,
      mqttPort: options.mqttPort,
      stateFolder: resolve(options.state, definition.name),
      onProgress: (text) => terminal.progress(text),
      onNote: (text) => terminal.note(text),
      onEvent: (level, source, text) => events.add(level, source, text),
      signal,
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof ReplayFileError) throw new WrongInput(error.message);
    if (error instanceof SimulationError) throw new Failed(error.message);
    throw error;
  } finally {
    terminal.endProgress();
  }
}
