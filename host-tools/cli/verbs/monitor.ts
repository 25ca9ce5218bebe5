/** `covey monitor`: what boards on serial ports say, decoded, and what is typed to them. */
import { readFile } from "node:fs/promises";
import { Option } from "commander";
import type { ElfFile } from "../../monitor/elf/elf-file.ts";
import { type Level, levels } from "../../monitor/log-line.ts";
import { Failed, WrongInput } from "../failure.ts";
import { durationMs, wholeNumber } from "../option-values.ts";
import type { Verb } from "../verb.ts";

interface MonitorOptions {
  readonly port: readonly string[];
  readonly all?: boolean;
  readonly baud: number;
  readonly level: Level;
  readonly elf?: string;
  readonly reset?: boolean;
  readonly raw?: boolean;
  readonly time: boolean;
  readonly for?: number;
}

export const monitor: Verb<MonitorOptions> = {
  usage: "monitor",
  summary: "show what attached boards say on their serial ports",
  details:
    "Attaches without resetting the board, names each line's board and level, decodes crashes (with --elf to functions and lines), says why a board started and what to " +
    "do about it, and waits for a port that went away. What is typed, or comes from a pipe, goes to the board. Ends with Ctrl-C or Ctrl-]. With --json it prints one " +
    "JSON object a line, as they come, because it has no end that one value could wait for.",
  examples: [
    "covey monitor",
    "covey monitor --all --level warn",
    "covey monitor --port /dev/ttyUSB0 --elf xs_esp32.elf",
    "covey monitor --port rfc2217://192.0.2.20:2217 --reset --for 10s --json",
  ],
  options: [
    new Option("--port <port>", "the board's port; again for each further one")
      .argParser((port: string, before: readonly string[]) => [...before, port])
      .default([], "the one that is attached"),
    new Option("--all", "every attached board"),
    new Option("--baud <rate>", "of the boards' console, in bit/s")
      .argParser(wholeNumber(300, 4_000_000))
      .default(115_200),
    new Option("--level <level>", "the least important lines to show").choices(levels).default("debug"),
    new Option("--elf <file>", "what the firmware was linked as, to name functions and lines in a crash"),
    new Option("--reset", "restart the boards when attached, to see them start"),
    new Option("--raw", "show each line by itself; gather and decode no crash"),
    new Option("--no-time", "leave the time out"),
    new Option("--for <duration>", "end by itself after so long").argParser(durationMs),
  ],
  json: "print one JSON object a line, as they come",
  async run(terminal, options) {
    if (options.all && options.port.length > 0) throw new WrongInput("Say --all or --port, not both.");
    const elf = options.elf === undefined ? undefined : await readElf(options.elf);
    const { choosePorts } = await import("../../flasher/fleet.ts");
    const ports = await choosePorts(options.port, options.all === true).catch((error: Error) => {
      throw error.name === "FlashProblem"
        ? new Failed(error.message, (error as Error & { code: string }).code)
        : error;
    });
    const { monitorPorts } = await import("../serial-monitor.ts");
    await monitorPorts(terminal, ports, {
      baud: options.baud,
      level: options.level,
      elf,
      raw: options.raw === true,
      showTime: options.time,
      reset: options.reset === true,
      forMs: options.for,
    });
    return 0;
  },
};

async function readElf(file: string): Promise<ElfFile> {
  const { ElfFile } = await import("../../monitor/elf/elf-file.ts");
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new WrongInput(
      `${file} can't be read (${error.code ?? error.message}): name the .elf that the firmware was linked as.`,
    );
  });
  try {
    return new ElfFile(bytes);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ElfError") throw error;
    throw new WrongInput(`${file}: ${error.message}; name the .elf that the firmware was linked as.`);
  }
}
