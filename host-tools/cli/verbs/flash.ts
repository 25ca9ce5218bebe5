/** `covey flash`: the image of `covey build` into boards on serial ports, this computer's or a serial server's. */
import { existsSync } from "node:fs";
import { access, writeFile } from "node:fs/promises";
import { Option } from "commander";
import { revisionText } from "../../chips/chips.ts";
import type { EraseReport } from "../../flasher/erase-board.ts";
import type { FlashReport, Progress } from "../../flasher/flash-board.ts";
import type { Outcome } from "../../flasher/fleet.ts";
import type { FlashProblem } from "../../flasher/problems.ts";
import type { BoardContent } from "../../flasher/read-board.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { ProgressLines } from "../progress-lines.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface FlashOptions {
  readonly port: readonly string[];
  readonly all?: boolean;
  /** undefined: what covey build made here. */
  readonly image?: string;
  readonly baud: number;
  readonly dryRun?: boolean;
  readonly read?: boolean;
  readonly backup?: string;
  readonly erase?: boolean;
  readonly yes?: boolean;
  readonly monitor?: boolean;
}

const usualImage = "build/boards";

export const flash: Verb<FlashOptions> = {
  usage: "flash",
  summary: "write the image onto attached boards",
  details:
    "Finds the board, sees which chip it has, picks the image built for it, writes what differs from what the chip holds, verifies it by the chip's own MD5, and " +
    "restarts the board. Settings and identity stay. A board that was left half-written does not start; the next run writes only what is missing. A port is a device " +
    "(/dev/ttyUSB0, COM3) or a serial server's (rfc2217://HOST:PORT with control lines, socket://HOST:PORT without).",
  examples: [
    "covey flash",
    "covey flash --all",
    "covey flash --port /dev/ttyUSB0 --image build/boards/esp32c3-devkit --dry-run",
    "covey flash --port rfc2217://192.0.2.20:2217",
    "covey flash --read --backup north-1.bin",
  ],
  options: [
    new Option("--port <port>", "the board's port; again for each further one")
      .argParser((port: string, before: readonly string[]) => [...before, port])
      .default([], "the one that is attached"),
    new Option("--all", "every attached board, in parallel"),
    new Option(
      "--image <path>",
      `what covey build made, a folder of that, or one merged image; ${usualImage} if not said`,
    ),
    new Option("--baud <rate>", "the fastest rate to try, in bit/s").argParser(rateOf).default(921_600),
    new Option("--dry-run", "show what would be written, and write nothing"),
    new Option("--read", "tell what the board holds, and write nothing"),
    new Option("--backup <file>", "save the whole flash to a file first; secrets in it included"),
    new Option(
      "--erase",
      "erase all of the flash first, settings and identity included; where there is no image, that alone",
    ),
    new Option("-y, --yes", "erase without asking"),
    new Option("--monitor", "then show what the boards say, from their start; see covey monitor").conflicts(
      "json",
    ),
  ],
  async run(terminal, options) {
    checkOptions(options, terminal);
    const ports = await portsOf(options);
    await prepareBackup(options, ports);
    if (options.read) return tellContents(terminal, await readEach(terminal, options, ports));
    if (options.erase && options.image === undefined && !existsSync(usualImage))
      return tellErased(terminal, await eraseEach(terminal, options, ports));
    const outcomes = await flashEach(terminal, options, ports);
    const exitCode = tellReports(terminal, outcomes);
    return options.monitor && !options.dryRun ? monitorFlashed(terminal, outcomes) : exitCode;
  },
};

/** Restarts them once more, so that nothing of what they say at their start is missed. */
async function monitorFlashed(
  terminal: Terminal,
  outcomes: readonly Outcome<FlashReport>[],
): Promise<number> {
  const { monitorPorts } = await import("../serial-monitor.ts");
  const ports = outcomes.flatMap((outcome) => ("result" in outcome ? [outcome.port] : []));
  if (ports.length > 0) await monitorPorts(terminal, ports, { reset: true });
  return ports.length === outcomes.length ? 0 : 1;
}

/** In bit/s. */
export function rateOf(text: string): number {
  const rate = Number(text);
  if (!Number.isInteger(rate) || rate < 115_200 || rate > 4_000_000)
    throw new WrongInput(`"${text}" is no rate from 115200 to 4000000 bit/s.`);
  return rate;
}

function checkOptions(options: FlashOptions, terminal: Terminal): void {
  const { all, port, read, erase, dryRun, yes } = options;
  if (all && port.length > 0) throw new WrongInput("Say --all or --port, not both.");
  if (read && (erase || dryRun))
    throw new WrongInput("--read writes nothing; leave --erase and --dry-run out.");
  if (erase && !dryRun && !yes && !terminal.interactive)
    throw new WrongInput("covey flash --erase asks before it goes ahead; without a terminal, say --yes.");
}

async function portsOf({ port, all }: FlashOptions): Promise<string[]> {
  const { choosePorts } = await import("../../flasher/fleet.ts");
  return choosePorts(port, all === true).catch(failed);
}

async function prepareBackup({ backup }: FlashOptions, ports: readonly string[]): Promise<void> {
  if (backup === undefined) return;
  if (ports.length > 1) throw new WrongInput("--backup saves one board; name its port with --port.");
  const exists = await access(backup).then(
    () => true,
    () => false,
  );
  if (exists) throw new WrongInput(`${backup} is there already; name another file for the backup.`);
}

/** Only for this user: keys and the Wi-Fi's password are in it. */
function saver({ backup }: FlashOptions): ((bytes: Uint8Array) => Promise<void>) | undefined {
  return backup === undefined ? undefined : (bytes) => writeFile(backup, bytes, { mode: 0o600, flag: "wx" });
}

async function flashEach(
  terminal: Terminal,
  options: FlashOptions,
  ports: readonly string[],
): Promise<Outcome<FlashReport>[]> {
  const { isForSimulator, layoutFor, readLayouts } = await import("../../flasher/image-files.ts");
  const { flashBoard } = await import("../../flasher/flash-board.ts");
  const { onEach } = await import("../../flasher/fleet.ts");
  const layouts = await readLayouts(options.image ?? usualImage).catch((error: Error) => {
    throw error.name === "LayoutError" || error.name === "ImageError" ? new WrongInput(error.message) : error;
  });
  for (const layout of layouts.filter(isForSimulator))
    terminal.note(
      `${layout.source} is for simulated boards: a chip does not start from it; covey build --board NAME makes one that it does.`,
    );
  const signal = untilInterrupted();
  await confirmErase(options, ports, signal);
  return watched(terminal, ports, (report) =>
    onEach(ports, (port) =>
      flashBoard({
        port,
        baud: options.baud,
        layoutFor: (facts) => layoutFor(layouts, facts),
        dryRun: options.dryRun === true,
        eraseFirst: options.erase === true,
        backup: saver(options),
        signal,
        report: (progress) => report(port, progress),
      }),
    ),
  );
}

/** @throws {Failed} */
async function confirmErase(
  { erase, dryRun, yes }: FlashOptions,
  ports: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (!erase || dryRun || yes) return;
  const question = `Erase all of ${ports.join(", ")}, settings and identity included?`;
  if (!(await confirmed(question, signal))) throw new Failed("Nothing was erased.", "declined");
}

async function eraseEach(
  terminal: Terminal,
  options: FlashOptions,
  ports: readonly string[],
): Promise<Outcome<EraseReport>[]> {
  const { eraseBoard } = await import("../../flasher/erase-board.ts");
  const { onEach } = await import("../../flasher/fleet.ts");
  const signal = untilInterrupted();
  await confirmErase(options, ports, signal);
  const { baud, dryRun = false } = options;
  return watched(terminal, ports, (report) =>
    onEach(ports, (port) =>
      eraseBoard({
        ...{ signal, port, baud, dryRun, backup: saver(options) },
        report: (progress) => report(port, progress),
      }),
    ),
  );
}

function tellErased(terminal: Terminal, outcomes: readonly Outcome<EraseReport>[]): number {
  failWhenAlone(outcomes);
  for (const outcome of outcomes) {
    if ("problem" in outcome) {
      for (const line of outcome.problem.problems) terminal.note(line);
      continue;
    }
    const { port, chip, outcome: what } = outcome.result;
    const said = what === "planned" ? "would be erased" : "is erased: no program, no settings, no identity";
    terminal.line(
      `${terminal.style("bold", port)}  ${chip.label} ${chip.mac}  all of its ${chip.flashBytes / 1_048_576} MB ${said}`,
    );
  }
  terminal.result({ boards: outcomes.map(jsonOf) });
  return outcomes.some((outcome) => "problem" in outcome) ? 1 : 0;
}

async function readEach(
  terminal: Terminal,
  options: FlashOptions,
  ports: readonly string[],
): Promise<Outcome<BoardContent>[]> {
  const { readBoard } = await import("../../flasher/read-board.ts");
  const { onEach } = await import("../../flasher/fleet.ts");
  const signal = untilInterrupted();
  return watched(terminal, ports, (report) =>
    onEach(ports, (port) =>
      readBoard({
        signal,
        port,
        baud: options.baud,
        backup: saver(options),
        report: (progress) => report(port, progress),
      }),
    ),
  );
}

async function watched<Result>(
  terminal: Terminal,
  ports: readonly string[],
  work: (report: (port: string, progress: Progress) => void) => Promise<Result>,
): Promise<Result> {
  const lines = new ProgressLines(terminal, ports);
  try {
    return await work((port, { step, note, done }) => lines.show(port, step, note, done));
  } finally {
    lines.end();
  }
}

function tellReports(terminal: Terminal, outcomes: readonly Outcome<FlashReport>[]): number {
  failWhenAlone(outcomes);
  for (const outcome of outcomes) {
    if ("problem" in outcome) {
      for (const line of outcome.problem.problems) terminal.note(line);
      continue;
    }
    const { port, outcome: what, pieces, wasHalfWritten } = outcome.result;
    const { label, mac } = outcome.result.chip;
    terminal.line(
      `${terminal.style("bold", port)}  ${label} ${mac}  ${sentence(outcome.result, wasHalfWritten)}`,
    );
    if (what !== "planned") continue;
    for (const { name, offsetBytes, bytes, changedBytes } of pieces) {
      terminal.line(
        `  ${hex(offsetBytes)}  ${name.padEnd(16)} ${count(changedBytes)} of ${count(bytes)} bytes`,
      );
    }
  }
  terminal.result({ boards: outcomes.map(jsonOf) });
  return outcomes.some((outcome) => "problem" in outcome) ? 1 : 0;
}

function sentence(report: FlashReport, wasHalfWritten: boolean): string {
  const { outcome, changedBytes, layoutBytes, restarted, source } = report;
  const restart = restarted ? "it starts" : "press its RESET to start it";
  const before = wasHalfWritten ? "was half-written; " : "";
  if (outcome === "unchanged") return `holds ${source} already; nothing was written, ${restart}`;
  if (outcome === "planned")
    return `${before}would get ${count(changedBytes)} of the ${count(layoutBytes)} bytes of ${source}`;
  return `${before}${count(changedBytes)} of the ${count(layoutBytes)} bytes of ${source} written and verified, ${restart}`;
}

function tellContents(terminal: Terminal, outcomes: readonly Outcome<BoardContent>[]): number {
  failWhenAlone(outcomes);
  for (const outcome of outcomes) {
    if ("problem" in outcome) {
      for (const line of outcome.problem.problems) terminal.note(line);
      continue;
    }
    const { port, chip, partitions, apps, selection, problem } = outcome.result;
    terminal.line(
      `${terminal.style("bold", port)}  ${chip.label} ${revisionText(chip.revision)} ${chip.mac}, ${chip.flashBytes / 1_048_576} MB of flash${chip.secureBoot ? ", secure boot" : ""}`,
    );
    if (problem !== undefined) terminal.line(`  ${problem}`);
    for (const { name, offsetBytes, sizeBytes } of partitions) {
      const app = apps[name];
      const held = app === undefined ? "" : app === null ? "no app" : `${app.project} ${app.version}`;
      terminal.line(`  ${hex(offsetBytes)}  ${name.padEnd(16)} ${count(sizeBytes)} bytes  ${held}`.trimEnd());
    }
    if (selection !== undefined) terminal.line(`  ota_${selection.slot} boots (${selection.state})`);
  }
  terminal.result({ boards: outcomes.map(jsonOf) });
  return outcomes.some((outcome) => "problem" in outcome) ? 1 : 0;
}

/** One board's trouble is the verb's own. @throws {Failed} */
function failWhenAlone(outcomes: readonly Outcome<unknown>[]): void {
  const [only] = outcomes;
  if (outcomes.length === 1 && only !== undefined && "problem" in only) failed(only.problem);
}

function failed(error: FlashProblem | Error): never {
  if (error.name !== "FlashProblem") throw error;
  throw new Failed(error.message, (error as FlashProblem).code);
}

function jsonOf(outcome: Outcome<object>): object {
  if ("result" in outcome) return outcome.result;
  const { code, message, board } = outcome.problem;
  return { port: outcome.port, error: { code, message, board } };
}

function hex(offsetBytes: number): string {
  return `0x${offsetBytes.toString(16).padStart(6, "0")}`;
}

function count(bytes: number): string {
  return bytes.toLocaleString("en-US");
}
