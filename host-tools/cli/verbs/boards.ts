/** `covey boards`: the kinds of board that a swarm may have, and what one of them is. */
import type { BoardDescription } from "../../boards/boards.ts";
import { Failed, WrongInput } from "../failure.ts";
import { cell, type Paint, table } from "../live-view/table.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

export const boards: Verb = {
  usage: "boards [name]",
  summary: "list the kinds of board, or show one with its pins and partitions",
  details: "Each is a JSON file in Covey's folder boards/; adding one is adding a file.",
  examples: ["covey boards", "covey boards esp32c3-devkit", "covey boards --json"],
  options: [],
  async run(terminal, _options, [name]) {
    const known = await knownBoards();
    if (name === undefined) {
      list([...known.values()], terminal);
      terminal.result([...known.values()]);
      return 0;
    }
    const board = await boardNamed(name, known);
    for (const line of await describe(board, terminal)) terminal.line(line);
    terminal.result(board);
    return 0;
  },
};

/** The boards of `boards/`; a file that can't be used is a failure with its name and field. */
export async function knownBoards(): Promise<ReadonlyMap<string, BoardDescription>> {
  const { BoardFileError, loadBoards } = await import("../../boards/boards.ts");
  try {
    return loadBoards();
  } catch (error) {
    throw error instanceof BoardFileError ? new Failed(error.message, "board-file") : error;
  }
}

export async function boardNamed(
  name: string,
  known: ReadonlyMap<string, BoardDescription>,
): Promise<BoardDescription> {
  const board = known.get(name);
  if (board !== undefined) return board;
  const { suggestion } = await import("../../swarm-file/suggestion.ts");
  throw new WrongInput(`"${name}" is not a kind of board${suggestion(name, [...known.keys()])}`);
}

function list(known: readonly BoardDescription[], terminal: Terminal): void {
  const column = (title: string, align: "left" | "right" = "left") => ({ title, min: 4, max: 60, align });
  const columns = [
    column("name"),
    column("chip"),
    column("flash", "right"),
    column("PSRAM", "right"),
    column("arena", "right"),
    { ...column("board"), yields: true },
  ];
  const rows = known.map((board) => [
    cell(board.name, "bold"),
    cell(board.chip),
    cell(sizeText(board.flashBytes)),
    cell(board.psramBytes === 0 ? "-" : sizeText(board.psramBytes)),
    cell(sizeText(board.arenaBytes)),
    cell(board.title),
  ]);
  const paint: Paint = (style, text) => terminal.style(style, text);
  for (const line of table(columns, rows, terminal.columns, paint)) terminal.line(line.trimEnd());
}

async function describe(board: BoardDescription, terminal: Terminal): Promise<string[]> {
  const { sensorDrivers } = await import("../../boards/sensor-drivers.ts");
  const heading = (text: string) => terminal.style("dim", text.padEnd(12));
  const { pins, buses } = board;
  const bus = (of: object) => Object.entries(of).map(([line, pin]) => `${line} ${pin}`);
  const sensors = board.sensors.map(({ name, driver, bus: on, address }) => {
    const { title, readings, address: own } = sensorDrivers[driver]!;
    const gives = Object.keys(readings).join(", ") || "not read by the firmware";
    return `${name}: ${title} on ${on} 0x${(address ?? own).toString(16)} (${gives})`;
  });
  return [
    `${terminal.style("bold", board.name)}  ${board.title}`,
    `${heading("chip")}${board.chip}, ${sizeText(board.flashBytes)} of flash${board.psramBytes === 0 ? "" : `, ${sizeText(board.psramBytes)} of PSRAM`}`,
    `${heading("engine")}arena ${board.arenaBytes} bytes, stack ${board.stackSlots} slots`,
    `${heading("SDK")}mcconfig -p ${board.moddableTarget}`,
    `${heading("pins")}${pins.usable.join(" ")}`,
    ...(pins.inputOnly.length > 0 ? [`${heading("input only")}${pins.inputOnly.join(" ")}`] : []),
    ...(pins.led ? [`${heading("light")}${pins.led.pin} (${pins.led.kind})`] : []),
    ...pins.buttons.map(({ name, pin }) => `${heading("button")}${pin} (${name})`),
    ...Object.entries(buses).map(([name, of]) => `${heading(name)}${bus(of).join(", ")}`),
    ...(sensors.length > 0 ? sensors : ["none"]).map((text) => `${heading("sensor")}${text}`),
    ...board.partitions.map(
      ({ name, offsetBytes, sizeBytes }) =>
        `${heading("partition")}${name.padEnd(9)} ${hex(offsetBytes)} ${sizeText(sizeBytes).padStart(8)}`,
    ),
    ...board.source.map((url) => `${heading("source")}${url}`),
  ];
}

function hex(bytes: number): string {
  return `0x${bytes.toString(16).padStart(6, "0")}`;
}

/** 94,208 as `92 KiB`, 4,194,304 as `4 MiB`. */
function sizeText(bytes: number): string {
  const mebibytes = bytes / 1_048_576;
  return Number.isInteger(mebibytes) ? `${mebibytes} MiB` : `${bytes / 1024} KiB`;
}
