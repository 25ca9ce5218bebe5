import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import {
  BoardFileError,
  idfOptions,
  loadBoards,
  partitionTable,
  sectorBytes,
} from "../../../host-tools/boards/boards.ts";
import { boardModels } from "../../../host-tools/swarm-file/board-models.ts";

const boardsFolder = fileURLToPath(new URL("../../../boards", import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "covey-boards-"));
afterAll(() => rm(scratch, { recursive: true }));

describe("the boards", () => {
  const boards = loadBoards();

  test("have the models that an editor offers for swarm.ts", () => {
    expect([...boards.keys()]).toEqual(expect.arrayContaining([...boardModels]));
  });

  test.for([...boards])("%s keeps its log in the 256 KB that docs/budget.md measures", ([, board]) => {
    const log = board.partitions.find(({ name }) => name === "log")!;
    expect([log.offsetBytes % sectorBytes, log.sizeBytes]).toEqual([0, 262_144]);
  });

  test.for([...boards])("%s has room for what it keeps for others", ([, board]) => {
    const { subtype, sizeBytes } = board.partitions.find(({ name }) => name === "series")!;
    expect(subtype).toBe("0x41");
    expect(sizeBytes).toBeGreaterThanOrEqual(262_144);
  });

  test("write their partition table as the SDK reads it", () => {
    expect(partitionTable(boards.get("esp32c3-devkit")!)).toBe(`# name, type, subtype, offset, size
nvs, data, nvs, 0x9000, 0x6000
otadata, data, ota, 0xf000, 0x2000
phy_init, data, phy, 0x11000, 0x1000
ota_0, app, ota_0, 0x20000, 0x1b0000
ota_1, app, ota_1, 0x1d0000, 0x1b0000
series, data, 0x41, 0x380000, 0x40000
log, data, 0x40, 0x3c0000, 0x40000
`);
  });
});

test("a board's flash size reaches the chip's build, and its console and restarts do", () => {
  expect(idfOptions(loadBoards().get("esp32s3-devkit")!).split("\n")).toEqual([
    "CONFIG_ESPTOOLPY_FLASHSIZE_2MB=n",
    "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=n",
    "CONFIG_ESPTOOLPY_FLASHSIZE_16MB=n",
    "CONFIG_ESPTOOLPY_FLASHSIZE_8MB=y",
    'CONFIG_ESPTOOLPY_FLASHSIZE="8MB"',
    "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y",
    "CONFIG_ESP_CONSOLE_NONE=n",
    "CONFIG_ESP_CONSOLE_UART_DEFAULT=y",
    "CONFIG_LIBC_STDIN_LINE_ENDING_LF=y",
    "CONFIG_LIBC_STDOUT_LINE_ENDING_LF=y",
    "CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=n",
    "CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT=y",
    "",
  ]);
});

test("a chip's image says which firmware it is", () => {
  const options = idfOptions(loadBoards().get("esp32s3-devkit")!, { firmwareVersion: "0.2.0" }).split("\n");
  expect(options).toContain("CONFIG_APP_PROJECT_VER_FROM_CONFIG=y");
  expect(options).toContain('CONFIG_APP_PROJECT_VER="0.2.0"');
});

describe("a board's file is refused with its name and field", () => {
  const refusals: [what: string, change: (board: never) => void, message: string][] = [
    [
      "overlapping partitions",
      partition(4, { offsetBytes: 0x1c0000 }),
      `partitions[4].offsetBytes is 1835008, but what comes before "ota_1" ends at 1900544.`,
    ],
    [
      "a partition in the partition table",
      partition(0, { offsetBytes: 0x8000 }),
      "partitions[0].offsetBytes must be >= 36864.",
    ],
    [
      "a partition off its sector",
      partition(0, { offsetBytes: 0x9100 }),
      "partitions[0].offsetBytes must be multiple of 4096.",
    ],
    [
      "an app off its page",
      partition(3, { offsetBytes: 0x21000 }),
      "partitions[3].offsetBytes is 135168, but an app must start at a multiple of 65536.",
    ],
    [
      "a partition beyond the flash",
      partition(6, { sizeBytes: 0x50000 }),
      `partitions[6].sizeBytes makes "log" end at 4259840, beyond the flash of 4194304 bytes.`,
    ],
    [
      "two partitions of one name",
      partition(6, { name: "nvs" }),
      `partitions[6].name is "nvs", which an earlier partition has.`,
    ],
    ["no log", (board: { partitions: unknown[] }) => board.partitions.pop(), `partitions lack "log".`],
    ["a small log", partition(6, { sizeBytes: 0x8000 }), `partitions give "log" fewer than 65536 bytes.`],
    [
      "little room for what it keeps for others",
      partition(5, { sizeBytes: 0x3000 }),
      `partitions give "series" fewer than 16384 bytes.`,
    ],
    [
      "update slots of different sizes",
      partition(4, { sizeBytes: 0x1a0000 }),
      "partitions give ota_0 and ota_1 different sizes, so that an image may fit one and not the other.",
    ],
    [
      "a pin that the chip lacks",
      (board: { pins: { usable: number[] } }) => board.pins.usable.push(22),
      "pins.usable[9] is 22, but the esp32c3 has no GPIO above 21.",
    ],
    [
      "a usable pin with a light on it",
      (board: { pins: { usable: number[] } }) => board.pins.usable.push(8),
      "pins.usable[9] is 8, which has another use on this board.",
    ],
    ["an unknown chip", set("chip", "esp8266"), "chip must be one of esp32, esp32c3, esp32c6, esp32s3."],
    [
      "a sensor without a driver",
      sensors({ name: "air", driver: "sht9", bus: "i2c" }),
      `sensors[0].driver is "sht9"; use aht10, bme280, bmp280, htu21d, lm75, mpu6886, scd4x, sht3x, shtc3, si7020, tmp102, tmp117.`,
    ],
    [
      "a sensor on a bus that the board lacks",
      sensors({ name: "air", driver: "sht3x", bus: "internal" }),
      `sensors[0].bus is "internal", which this board does not have.`,
    ],
    [
      "two sensors at one address",
      sensors(
        { name: "air", driver: "si7020", bus: "i2c" },
        { name: "soil", driver: "sht3x", bus: "i2c", address: 64 },
      ),
      `sensors[1].address is i2c 0x40, where "air" is already.`,
    ],
    ["an unknown field", set("colour", "red"), `has an unknown field "colour".`],
    ["a missing field", set("chip", undefined), `lacks the field "chip".`],
    [
      "another name than its file's",
      set("name", "esp32c6-devkit"),
      `name is "esp32c6-devkit", but the file is called esp32c3-devkit.json.`,
    ],
  ];

  test.for(refusals)("%s", async ([, change, message]) => {
    const folder = await copyOfBoards();
    const file = join(folder, "esp32c3-devkit.json");
    const board = JSON.parse(await readFile(file, "utf8"));
    change(board as never);
    await writeFile(file, JSON.stringify(board));
    expect(() => loadBoards(folder)).toThrow(BoardFileError);
    expect(() => loadBoards(folder)).toThrow(`esp32c3-devkit.json: ${message}`);
  });

  test("text that is no JSON", async () => {
    const folder = await copyOfBoards();
    await writeFile(join(folder, "esp32-devkit.json"), "{");
    expect(() => loadBoards(folder)).toThrow(/^esp32-devkit\.json: does not read as JSON: /);
  });
});

async function copyOfBoards(): Promise<string> {
  const folder = await mkdtemp(join(scratch, "boards-"));
  await cp(boardsFolder, folder, { recursive: true });
  return folder;
}

function partition(index: number, change: object) {
  return (board: { partitions: object[] }) => Object.assign(board.partitions[index]!, change);
}

function set(field: string, value: unknown) {
  return (board: Record<string, unknown>) => {
    board[field] = value;
  };
}

function sensors(...given: object[]) {
  return (board: { sensors: object[] }) => board.sensors.push(...given);
}
