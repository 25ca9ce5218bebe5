/** `covey image`: what lies in a flash, as files: told, merged, and partition tables from text to bytes and back. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { Option } from "commander";
import type { Partition } from "../../images/partition-table.ts";
import { Failed, WrongInput } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";
import { boardNamed, knownBoards } from "./boards.ts";

interface ImageOptions {
  readonly out?: string;
  readonly board?: string;
  readonly keys?: string;
  readonly showValues?: boolean;
}

export const image: Verb<ImageOptions> = {
  usage: "image <action> <path>",
  summary: "tell what an image holds, merge one, or make a partition table",
  details:
    "Actions: info FILE (an app, a bootloader, a partition table, an NVS, otadata, or a whole flash), merge FOLDER --out FILE (what covey build made, as one file that " +
    "begins at offset 0), partition FILE|BOARD (a table's text, its bytes, or a kind of board; prints the text, or writes --out FILE: text where it ends in .csv, else bytes).",
  examples: [
    "covey image merge build/boards/esp32c3-devkit --out whole.bin",
    "covey image info whole.bin",
    "covey image partition esp32c3-devkit",
    "covey image partition partitions.csv --board esp32c3-devkit --out partition-table.bin",
  ],
  options: [
    new Option("-o, --out <file>", "where to write"),
    new Option("--board <name>", "check the table against the flash of this kind of board"),
    new Option("--keys <file>", "the keys partition of an encrypted NVS"),
    new Option("--show-values", "show the texts and blobs of an NVS, which may be secrets"),
  ],
  async run(terminal, options, [action, path]) {
    const run = actions[action!];
    if (run === undefined) {
      throw new WrongInput(`There is no action ${action}; use info, merge or partition.`);
    }
    checkOptions(action!, options);
    await run(terminal, options, path!);
    return 0;
  },
};

type Action = (terminal: Terminal, options: ImageOptions, path: string) => Promise<void>;
const actions: Readonly<Record<string, Action>> = Object.assign(Object.create(null), {
  info,
  merge,
  partition,
});

/** The options that an action has no use for are mistakes. */
function checkOptions(action: string, options: ImageOptions): void {
  const uses: Readonly<Record<string, readonly (keyof ImageOptions)[]>> = {
    info: ["keys", "showValues"],
    merge: ["out"],
    partition: ["out", "board"],
  };
  const names = { out: "--out", board: "--board", keys: "--keys", showValues: "--show-values" };
  for (const [option, name] of Object.entries(names)) {
    const isGiven = options[option as keyof ImageOptions] !== undefined;
    if (isGiven && !uses[action]!.includes(option as keyof ImageOptions)) {
      throw new WrongInput(`covey image ${action} has no use for ${name}.`);
    }
  }
}

async function info(terminal: Terminal, options: ImageOptions, path: string): Promise<void> {
  const { identify } = await import("../../images/identify.ts");
  const { infoJson, infoLines } = await import("../image-lines.ts");
  const { readNvsKeys } = await import("../../images/nvs/encryption.ts");
  const { keys, showValues = false } = options;
  const keyBytes = keys === undefined ? undefined : await bytesOf(keys);
  const nvsKeys = keyBytes && (await sound(keys!, () => readNvsKeys(keyBytes)));
  const bytes = await bytesOf(path);
  const found = await sound(path, () => identify(bytes, nvsKeys));
  const paint: Parameters<typeof infoLines>[2] = (style, text) => terminal.style(style, text);
  for (const line of infoLines(found, showValues, paint)) terminal.line(line);
  terminal.result({ file: path, ...(infoJson(found, showValues) as object) });
}

async function merge(terminal: Terminal, { out }: ImageOptions, path: string): Promise<void> {
  if (out === undefined)
    throw new WrongInput("Say where the image goes: covey image merge FOLDER --out FILE.");
  const { readLayouts } = await import("../../flasher/image-files.ts");
  const { layoutProblems, LayoutError } = await import("../../images/layout.ts");
  const { mergePieces } = await import("../../images/merge.ts");
  const { checkPartitions } = await import("../../images/partition-table.ts");
  const { readAppImage } = await import("../../images/app-image.ts");
  const { chipLabel } = await import("../../chips/chips.ts");
  const layouts = await sound(path, () => readLayouts(path)).catch((error: unknown) => {
    throw error instanceof LayoutError ? new Failed(error.message, "image") : error;
  });
  if (layouts.length > 1) {
    throw new WrongInput(
      `${path} holds several images; name one: ${layouts.map(({ source }) => source).join(", ")}.`,
    );
  }
  const layout = layouts[0]!;
  const problems = layoutProblems(layout);
  const flashBytes =
    problems.length === 0 && layout.app ? readAppImage(layout.app.bytes).flash.sizeBytes : Infinity;
  problems.push(...checkPartitions(layout.partitions, flashBytes));
  if (problems.length > 0) throw new Failed(problems.join("\n"), "image");
  const bytes = mergePieces(layout.pieces);
  await save(out, bytes);
  const pieces = layout.pieces.map(({ name, offsetBytes, bytes: { length: sizeBytes } }) => ({
    name,
    offsetBytes,
    sizeBytes,
  }));
  for (const { name, offsetBytes, sizeBytes } of pieces) {
    terminal.line(
      `0x${offsetBytes.toString(16).padStart(6, "0")}  ${name} (${sizeBytes.toLocaleString("en-US")} bytes)`,
    );
  }
  terminal.line(
    `${out} is for an ${chipLabel(layout.chipId)}: ${bytes.length.toLocaleString("en-US")} bytes from offset 0.`,
  );
  terminal.result({ file: out, chipId: layout.chipId, sizeBytes: bytes.length, pieces });
}

async function partition(terminal: Terminal, { out, board }: ImageOptions, path: string): Promise<void> {
  const { checkPartitions, writePartitionTable } = await import("../../images/partition-table.ts");
  const { formatPartitionCsv } = await import("../../images/partition-csv.ts");
  const { partitionJson } = await import("../image-lines.ts");
  const boards = await knownBoards();
  const own = boards.get(path);
  const checked = board === undefined ? own : await boardNamed(board, boards);
  const partitions = own ? await boardPartitions(own.partitions) : await partitionsOf(path);
  // Without a board, the largest flash that there is.
  const problems = checkPartitions(partitions, checked?.flashBytes ?? 2 ** 27);
  if (problems.length > 0) throw new WrongInput(problems[0]!, ...problems.slice(1));
  const text = await written(path, () => formatPartitionCsv(partitions));
  if (out === undefined) for (const line of text.trimEnd().split("\n")) terminal.line(line);
  else if (out.endsWith(".csv")) await save(out, text);
  else await save(out, await written(path, () => writePartitionTable(partitions)));
  if (out !== undefined) terminal.line(`${out} has ${partitions.length} partitions.`);
  terminal.result({
    file: out ?? null,
    board: checked?.name ?? null,
    partitions: partitions.map(partitionJson),
  });
}

async function boardPartitions(
  partitions: readonly {
    name: string;
    type: string;
    subtype: string;
    offsetBytes: number;
    sizeBytes: number;
  }[],
): Promise<Partition[]> {
  const { parsePartitionCsv } = await import("../../images/partition-csv.ts");
  const rows = partitions.map(({ name, type, subtype, offsetBytes, sizeBytes }) =>
    [name, type, subtype, offsetBytes, sizeBytes].join(),
  );
  return parsePartitionCsv(rows.join("\n"));
}

/** A table's bytes, its text, or the table of a whole flash. */
async function partitionsOf(path: string): Promise<Partition[]> {
  const { partitionTableOffset, readPartitionTable } = await import("../../images/partition-table.ts");
  const { PartitionCsvError, parsePartitionCsv } = await import("../../images/partition-csv.ts");
  const { isMerged } = await import("../../images/merge.ts");
  const bytes = await bytesOf(path, "; nor is there such a kind of board (covey boards)");
  if (isMerged(bytes)) return sound(path, () => readPartitionTable(bytes.subarray(partitionTableOffset)));
  if (bytes[0] === 0xaa) return sound(path, () => readPartitionTable(bytes));
  try {
    return parsePartitionCsv(new TextDecoder().decode(bytes));
  } catch (error) {
    throw error instanceof PartitionCsvError ? new WrongInput(`${path}: ${error.message}`) : error;
  }
}

async function bytesOf(path: string, orElse = ""): Promise<Uint8Array> {
  const { imageBytesMax } = await import("../../images/merge.ts");
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new WrongInput(`There is no ${path}${orElse}.`);
  if (found.isDirectory()) throw new WrongInput(`${path} is a folder; name a file in it.`);
  if (found.size > imageBytesMax) throw new WrongInput(`${path} is larger than any flash of an ESP32.`);
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failed(`${path} can't be read (${error.code}).`, "file");
  });
}

async function save(path: string, content: Uint8Array | string): Promise<void> {
  await writeFile(path, content).catch((error: NodeJS.ErrnoException) => {
    throw new Failed(`${path} can't be written (${error.code}).`, "file");
  });
}

/** Bytes that are not what they should be are no fault of Covey's: which file, and what about it. */
async function sound<Value>(path: string, read: () => Value): Promise<Awaited<Value>> {
  const { ImageError } = await import("../../images/image-error.ts");
  try {
    return await read();
  } catch (error) {
    throw error instanceof ImageError ? new Failed(`${path}: ${error.message}`, "image") : error;
  }
}

/** A table that can't be written in the other form, such as one with a comma in a name. */
async function written<Value>(path: string, write: () => Value): Promise<Value> {
  try {
    return write();
  } catch (error) {
    throw error instanceof RangeError ? new WrongInput(`${path}: ${error.message}`) : error;
  }
}
