/**
 * The module that tells the firmware which sensors its board has: generated from the board's file, so that an image
 * carries the drivers of its own sensors and no other.
 *
 * It exports a frozen list; `firmware/platform/moddable/sensors.ts` says what an entry is.
 */
import type { BoardDescription, BoardSensor } from "./boards.ts";
import { type OwnModule, type SensorDriver, sensorDrivers } from "./sensor-drivers.ts";

/** What the firmware imports it as. */
export const moduleName = "board-sensors";

/** The source of the module, an ES module for the SDK. */
export function sensorModule(board: BoardDescription): string {
  const sensors = readSensors(board);
  const buses = new Set(sensors.map(({ driver }) => driver.io));
  const drivers = new Map(sensors.map(({ sensor, driver }) => [sensor.driver, driver]));
  return [
    ...[...buses].map((io) => `import ${io} from "embedded:io/${io}";`),
    ...[...drivers].map(([name, driver]) => driverImport(name, driver)),
    "export default Object.freeze([",
    ...sensors.map((each) => `  ${entry(board, each)},`),
    "]);",
    "",
  ].join("\n");
}

/** A module of a board without sensors, for where there are none to be read. */
export const noSensors = "export default Object.freeze([]);\n";

/** The SDK's manifests that bring the drivers and buses of the board's sensors. */
export function sdkManifests(board: BoardDescription): string[] {
  const sensors = readSensors(board);
  const manifests = sensors.flatMap(({ driver: { module } }) =>
    "manifest" in module ? [module.manifest] : [],
  );
  const buses = sensors.length > 0 ? ["$(MODDABLE)/modules/io/i2c/manifest.json"] : [];
  return [...new Set([...buses, ...manifests])];
}

/** The drivers of the firmware's own that the board needs. */
export function ownDrivers(board: BoardDescription): OwnModule[] {
  const own = readSensors(board).flatMap(({ driver: { module } }) => ("file" in module ? [module] : []));
  return [...new Set(own)];
}

/** What a driver of the firmware's own is imported as. */
export function driverSpecifier(file: string): string {
  return `covey/drivers/${file.replace(/\.ts$/, "")}`;
}

interface ReadSensor {
  readonly sensor: BoardSensor;
  readonly driver: SensorDriver;
}

/** A sensor that gives nothing of the catalogue would only take flash. */
function readSensors({ sensors }: BoardDescription): ReadSensor[] {
  return sensors
    .map((sensor) => ({ sensor, driver: sensorDrivers[sensor.driver]! }))
    .filter(({ driver }) => Object.keys(driver.readings).length > 0);
}

function driverImport(name: string, { module }: SensorDriver): string {
  return "specifier" in module
    ? `import ${name} from ${JSON.stringify(module.specifier)};`
    : `import { ${module.className} as ${name} } from ${JSON.stringify(driverSpecifier(module.file))};`;
}

function entry(board: BoardDescription, { sensor, driver }: ReadSensor): string {
  const { data, clock } = board.buses[sensor.bus]!;
  const address = sensor.address ?? driver.address;
  const readings = Object.entries(driver.readings).map(([name, { path, scale }]) => {
    const steps = path.split(".").map((step) => JSON.stringify(step));
    return `Object.freeze({ sensor: ${JSON.stringify(name)}, path: Object.freeze([${steps.join(", ")}]), scale: ${scale} })`;
  });
  const connection = `{ io: ${driver.io}, data: ${data}, clock: ${clock}, address: ${address} }`;
  return (
    `Object.freeze({ name: ${JSON.stringify(sensor.name)}, readings: Object.freeze([${readings.join(", ")}]), ` +
    `open: (options) => new ${sensor.driver}({ ...options, sensor: ${connection} }) })`
  );
}
