/**
 * Which source feeds which sensor of which board: a recorded series where one is given, else this computer's own
 * sensor, else nothing.
 */

import { readSeries, type Series } from "../../recording/series.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { isSensor, sensors } from "../../swarm-file/sensors.ts";
import { ReplaySensor, seriesConversion } from "./replay.ts";
import type { SensorSource } from "./sensor-source.ts";
import { SystemSensors } from "./system-sensors.ts";

export interface ReplayOverride {
  /** Absolute path of a recording to replay instead of those that the swarm names. */
  readonly file: string | undefined;
  /** Recorded seconds a second instead of those that the swarm names. */
  readonly speed: number | undefined;
}

/** Sensor name to source. */
export type BoardSensors = ReadonlyMap<string, SensorSource>;

export interface SwarmSensors {
  readonly boards: ReadonlyMap<string, BoardSensors>;
  /** Every replay, with the board that it feeds. */
  readonly replays: readonly {
    readonly board: string;
    readonly sensor: string;
    readonly replay: ReplaySensor;
  }[];
}

/** @throws {ReplayFileError} when a recording cannot be used */
export function swarmSensors(
  definition: SwarmDefinition,
  override: ReplayOverride,
  system: SystemSensors,
  nowMs: () => number,
): SwarmSensors {
  const boards = new Map<string, BoardSensors>();
  const replays: { board: string; sensor: string; replay: ReplaySensor }[] = [];
  const seriesByFile = new Map<string, Series>();
  const someReplay = Object.values(definition.boards).some(
    ({ simulate }) => Object.keys(simulate).length > 0,
  );

  for (const [name, { program, simulate }] of Object.entries(definition.boards)) {
    const sources = new Map<string, SensorSource>();
    for (const { sensor } of program.pipelines) {
      if (sources.has(sensor)) continue;
      const standIn = override.file !== undefined && !someReplay && sensor === "temperature";
      const planned =
        simulate[sensor] ?? (standIn ? { file: "", speed: 1, unit: sensors.temperature.unit } : undefined);
      if (planned !== undefined && isSensor(sensor)) {
        const file = override.file ?? planned.file;
        const convert = seriesConversion(file, planned.unit, sensors[sensor].unit);
        const series = seriesByFile.get(file) ?? readSeries(file);
        seriesByFile.set(file, series);
        const replay = new ReplaySensor(series, override.speed ?? planned.speed, convert, nowMs);
        sources.set(sensor, replay);
        replays.push({ board: name, sensor, replay });
      } else if (SystemSensors.has(sensor)) {
        sources.set(sensor, system.source(sensor));
      }
    }
    boards.set(name, sources);
  }
  return { boards, replays };
}
