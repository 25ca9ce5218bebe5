/**
 * The kinds of board that Covey knows: the files of `boards/`, read and checked.
 *
 * The JSON Schema says what a file holds; the checks here say what must hold between its fields, so that a new board's
 * file is wrong on this computer and not in the flash of a chip.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { checkBoard } from "./check-board.ts";

export { logBytesMin } from "./check-board.ts";

/** One kind of board; `boards/board.schema.json` says the same to an editor, with each field's meaning. */
export interface BoardDescription {
  readonly name: string;
  readonly title: string;
  readonly chip: Chip;
  /** What `mcconfig -p` is told. */
  readonly moddableTarget: string;
  readonly flashBytes: number;
  /** 0 for none. */
  readonly psramBytes: number;
  /** What the JavaScript engine gets for chunks and slots together. */
  readonly arenaBytes: number;
  readonly stackSlots: number;
  readonly pins: {
    readonly led: { readonly pin: number; readonly kind: "plain" | "ws2812" } | null;
    readonly buttons: readonly { readonly name: string; readonly pin: number; readonly pressed: 0 | 1 }[];
    /** GPIO numbers that an output may claim. */
    readonly usable: readonly number[];
    readonly inputOnly: readonly number[];
  };
  readonly buses: {
    readonly i2c: I2cBus;
    /** A second one, for the board's own parts only. */
    readonly internal?: I2cBus;
    readonly spi: { readonly clock: number; readonly out: number; readonly in: number };
    readonly uart: { readonly receive: number; readonly transmit: number };
  };
  readonly sensors: readonly BoardSensor[];
  /** By rising offset. */
  readonly partitions: readonly Partition[];
  readonly source: readonly string[];
}

export type Chip = "esp32" | "esp32c3" | "esp32c6" | "esp32s3";

export interface I2cBus {
  readonly data: number;
  readonly clock: number;
}

/** A sensor on the board, or wired to it. */
export interface BoardSensor {
  readonly name: string;
  /** A key of `sensorDrivers`. */
  readonly driver: string;
  readonly bus: "i2c" | "internal";
  /** 7 bits; the driver's own unless told. */
  readonly address?: number;
}

export interface Partition {
  /** Up to 15 characters. */
  readonly name: string;
  readonly type: "app" | "data";
  readonly subtype: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** A file of `boards/` can't be used; the message is one sentence that names the file and the field. */
export class BoardFileError extends Error {
  override readonly name = "BoardFileError";
  readonly file: string;
  /** Path in the JSON, such as `partitions[2].offsetBytes`; empty for the file as a whole. */
  readonly field: string;

  constructor(file: string, field: string, problem: string) {
    super(`${file}: ${field === "" ? "" : `${field} `}${problem}.`);
    this.file = file;
    this.field = field;
  }
}

/** Flash is erased in sectors of this many bytes on every ESP32. */
export const sectorBytes = 4096;

const ownFolder = fileURLToPath(new URL("../../boards", import.meta.url));

/**
 * Reads every board of the folder, by name.
 *
 * @throws BoardFileError for the first file that can't be used
 */
export function loadBoards(folder: string = ownFolder): ReadonlyMap<string, BoardDescription> {
  const schemaFile = "board.schema.json";
  const validate = new Ajv({ strict: true }).compile<BoardDescription>(
    readJson(folder, schemaFile) as object,
  );
  const boards = new Map<string, BoardDescription>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".json") || file === schemaFile) continue;
    const board = checkShape(file, readJson(folder, file), validate);
    checkBoard(file, board, (field, problem) => {
      throw new BoardFileError(file, field, problem);
    });
    boards.set(board.name, board);
  }
  return boards;
}

/** Where the board's image goes: the size of one of its two update slots. */
export function imageBytesMax(board: BoardDescription): number {
  return board.partitions.find(({ name }) => name === "ota_0")!.sizeBytes;
}

/** Flash for the log of the group and the agreed state. */
export function logBytes(board: BoardDescription): number {
  return board.partitions.find(({ name }) => name === "log")!.sizeBytes;
}

/** The partition table as the ESP-IDF and the Moddable SDK read it: comma-separated, one partition a line. */
export function partitionTable(board: BoardDescription): string {
  const hex = (bytes: number) => `0x${bytes.toString(16)}`;
  const lines = board.partitions.map(({ name, type, subtype, offsetBytes, sizeBytes }) =>
    [name, type, subtype, hex(offsetBytes), hex(sizeBytes)].join(", "),
  );
  return ["# name, type, subtype, offset, size", ...lines, ""].join("\n");
}

/** What of an image is not the board's. */
export interface ImageOptions {
  readonly bluetooth?: boolean | undefined;
  /** For its descriptor. */
  readonly firmwareVersion?: string | undefined;
}

/**
 * The ESP-IDF options that follow from the board, over the SDK's own, which assume 4 MB of flash, and from updates over
 * the air: an image that does not come up and say so gives way to the one before it.
 *
 * The SDK's release builds have no console, so neither log nor crash would be seen on a serial port; and on some chips a
 * crash waits for a debugger, where a board of a swarm must start again.
 */
export function idfOptions(
  board: BoardDescription,
  { bluetooth, firmwareVersion }: ImageOptions = {},
): string {
  const size = `${board.flashBytes / 1_048_576}MB`;
  const others = ["2MB", "4MB", "8MB", "16MB"].filter((other) => other !== size);
  return [
    ...others.map((other) => `CONFIG_ESPTOOLPY_FLASHSIZE_${other}=n`),
    `CONFIG_ESPTOOLPY_FLASHSIZE_${size}=y`,
    `CONFIG_ESPTOOLPY_FLASHSIZE="${size}"`,
    "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y",
    "CONFIG_ESP_CONSOLE_NONE=n",
    "CONFIG_ESP_CONSOLE_UART_DEFAULT=y",
    // Improv's packets share the console, byte for byte.
    "CONFIG_LIBC_STDIN_LINE_ENDING_LF=y",
    "CONFIG_LIBC_STDOUT_LINE_ENDING_LF=y",
    "CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=n",
    "CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT=y",
    ...(bluetooth ? bluetoothOptions : []),
    // Of the image itself, or an update could not tell what it brings.
    ...(firmwareVersion === undefined
      ? []
      : [
          "CONFIG_APP_PROJECT_VER_FROM_CONFIG=y",
          `CONFIG_APP_PROJECT_VER=${JSON.stringify(firmwareVersion)}`,
        ]),
    "",
  ].join("\n");
}

/** The SDK has NimBLE switched off: one connection as a peripheral, no pairing, as little memory as it can do with. */
const bluetoothOptions = [
  "CONFIG_BT_ENABLED=y",
  "CONFIG_BT_NIMBLE_ENABLED=y",
  "CONFIG_BT_NIMBLE_ROLE_PERIPHERAL=y",
  "CONFIG_BT_NIMBLE_ROLE_BROADCASTER=y",
  "CONFIG_BT_NIMBLE_MAX_CONNECTIONS=1",
];

function readJson(folder: string, file: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, file), "utf8"));
  } catch (error) {
    throw new BoardFileError(file, "", `does not read as JSON: ${(error as Error).message}`);
  }
}

function checkShape(
  file: string,
  value: unknown,
  validate: ValidateFunction<BoardDescription>,
): BoardDescription {
  if (validate(value)) return value;
  const error = validate.errors![0]!;
  throw new BoardFileError(file, fieldOf(error), problemOf(error));
}

/** `/partitions/2/name` as `partitions[2].name`. */
function fieldOf(error: ErrorObject): string {
  return error.instancePath
    .slice(1)
    .split("/")
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : `${index === 0 ? "" : "."}${part}`))
    .join("");
}

function problemOf(error: ErrorObject): string {
  if (error.keyword === "additionalProperties")
    return `has an unknown field "${error.params.additionalProperty}"`;
  if (error.keyword === "required") return `lacks the field "${error.params.missingProperty}"`;
  if (error.keyword === "enum") return `must be one of ${error.params.allowedValues.join(", ")}`;
  return error.message ?? "is not what the schema says";
}
