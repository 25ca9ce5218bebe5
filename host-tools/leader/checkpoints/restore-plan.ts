/**
 * What a restore is to change, worked out before anything is proposed: puts that go together, and what is left as it is, with the reason.
 *
 * Nothing is deleted. A setting or a board that came after the checkpoint keeps what it has; one that `swarm.ts` no longer has does not come back.
 */
import { programKeyPrefix, type StateValue } from "../../../protocols/state/command.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { isSameValue } from "../raft/speculative-state.ts";
import { checkSetting, SettingRefused } from "../state/settings.ts";
import { partOf, type RestoredPart } from "./restorable.ts";

export type StateValues = ReadonlyMap<string, StateValue>;

export interface RestoreChoice {
  /** undefined: all that can be restored. */
  readonly parts: readonly RestoredPart[] | undefined;
  /** Of the programs, those of these boards; undefined for all. */
  readonly boards: readonly string[] | undefined;
}

export interface PlannedPut {
  readonly key: string;
  readonly value: StateValue;
  /** What it replaces. */
  readonly present: StateValue | undefined;
}

export interface RestorePlan {
  readonly puts: readonly PlannedPut[];
  /** Sentences without a full stop. */
  readonly leftOut: readonly string[];
}

export function planRestore(
  definition: SwarmDefinition,
  present: StateValues,
  wanted: StateValues,
  { parts, boards }: RestoreChoice,
): RestorePlan {
  const puts: PlannedPut[] = [];
  const leftOut: string[] = [];
  for (const [key, value] of wanted) {
    const part = partOf(key);
    if (part === "own" || part === "releases" || (parts !== undefined && !parts.includes(part))) continue;
    const board = part === "programs" ? key.slice(programKeyPrefix.length) : undefined;
    if (board !== undefined && boards !== undefined && !boards.includes(board)) continue;
    if (isSameValue(present.get(key), value)) continue;
    const objection = objectionTo(definition, part, key, value);
    if (objection !== undefined) leftOut.push(objection);
    else puts.push({ key, value, present: present.get(key) });
  }
  return { puts, leftOut };
}

function objectionTo(
  definition: SwarmDefinition,
  part: RestoredPart,
  key: string,
  value: StateValue,
): string | undefined {
  const knows = (board: string) => Object.hasOwn(definition.boards, board);
  if (part === "programs" && !knows(key.slice(programKeyPrefix.length))) {
    return `${key}: swarm.ts has no such board`;
  }
  if (part === "voters") {
    const gone = String(value)
      .split(",")
      .filter((board) => board !== "" && !knows(board));
    return gone.length === 0 ? undefined : `the voters: swarm.ts has no board ${gone.join(" and no board ")}`;
  }
  if (part !== "settings") return undefined;
  try {
    checkSetting(definition.settings, key, value);
    return undefined;
  } catch (error) {
    if (error instanceof SettingRefused) return `${key}: ${error.message.replace(/\.$/, "")}`;
    throw error;
  }
}
