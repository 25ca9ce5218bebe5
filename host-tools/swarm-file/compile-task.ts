/** Checks and compiles one task. */
import { type Strategy, strategies } from "../../protocols/balancing/types.ts";
import { programLimits } from "../../protocols/pipeline/program.ts";
import { programToWire } from "../../protocols/pipeline/program-codec.ts";
import { stateLimits } from "../../protocols/state/command.ts";
import { placementToWire, taskLimits } from "../../protocols/tasks/placement.ts";
import { encodeCbor } from "../codec/cbor.ts";
import { compileDuration } from "./compile-duration.ts";
import { compilePipeline } from "./compile-pipeline.ts";
import { areNames } from "./compile-place.ts";
import type { BoardDefinition, TaskDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isPart, isRecord, nameLengthMax, shown } from "./given.ts";
import type { PipelinePart, TaskPart } from "./parts.ts";
import { boardStateBytesMax } from "./state-bytes.ts";
import { suggestion } from "./suggestion.ts";

type Wrong = (path: readonly string[], text: string) => void;

/** `others` are the names of all tasks of the swarm. */
export function compileTask(
  name: string,
  part: TaskPart,
  others: readonly string[],
  diagnostics: Diagnostics,
): TaskDefinition {
  const wrong: Wrong = (path, text) => diagnostics.add(part.site, path, text);
  const { lease = "10s", strategy = "least-loaded", requires } = part.given;
  checkKeys(part.given, ["sense", "strategy", "requires", "lease"], "a task", [], wrong);
  if (!strategies.includes(strategy as Strategy)) {
    wrong(["strategy"], `${shown(strategy)} is no strategy${suggestion(String(strategy), strategies)}`);
  }
  const leaseMs = compileDuration(lease, taskLimits.leaseMsMin, "lease", part.site, diagnostics);
  if (leaseMs > taskLimits.leaseMsMax)
    wrong(["lease"], `lease is ${shown(lease)}; it must be from 2s to 10m.`);
  const definition = {
    strategy: strategy as Strategy,
    leaseMs: Math.min(leaseMs, taskLimits.leaseMsMax),
    requires: compileRequires(name, requires, others, wrong),
    ...compileSense(name, part, wrong, diagnostics),
  };
  checkSize(name, definition, wrong);
  return definition;
}

/** What no check of one task alone finds: a metric that somebody else has, and a task that no board could ever hold. */
export function checkTasks(
  tasks: Readonly<Record<string, TaskDefinition>>,
  boards: Readonly<Record<string, BoardDefinition>>,
  wrong: Wrong,
): void {
  const owners = new Map<string, string>();
  for (const [board, { units }] of Object.entries(boards)) {
    for (const metric of Object.keys(units)) owners.set(metric, `the board ${shown(board)}`);
  }
  for (const [name, { units, requires, pipelines }] of Object.entries(tasks)) {
    for (const metric of Object.keys(units)) {
      const owner = owners.get(metric);
      if (owner !== undefined) {
        const text = `${owner} and the task ${shown(name)} both have ${shown(metric)}; name the task's with .as("...").`;
        wrong(["tasks", name], text);
      }
      owners.set(metric, `the task ${shown(name)}`);
    }
    const { needs, zones, mains } = requires;
    const fitting = Object.values(boards).filter(({ place, program }) => {
      if (program.sleep !== undefined || (mains && place?.onBattery === true)) return false;
      if (program.pipelines.length + pipelines.length > programLimits.pipelinesMax) return false;
      const isInZone = zones.length === 0 || (place?.zone !== undefined && zones.includes(place.zone));
      return isInZone && needs.every((what) => place?.has.includes(what) === true);
    });
    if (fitting.length === 0) {
      wrong(
        ["tasks", name],
        `no board can hold the task ${shown(name)}: none that is always awake has all that it requires and room for its pipelines.`,
      );
    }
  }
}

function compileSense(
  name: string,
  part: TaskPart,
  wrong: Wrong,
  diagnostics: Diagnostics,
): Pick<TaskDefinition, "pipelines" | "units"> {
  const { sense } = part.given;
  const parts = Array.isArray(sense) ? sense.filter((one) => isPart<PipelinePart>(one, "pipeline")) : [];
  if (!Array.isArray(sense) || sense.length === 0 || parts.length < sense.length) {
    wrong(["sense"], 'sense must be a list of pipelines such as sense("temperature", { every: "1s" }).');
  }
  const compiled = parts.flatMap((one) => compilePipeline(one as PipelinePart, diagnostics));
  const units: Record<string, string> = {};
  let stateBytes = 0;
  for (const { pipeline, unit, stateBytes: bytes, copies } of compiled) {
    const { metric } = pipeline;
    if (copies !== undefined) {
      wrong(["sense"], `copies are of what a board itself reports; take them away from ${shown(metric)}.`);
    }
    if (Object.hasOwn(units, metric)) {
      wrong(
        ["sense"],
        `the task ${shown(name)} has two pipelines for ${shown(metric)}; name one with .as("...").`,
      );
    }
    if (metric.length > taskLimits.metricLengthMax) {
      wrong(
        ["sense"],
        `${shown(metric)} is too long for a task's metric; ${taskLimits.metricLengthMax} characters are the most.`,
      );
    }
    units[metric] = unit;
    stateBytes += bytes;
  }
  if (stateBytes > boardStateBytesMax / 2) {
    wrong(
      ["sense"],
      `the task ${shown(name)} holds ${stateBytes} bytes of state; a board has ${boardStateBytesMax / 2} for tasks.`,
    );
  }
  return { pipelines: compiled.map(({ pipeline }) => pipeline), units };
}

function compileRequires(
  name: string,
  given: unknown,
  others: readonly string[],
  wrong: Wrong,
): TaskDefinition["requires"] {
  if (given !== undefined && !isRecord(given))
    wrong(["requires"], "requires must be an object such as { mains: true }.");
  const requires = isRecord(given) ? given : {};
  checkKeys(requires, ["has", "zones", "mains", "apartFrom"], "requires", ["requires"], wrong);
  const { has = [], zones = [], mains = false, apartFrom = [] } = requires;
  for (const [key, names] of Object.entries({ has, zones, apartFrom })) {
    if (!areNames(names)) wrong(["requires", key], `${key} must be a list of names.`);
  }
  if (typeof mains !== "boolean")
    wrong(["requires", "mains"], `mains is true or false, not ${shown(mains)}.`);
  for (const other of areNames(apartFrom) ? apartFrom : []) {
    if (others.includes(other) && other !== name) continue;
    wrong(
      ["requires", "apartFrom", other],
      `${shown(other)} is no other task of this swarm${suggestion(other, others)}`,
    );
  }
  const names = (value: unknown) => (areNames(value) ? value : []);
  return { needs: names(has), zones: names(zones), mains: mains === true, apartFrom: names(apartFrom) };
}

/** A placement is one entry of the log, whoever holds the task. */
function checkSize(name: string, { leaseMs, pipelines }: TaskDefinition, wrong: Wrong): void {
  const program = programToWire({ pipelines, outputs: [], rules: [] });
  const longest = {
    board: "x".repeat(nameLengthMax),
    token: taskLimits.tokenMax,
    sinceMs: Number.MAX_SAFE_INTEGER,
  };
  const bytes = encodeCbor(placementToWire({ ...longest, mode: "held", leaseMs, program })).length;
  if (bytes <= stateLimits.valueBytesMax) return;
  wrong(
    ["sense"],
    `the task ${shown(name)} takes ${bytes} bytes; at most ${stateLimits.valueBytesMax} fit in an entry, so use fewer stages or shorter names.`,
  );
}

function checkKeys(
  given: object,
  known: readonly string[],
  what: string,
  path: readonly string[],
  wrong: Wrong,
): void {
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) wrong([...path, key], `${what} has no ${shown(key)}${suggestion(key, known)}`);
  }
}
