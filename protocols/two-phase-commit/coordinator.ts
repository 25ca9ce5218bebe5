/**
 * What the leader makes of actions and of what boards tell of them: the coordinator of two-phase commit, without I/O or a clock of its own.
 *
 * It remembers nothing that matters: what was decided stands in the log, and boards tell their votes again to whoever leads. So any leader goes on where another one
 * stopped, by the same rule: commit when all have said yes, abort when one has said no or the deadline is over, end when every board's outcome is known.
 */
import { shortenedUtf8 } from "../text/utf8.ts";
import { type Action, actionIdText, actionLimits, sharedOutput } from "./action.ts";
import { packNames, unpackNames } from "./names.ts";
import type { ActionReport, Stage } from "./report.ts";

/** To be put in `slot` if `from` is still there. */
export interface Step {
  readonly slot: number;
  readonly from: Action;
  readonly to: Action;
}

/** What is known of one action. */
export interface Progress {
  readonly action: Action;
  /** Its boards; of an action that had ended before this leader knew of it, those that did not follow the decision. */
  readonly boards: readonly string[];
  /** The last that each board told. */
  readonly reports: ReadonlyMap<string, ActionReport>;
}

interface Place {
  action: Action;
  boards: readonly string[];
  readonly reports: Map<string, ActionReport>;
}

export class Coordinator {
  readonly #places = new Map<number, Place>();

  /** What the agreed state says of a slot; undefined for nothing. */
  onSlot(slot: number, action: Action | undefined): void {
    const place = this.#places.get(slot);
    if (action === undefined) this.#places.delete(slot);
    else if (place !== undefined && place.action.id === action.id) place.action = action;
    else this.#places.set(slot, { action, boards: unpackNames(action.boards), reports: new Map() });
  }

  /** What a board that has proved to be `board` told; false for what is of no action that it is part of. */
  onReport(board: string, report: ActionReport): boolean {
    const place = this.#places.get(report.slot);
    if (place === undefined || place.action.id !== report.id || !place.boards.includes(board)) return false;
    const known = place.reports.get(board);
    // On its way it may have been overtaken by a later one.
    if (known === undefined || ranks[report.stage] > ranks[known.stage]) place.reports.set(board, report);
    return true;
  }

  progress(slot: number): Progress | undefined {
    return this.#places.get(slot);
  }

  /** Actions that have not ended. */
  get isBusy(): boolean {
    for (const { action } of this.#places.values()) if (!action.isEnded) return true;
    return false;
  }

  /** What is to be put now. `isKnown`: whether the swarm has such a board at all; one that it has no more is waited for in vain. */
  steps(wallMs: number, isKnown: (board: string) => boolean): Step[] {
    const steps: Step[] = [];
    for (const [slot, place] of this.#places) {
      const { action } = place;
      if (action.isEnded) continue;
      const to = action.phase === "begun" ? decide(place, wallMs, isKnown) : end(place, isKnown);
      if (to !== undefined) steps.push({ slot, from: action, to });
    }
    return steps;
  }

  /**
   * Why an action may not begin yet: another one drives an output of one of its boards, and it is not known that this board has done with it. undefined for
   * nothing. That is what keeps two actions from being carried out on some boards in one order and on others in the other.
   */
  conflict(wanted: Pick<Action, "set">, boards: readonly string[]): Conflict | undefined {
    for (const place of this.#places.values()) {
      if (place.action.isEnded || place.action.phase === "aborted") continue;
      const output = sharedOutput(place.action.set, wanted.set);
      if (output === undefined) continue;
      const board = place.boards.find((name) => boards.includes(name) && !isOutcomeKnown(place, name));
      if (board !== undefined) return { board, output, action: place.action };
    }
    return undefined;
  }

  /** Where a new action goes: an empty slot, or one whose action has ended or, at last, was aborted. undefined while there is none. */
  freeSlot(): { readonly slot: number; readonly from: Action | undefined } | undefined {
    let free: { slot: number; from: Action } | undefined;
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      const from = this.#places.get(slot)?.action;
      if (from === undefined) return { slot, from };
      if (from.phase === "begun" || (from.phase === "committed" && !from.isEnded)) continue;
      // Of those that ended, the one that began first.
      const isBetter =
        free === undefined ||
        (from.isEnded !== free.from.isEnded ? from.isEnded : from.deadlineMs < free.from.deadlineMs);
      if (isBetter) free = { slot, from };
    }
    return free;
  }
}

export interface Conflict {
  readonly board: string;
  readonly output: string;
  readonly action: Action;
}

function decide(place: Place, wallMs: number, isKnown: (board: string) => boolean): Action | undefined {
  const { action, boards, reports } = place;
  for (const board of boards) {
    const report = reports.get(board);
    if (report !== undefined && refusing.includes(report.stage)) {
      return { ...action, phase: "aborted", reason: shortened(`${board}: ${report.reason || "no"}`) };
    }
    if (!isKnown(board))
      return { ...action, phase: "aborted", reason: shortened(`${board} is no board of the swarm`) };
  }
  const silent = boards.filter((board) => reports.get(board) === undefined);
  if (silent.length === 0) return { ...action, phase: "committed" };
  if (wallMs < action.deadlineMs) return undefined;
  const more = silent.length > 1 ? ` and ${silent.length - 1} more` : "";
  return { ...action, phase: "aborted", reason: shortened(`${silent[0]}${more} did not answer in time`) };
}

function end(place: Place, isKnown: (board: string) => boolean): Action | undefined {
  const { action, boards, reports } = place;
  if (!boards.every((board) => isOutcomeKnown(place, board) || !isKnown(board))) return undefined;
  const astray = boards.filter((board) => reports.get(board)?.stage === "settled");
  return { ...action, isEnded: true, boards: packNames(astray), set: [], require: [] };
}

function isOutcomeKnown({ action, reports }: Place, board: string): boolean {
  const stage = reports.get(board)?.stage;
  if (stage === undefined || action.phase === "begun") return false;
  return stage === "settled" || stage === (action.phase === "committed" ? "acted" : "released");
}

function shortened(reason: string): string {
  return shortenedUtf8(reason, actionLimits.reasonBytesMax);
}

/** A board's stage only grows, and an outcome stays. A no that follows a yes is of a board that has lost its memory in between. */
const ranks: Readonly<Record<Stage, number>> = Object.freeze({
  yes: 0,
  no: 1,
  armed: 2,
  heuristic: 3,
  acted: 4,
  released: 4,
  settled: 4,
});

const refusing: readonly Stage[] = Object.freeze(["no", "heuristic", "settled"] as const);

/** `open-valves (1f3a5c7e)`. */
export function describeAction({ name, id }: Action): string {
  return `${name} (${actionIdText(id)})`;
}
