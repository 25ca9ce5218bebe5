/** What the keeper of tasks wants to know of boards and hosts. */
import { programLimits } from "../../../protocols/pipeline/program.ts";
import type { BoardDefinition, BoardPlace } from "../../swarm-file/definition.ts";
import type { BoardStatus } from "../api/types/status.ts";
import type { HostState } from "../hosts/host-frames.ts";
import { readinessFor } from "./roles.ts";
import type { HolderFacts } from "./task-keeper.ts";

/** Of the memory that a board's engine has: from here on it is given half as much, and from there on nothing. */
const fullFrom = { half: 0.75, none: 0.9 } as const;

const nowhere: BoardPlace = { zone: undefined, has: [], onBattery: false, weight: 1 };

export function boardFacts(
  status: BoardStatus,
  { place = nowhere, program }: BoardDefinition,
  drained: readonly string[],
): HolderFacts {
  const { id, heapPeakBytes, arenaBytes, appliedIndex, device, cloned, link } = status;
  const { zone, has, onBattery, weight } = place;
  const full = arenaBytes === 0 ? 0 : heapPeakBytes / arenaBytes;
  const own = program.pipelines.length;
  const holder = {
    name: id,
    weight: full >= fullFrom.half ? weight / 2 : weight,
    load: own,
    room: programLimits.pipelinesMax - own,
    ...{ has, zone, onBattery: onBattery || program.sleep !== undefined },
  };
  const isUp = link === "up";
  const isWell = device?.isSafe !== true && !cloned && program.sleep === undefined;
  const isUsable = isUp && isWell && full < fullFrom.none && !drained.includes(id);
  return { kind: "boards", holder, isUp, isUsable, appliedIndex };
}

/** `word`: what the host last said of itself. */
export function hostFacts(
  name: string,
  { zone, has, onBattery, weight }: BoardPlace = nowhere,
  { appliedIndex, ready, lingering }: Pick<HostState, "appliedIndex" | "ready" | "lingering">,
  isUp: boolean,
  drained: readonly string[],
): HolderFacts {
  const holder = {
    ...{ name, weight, load: 0, room: Infinity, zone, onBattery },
    has: [...has, ...ready.map(readinessFor)],
  };
  const isUsable = isUp && !drained.includes(name);
  return { kind: "hosts", holder, isUp, isUsable, appliedIndex, lingering: new Set(lingering) };
}
