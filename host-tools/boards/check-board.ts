/** What must hold between the fields of a board's file, beyond what the JSON Schema says of each. */
import type { BoardDescription, Chip } from "./boards.ts";
import { sensorDrivers } from "./sensor-drivers.ts";

/** Ends the check: which field of the file is wrong, and what about it. */
export type Fail = (field: string, problem: string) => never;

/** An application starts on a page of the chip's flash cache (ESP-IDF, Partition Tables, "Offset & Size"). */
const appAlignmentBytes = 65_536;
/** The partition table ends here, at its usual place of 0x8000. */
const firstPartitionBytes = 0x9000;
/** The least that a board may have for the log. */
export const logBytesMin = 65_536;
/** `firmware/keeping/block-ring.ts`: four sectors. */
const seriesBytesMin = 16_384;
const highestPin: Readonly<Record<Chip, number>> = {
  esp32: 39,
  esp32c3: 21,
  esp32c6: 30,
  esp32s3: 48,
};

/** Throws what `fail` throws, for the first field that does not go with another. */
export function checkBoard(file: string, board: BoardDescription, fail: Fail): void {
  if (file !== `${board.name}.json`) fail("name", `is "${board.name}", but the file is called ${file}`);
  checkPartitions(board, fail);
  checkPins(board, fail);
  checkSensors(board, fail);
}

function checkPartitions({ partitions, flashBytes }: BoardDescription, fail: Fail): void {
  let endBytes = firstPartitionBytes;
  const names = new Set<string>();
  for (const [index, { name, type, offsetBytes, sizeBytes }] of partitions.entries()) {
    const field = `partitions[${index}]`;
    if (names.has(name)) fail(`${field}.name`, `is "${name}", which an earlier partition has`);
    if (offsetBytes < endBytes) {
      fail(`${field}.offsetBytes`, `is ${offsetBytes}, but what comes before "${name}" ends at ${endBytes}`);
    }
    if (type === "app" && offsetBytes % appAlignmentBytes !== 0) {
      fail(
        `${field}.offsetBytes`,
        `is ${offsetBytes}, but an app must start at a multiple of ${appAlignmentBytes}`,
      );
    }
    names.add(name);
    endBytes = offsetBytes + sizeBytes;
    if (endBytes > flashBytes) {
      fail(
        `${field}.sizeBytes`,
        `makes "${name}" end at ${endBytes}, beyond the flash of ${flashBytes} bytes`,
      );
    }
  }
  for (const needed of ["nvs", "otadata", "phy_init", "ota_0", "ota_1", "log"]) {
    if (!names.has(needed)) fail("partitions", `lack "${needed}"`);
  }
  const find = (name: string) => partitions.find((partition) => partition.name === name)!;
  if (find("ota_0").sizeBytes !== find("ota_1").sizeBytes) {
    fail(
      "partitions",
      "give ota_0 and ota_1 different sizes, so that an image may fit one and not the other",
    );
  }
  if (find("log").sizeBytes < logBytesMin) fail("partitions", `give "log" fewer than ${logBytesMin} bytes`);
  // Where there is room: the board keeps blocks of readings for others.
  const series = partitions.find(({ name }) => name === "series");
  if (series !== undefined && series.sizeBytes < seriesBytesMin)
    fail("partitions", `give "series" fewer than ${seriesBytesMin} bytes`);
}

function checkPins({ chip, pins, buses }: BoardDescription, fail: Fail): void {
  const listed: [field: string, pin: number][] = [
    ...pins.usable.map((pin, index): [string, number] => [`pins.usable[${index}]`, pin]),
    ...pins.inputOnly.map((pin, index): [string, number] => [`pins.inputOnly[${index}]`, pin]),
    ...pins.buttons.map(({ pin }, index): [string, number] => [`pins.buttons[${index}].pin`, pin]),
    ...Object.entries(buses).flatMap(([bus, lines]) =>
      Object.entries(lines).map(([line, pin]): [string, number] => [`buses.${bus}.${line}`, pin]),
    ),
  ];
  if (pins.led) listed.push(["pins.led.pin", pins.led.pin]);
  for (const [field, pin] of listed) {
    if (pin > highestPin[chip])
      fail(field, `is ${pin}, but the ${chip} has no GPIO above ${highestPin[chip]}`);
  }
  const taken = new Set([
    ...pins.inputOnly,
    ...pins.buttons.map(({ pin }) => pin),
    ...(pins.led ? [pins.led.pin] : []),
  ]);
  for (const [index, pin] of pins.usable.entries()) {
    if (taken.has(pin)) fail(`pins.usable[${index}]`, `is ${pin}, which has another use on this board`);
  }
}

function checkSensors({ sensors, buses }: BoardDescription, fail: Fail): void {
  const names = new Set<string>();
  const places = new Map<string, string>();
  for (const [index, { name, driver, bus, address }] of sensors.entries()) {
    const field = `sensors[${index}]`;
    const known =
      sensorDrivers[driver] ??
      fail(`${field}.driver`, `is "${driver}"; use ${Object.keys(sensorDrivers).join(", ")}`);
    if (names.has(name)) fail(`${field}.name`, `is "${name}", which an earlier sensor has`);
    if (buses[bus] === undefined) fail(`${field}.bus`, `is "${bus}", which this board does not have`);
    const place = `${bus} 0x${(address ?? known.address).toString(16)}`;
    const other = places.get(place);
    if (other !== undefined) fail(`${field}.address`, `is ${place}, where "${other}" is already`);
    names.add(name);
    places.set(place, name);
  }
}
