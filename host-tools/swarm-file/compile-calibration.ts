/** Compiles `calibrate`: a straight line, a polynomial or a table of points. */
import type { Stage } from "../../protocols/pipeline/stage.ts";
import { isRecord, shown } from "./given.ts";
import type { CompiledStage, StageReader } from "./stage-reader.ts";
import { suggestion } from "./suggestion.ts";
import { isUnit, units } from "./units.ts";

export function compileCalibration(stage: StageReader): CompiledStage {
  const { by } = stage.given;
  const given: Record<string, unknown> = isRecord(by) ? by : {};
  const { unit } = given;
  if (unit !== undefined && !isUnit(unit))
    stage.wrong(`${shown(unit)} is not a unit${suggestion(unit, units)}`);
  const signal = unit === undefined ? stage.signal : { ...stage.signal, unit: String(unit) };
  return { stage: calibration(stage, given), signal };
}

function calibration(stage: StageReader, given: Readonly<Record<string, unknown>>): Stage {
  const { gain = 1, offset = 0, polynomial, table } = given;
  const isLine = given.gain !== undefined || given.offset !== undefined;
  if ([isLine, polynomial !== undefined, table !== undefined].filter(Boolean).length !== 1) {
    stage.wrong(
      "a calibration is { gain, offset }, { polynomial: [c0, c1, ...] } or { table: [[x, y], ...] }.",
    );
    return { op: "polynomial", coefficients: [0, 1] };
  }
  if (table !== undefined) return tableOf(stage, table);
  const coefficients = isLine ? [offset, gain] : polynomial;
  return { op: "polynomial", coefficients: stage.numbers("polynomial", "coefficients", coefficients) };
}

function tableOf(stage: StageReader, table: unknown): Stage {
  const isPairs = Array.isArray(table) && table.every((each) => Array.isArray(each) && each.length === 2);
  const pairs: readonly (readonly unknown[])[] = isPairs ? table : [];
  if (!isPairs) stage.wrong(`a table is a list of points [x, y], not ${shown(table)}.`);
  const xs = isPairs
    ? stage.numbers(
        "table",
        "xs",
        pairs.map(([x]) => x),
      )
    : [];
  const ys = isPairs
    ? stage.numbers(
        "table",
        "ys",
        pairs.map(([, y]) => y),
      )
    : [];
  const at = xs.findIndex((x, i) => i > 0 && x <= xs[i - 1]!);
  if (at > 0) stage.wrong(`the points of a table go up in x, but ${xs[at]} comes after ${xs[at - 1]}.`);
  return { op: "table", xs, ys };
}
