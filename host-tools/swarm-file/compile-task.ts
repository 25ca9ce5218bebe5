/** Checks and compiles one task. */
import { type Strategy, strategies } from "../../protocols/balancing/types.ts";
import { programLimits } from "../../protocols/pipeline/program.ts";
import { programToWire } from "../../protocols/pipeline/program-codec.ts";
import { stateLimits } from "../../protocols/state/command.ts";
import { placementToWire, taskLimits } from "../../protocols/tasks/placement.ts";
import { encodeCbor } from "../codec/cbor.ts";
import { compileAggregate, joinAggregate } from "./compile-aggregate.ts";
import { compileDuration } from "./compile-duration.ts";
import { compilePipeline } from "./compile-pipeline.ts";
import { areNames } from "./compile-place.ts";
import type { BoardDefinition, BoardPlace, TaskDefinition } from "./definition.ts";
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
  const { lease = "10s", strategy = "least-loaded", requires, on = "boards", aggregate } = part.given;
  const keys = ["on", "sense", "aggregate", "role", "strategy", "requires", "lease"];
  checkKeys(part.given, keys, "a task", [], wrong);
  if (on !== "boards" && on !== "hosts") wrong(["on"], `on is "boards" or "hosts", not ${shown(on)}.`);
  if (!strategies.includes(strategy as Strategy)) {
    wrong(["strategy"], `${shown(strategy)} is no strategy${suggestion(String(strategy), strategies)}`);
  }
  const leaseMs = compileDuration(lease, taskLimits.leaseMsMin, "lease", part.site, diagnostics);
  if (leaseMs > taskLimits.leaseMsMax)
    wrong(["lease"], `lease is ${shown(lease)}; it must be from 2s to 10m.`);
  const definition: TaskDefinition = {
    on: on === "hosts" ? "hosts" : "boards",
    strategy: strategy as Strategy,
    leaseMs: Math.min(leaseMs, taskLimits.leaseMsMax),
    requires: compileRequires(name, requires, others, wrong),
    ...(kindOf(part, wrong) === "sense"
      ? compileSense(name, part, wrong, diagnostics)
      : { pipelines: [], units: {} }),
    ...(aggregate === undefined ? {} : { aggregate: compileAggregate(name, part, diagnostics) }),
  };
  checkSize(name, definition, wrong);
  return definition;
}

/** What no check of one task alone finds: a metric that somebody else has or nobody keeps, and a task that no board or host could ever hold. */
export function checkTasks(
  given: Readonly<Record<string, TaskDefinition>>,
  boards: Readonly<Record<string, BoardDefinition>>,
  hosts: { readonly names: readonly string[]; readonly places: Readonly<Record<string, BoardPlace>> },
  wrong: Wrong,
): Record<string, TaskDefinition> {
  const tasks: Record<string, TaskDefinition> = {};
  for (const [name, task] of Object.entries(given)) {
    const { aggregate } = task;
    const path: Wrong = (rest, text) => wrong(["tasks", name, ...rest], text);
    tasks[name] = aggregate === undefined ? task : { ...task, ...joinAggregate(aggregate, boards, path) };
  }

  const owners = new Map<string, string>();
  for (const [board, { units }] of Object.entries(boards)) {
    for (const metric of Object.keys(units)) owners.set(metric, `the board ${shown(board)}`);
  }
  for (const [name, { on, units, requires, pipelines }] of Object.entries(tasks)) {
    for (const metric of Object.keys(units)) {
      const owner = owners.get(metric);
      if (owner !== undefined) {
        const other = on === "hosts" ? "give the task another name" : 'name the task\'s with .as("...")';
        const text = `${owner} and the task ${shown(name)} both have ${shown(metric)}; ${other}.`;
        wrong(["tasks", name], text);
      }
      owners.set(metric, `the task ${shown(name)}`);
    }
    const { needs, zones, mains } = requires;
    const isPlace = (place: BoardPlace | undefined) => {
      if (mains && place?.onBattery === true) return false;
      const isInZone = zones.length === 0 || (place?.zone !== undefined && zones.includes(place.zone));
      return isInZone && needs.every((what) => place?.has.includes(what) === true);
    };
    const hasBoard = Object.values(boards).some(({ place, program }) => {
      const count = program.pipelines.length + pipelines.length;
      return program.sleep === undefined && count <= programLimits.pipelinesMax && isPlace(place);
    });
    if (on === "boards" && !hasBoard) {
      wrong(
        ["tasks", name],
        `no board can hold the task ${shown(name)}: none that is always awake has all that it requires and room for its pipelines.`,
      );
    }
    if (on === "hosts" && !hosts.names.some((host) => isPlace(hosts.places[host]))) {
      wrong(["tasks", name], `no host can hold the task ${shown(name)}: none has all that it requires.`);
    }
  }
  return tasks;
}

/** Pipelines, an aggregation or a role: one of them. */
function kindOf({ given }: TaskPart, wrong: Wrong): "sense" | "aggregate" | "role" {
  const { sense, aggregate, role, on } = given;
  if (role !== undefined && role !== true) wrong(["role"], `role is true or left out, not ${shown(role)}.`);
  const kinds = [sense !== undefined, aggregate !== undefined, role === true];
  if (kinds.filter(Boolean).length > 1)
    wrong([], "a task has sense, an aggregate or role: true, and only one of them.");
  if (aggregate !== undefined && on !== "hosts")
    wrong(["aggregate"], 'boards hold no aggregations; write on: "hosts".');
  if (sense !== undefined && on === "hosts")
    wrong(["sense"], "hosts run no pipelines; give the task an aggregate or role: true.");
  if (aggregate !== undefined) return "aggregate";
  return role === true ? "role" : "sense";
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
    holder: "x".repeat(nameLengthMax),
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
