/** What a host stands on: who it is, where it may be reached, its folder, and its readings. */
import { join } from "node:path";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { Reach } from "../access/reach.ts";
import { HostDirectory } from "../host-directory.ts";
import type { Log } from "../log.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import { Membership } from "../trust/membership.ts";
import { Violations } from "../violations.ts";
import type { Closing } from "./closing.ts";
import type { HostOptions } from "./host-options.ts";

export interface Ground {
  readonly options: HostOptions;
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  readonly log: Log;
  readonly violations: Violations;
  readonly membership: Membership;
  readonly reach: Reach;
  readonly folder: HostDirectory;
  /** Path of that folder. */
  readonly directory: string;
  readonly telemetry: Telemetry;
}

/** @throws {ForeignIdentity | NoCertificate | HostDirectoryInUse | NewerDatabase} */
export function openGround(options: HostOptions, closing: Closing): Ground {
  const { definition, hostName, log } = options;
  const violations = new Violations(log);
  const membership = new Membership(options.member, { swarm: definition.name, host: hostName });
  const reach = new Reach(hostName, options.reach ?? {}, membership.own.tls);
  const folder = new HostDirectory(options.stateDir, hostName);
  closing.add(() => folder.release());
  const telemetry = openTelemetry(options, folder.path, violations);
  closing.add(() => telemetry.close());
  const own = { options, definition, hostName, log, directory: folder.path };
  return { ...own, violations, membership, reach, folder, telemetry };
}

function openTelemetry(options: HostOptions, directory: string, violations: Violations): Telemetry {
  const { definition, log, retention } = options;
  const telemetry = new Telemetry({
    file: join(directory, "telemetry.sqlite"),
    unitOf: unitOf(definition),
    ...(retention === undefined ? {} : { retention }),
    onError: (error) => log.error("readings-not-stored", { reason: error.message }),
  });
  if (telemetry.damaged !== undefined) {
    const { keptAs, reason } = telemetry.damaged;
    violations.add(
      `The readings' database was damaged (${reason}); it is kept as ${keptAs} and a new one was started.`,
    );
  }
  return telemetry;
}

/** Of a metric that a board tells; "" for one that nobody declared. */
export function unitOf(definition: SwarmDefinition): (board: string, metric: string) => string {
  return (board, metric) =>
    ownValue(ownValue(definition.boards, board)?.units ?? {}, metric) ?? unitOfTask(definition, metric);
}

/** Metrics of tasks are no board's own. */
function unitOfTask({ tasks = {} }: SwarmDefinition, metric: string): string {
  for (const { units } of Object.values(tasks)) if (Object.hasOwn(units, metric)) return units[metric]!;
  return "";
}

/** Names that boards make up are no names of what every object has. */
function ownValue<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
