/**
 * What the leader makes of actions and of what boards tell of them: the coordinator of two-phase commit, without I/O or a clock of its own.
 *
 * It remembers nothing that matters: what was decided stands in the log, and boards tell their votes again to whoever leads. So any leader goes on where another one
 * stopped, by the same rule: commit when all have said yes, abort when one has said no or the deadline is over, end when every board's outcome is known, or it was given up.
 */
import { shortenedUtf8 } from "../text/utf8.ts";
import { type Action, actionIdText, actionLimits, sharedOutput } from "./action.ts";
import { givenUpNames, isGivenUp, withReturned } from "./given-up.ts";
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
  /** Its boards; of an action that had ended before this leader knew of it, those that did not follow the decision, or were given up. */
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
    else this.#places.set(slot, { action, boards: boardsOf(action), reports: new Map() });
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

  /** There are actions that have not ended, or of which somebody is back. */
  get isBusy(): boolean {
    for (const place of this.#places.values()) {
      if (!place.action.isEnded || returned(place).length > 0) return true;
    }
    return false;
  }

  /** Actions that are committed and wait for boards: for which ones. */
  waiting(): { readonly slot: number; readonly action: Action; readonly boards: readonly string[] }[] {
    return Array.from(this.#places, ([slot, place]) => ({
      ...{ slot, action: place.action },
      boards: place.boards.filter((board) => !isOutcomeKnown(place, board)),
    })).filter(({ action }) => action.phase === "committed" && !action.isEnded);
  }

  /** What is to be put now. `isKnown`: whether the swarm has such a board at all; one that it has no more is waited for in vain. */
  steps(wallMs: number, isKnown: (board: string) => boolean): Step[] {
    const steps: Step[] = [];
    for (const [slot, place] of this.#places) {
      const { action } = place;
      const to = next(place, wallMs, isKnown);
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

  /**
   * Where a new action goes: an empty slot, or one whose action has ended; then one that has ended and of which somebody who was given up might still tell; at last one
   * that was aborted. undefined while there is none.
   */
  freeSlot(): { readonly slot: number; readonly from: Action | undefined } | undefined {
    let free: { slot: number; from: Action } | undefined;
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      const from = this.#places.get(slot)?.action;
      if (from === undefined) return { slot, from };
      if (from.phase === "begun" || (from.phase === "committed" && !from.isEnded)) continue;
      const order = free === undefined ? -1 : dearness(from) - dearness(free.from);
      // Of those that are worth the same, the one that began first.
      if (order < 0 || (order === 0 && from.deadlineMs < free!.from.deadlineMs)) free = { slot, from };
    }
    return free;
  }
}

export interface Conflict {
  readonly board: string;
  readonly output: string;
  readonly action: Action;
}

function boardsOf(action: Action): string[] {
  return [...unpackNames(action.boards), ...givenUpNames(action)].sort();
}

/** How much is lost with what stands in a slot. */
function dearness({ isEnded, givenUp }: Action): number {
  if (!isEnded) return 2;
  return givenUp.length === 0 ? 0 : 1;
}

function next(place: Place, wallMs: number, isKnown: (board: string) => boolean): Action | undefined {
  const { action } = place;
  if (action.isEnded) return resolve(place);
  return action.phase === "begun" ? decide(place, wallMs, isKnown) : end(place, isKnown);
}

/** Boards that were given up, and have told since what they did. */
function returned({ action, reports }: Place): string[] {
  if (action.givenUp.length === 0) return [];
  return givenUpNames(action).filter((board) => outcomes.includes(reports.get(board)?.stage ?? "yes"));
}

function resolve(place: Place): Action | undefined {
  const back = returned(place);
  if (back.length === 0) return undefined;
  return withReturned(
    place.action,
    back,
    back.filter((board) => place.reports.get(board)?.stage !== "acted"),
  );
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
  const astray = boards.filter(
    (board) => reports.get(board)?.stage === "settled" && !isGivenUp(action, board),
  );
  return { ...action, isEnded: true, boards: packNames(astray), set: [], require: [] };
}

/** Or it is waited for no more. */
function isOutcomeKnown({ action, reports }: Place, board: string): boolean {
  if (isGivenUp(action, board)) return true;
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

/** Told by a board that does nothing about the action any more. */
const outcomes: readonly Stage[] = Object.freeze(["acted", "released", "settled"] as const);

const refusing: readonly Stage[] = Object.freeze(["no", "heuristic", "settled"] as const);

/** `open-valves (1f3a5c7e)`. */
export function describeAction({ name, id }: Action): string {
  return `${name} (${actionIdText(id)})`;
}
