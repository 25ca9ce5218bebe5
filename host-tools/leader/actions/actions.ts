/**
 * The leader's part in actions: it puts what the coordinator's core says (`protocols/two-phase-commit/coordinator.ts`) into the agreed state, each step only in place of the
 * one before. Every host keeps what boards tell, so that whichever leads next need not wait for them to say it again.
 */
import { randomBytes } from "node:crypto";
import type { StateValue } from "../../../protocols/state/command.ts";
import {
  type Action,
  actionIdText,
  actionLimits,
  slotKey,
} from "../../../protocols/two-phase-commit/action.ts";
import { actionFromWire, actionToWire } from "../../../protocols/two-phase-commit/codec.ts";
import {
  Coordinator,
  describeAction,
  type Progress,
  type Step,
} from "../../../protocols/two-phase-commit/coordinator.ts";
import { givenUpNames, isGivenUp, withGivenUp } from "../../../protocols/two-phase-commit/given-up.ts";
import { packedHas, packNames } from "../../../protocols/two-phase-commit/names.ts";
import type { ActionReport } from "../../../protocols/two-phase-commit/report.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import { boardProblem } from "../../swarm-file/compile-action.ts";
import type { ActionDefinition, SwarmDefinition } from "../../swarm-file/definition.ts";
import type { Actor } from "../access/actor.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { ActionBegun, ActionStatus } from "../api/types/actions.ts";
import type { Log } from "../log.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import type { ActionRequest } from "./action-request.ts";
import { encoded, statusOf } from "./action-status.ts";
import type { ForgetRequest } from "./forget-request.ts";
import { demandLost, type LostView, silenceMs } from "./lost.ts";
import { Silence } from "./silence.ts";

/** Between looks at the clock while an action is not at its end. */
const tickMs = 50;

export interface ActionsOptions {
  readonly definition: SwarmDefinition;
  readonly state: AgreedState;
  readonly log: Log;
  /** Keeps what was done where everybody can look it up. */
  readonly audit: { noted(who: string, what: string): void };
  isLeader(): boolean;
  /** To any host. */
  isConnected(board: string): boolean;
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds of a clock that nobody sets. */
  monotonic(): number;
  /** Puts, if what is there is still `present`. Rejects with `ApiFailure`. */
  put(key: string, value: Uint8Array, present: StateValue | undefined): Promise<unknown>;
  onChange(): void;
}

export class Actions {
  readonly #options: ActionsOptions;
  readonly #coordinator = new Coordinator();
  /** As last looked at, by slot. */
  readonly #values = new Map<number, StateValue | undefined>();
  /** Slots for which a step is on its way. */
  readonly #underWay = new Set<number>();
  readonly #silence: Silence;
  #seenChanges = -1;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  /** One action begins at a time: two that pass each other would not be checked against each other. */
  #last: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(options: ActionsOptions) {
    this.#options = options;
    this.#silence = new Silence(options.monotonic, options.isConnected);
  }

  /** Entries were applied, or a snapshot restored. */
  stateChanged(): void {
    const { state, onChange } = this.#options;
    if (state.ownChanges === this.#seenChanges) return;
    this.#seenChanges = state.ownChanges;
    let isNew = false;
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      const value = state.get(slotKey(slot))?.value;
      if (value === this.#values.get(slot)) continue;
      this.#values.set(slot, value);
      this.#look(slot, value);
      isNew = true;
    }
    if (!isNew) return;
    onChange();
    this.#stepSoon();
  }

  /** A board that has proved to be `board` tells how it stands. */
  reported(board: string, reports: readonly ActionReport[]): void {
    let isNew = false;
    for (const report of reports) isNew = this.#coordinator.onReport(board, report) || isNew;
    if (isNew) this.#stepSoon();
  }

  /** Resolves once it is agreed that the action has begun. Rejects with `ApiFailure`. */
  begin(request: ActionRequest, actor: Actor): Promise<ActionBegun> {
    return this.#afterLast(() => this.#begin(request, actor));
  }

  /** Gives boards up that are lost for good; how the action stands once that is agreed. Rejects with `ApiFailure`. */
  forget(request: ForgetRequest, actor: Actor): Promise<ActionStatus> {
    return this.#afterLast(() => this.#forget(request, actor));
  }

  list(): ActionStatus[] {
    const listed: ActionStatus[] = [];
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      const progress = this.#coordinator.progress(slot);
      if (progress !== undefined) listed.push(statusOf(progress));
    }
    return listed.sort((a, b) => a.deadlineMs - b.deadlineMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
  }

  #afterLast<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.catch(() => {}).then(work);
    this.#last = done;
    return done;
  }

  async #begin(request: ActionRequest, actor: Actor): Promise<ActionBegun> {
    const { state, audit, log, now, put } = this.#options;
    const { name, startMs } = request;
    const wanted = this.#definitionOf(name);
    const names = this.#boardsOf(wanted, request.boards);
    const nowMs = now();
    if (startMs !== undefined && startMs < nowMs) {
      throw new ApiFailure(
        "bad-request",
        `${new Date(startMs).toISOString()} is over; choose a time to come.`,
      );
    }
    this.stateChanged();
    const slot = this.#slotFor(wanted, names);
    const { set, require, forMs, safetyMs } = wanted;
    const action: Action = {
      ...{ id: randomBytes(4).readUInt32BE(), name, boards: packNames(names), set, require, forMs, safetyMs },
      ...{ deadlineMs: nowMs + request.timeoutMs, startMs, phase: "begun", isEnded: false, reason: "" },
      givenUp: [],
    };
    const value = encoded(action, "name fewer boards, or shorten their names");
    const id = actionIdText(action.id);
    const key = slotKey(slot);
    await put(key, value, state.get(key)?.value);
    audit.noted(actor.name, `act ${name} ${id}`);
    log.info("action-begun", { action: name, id, boards: names.length, by: actor.name });
    return { id, name, boards: names, deadlineMs: action.deadlineMs, startMs };
  }

  async #forget({ name, id, boards }: ForgetRequest, actor: Actor): Promise<ActionStatus> {
    const { state, audit, log, put } = this.#options;
    this.stateChanged();
    const found = this.#progressOf(name, id);
    for (const board of boards) demandLost(found, board, this.#viewOf(found, board));
    const names = [...new Set(boards)].sort();
    const { slot, action } = found;
    const next = withGivenUp(action, names, actor.name);
    const value = encoded(next, "take the boards from swarm.ts instead");
    await put(slotKey(slot), value, state.get(slotKey(slot))?.value);
    audit.noted(actor.name, `act forget ${name} ${id} ${names.join(" ")}`);
    log.warn("action-given-up", { action: name, id, boards: names.join(","), by: actor.name });
    this.stateChanged();
    return statusOf(this.#coordinator.progress(slot)!);
  }

  #progressOf(name: string, id: string): Progress & { readonly slot: number } {
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      const progress = this.#coordinator.progress(slot);
      if (progress === undefined) continue;
      const { action } = progress;
      if (action.name === name && actionIdText(action.id) === id) return { ...progress, slot };
    }
    throw new ApiFailure("not-found", `There is no action ${name} (${id}); see covey act --list.`);
  }

  #viewOf({ action }: Progress, board: string): LostView {
    const { definition, isConnected, now } = this.#options;
    const program = Object.hasOwn(definition.boards, board) ? definition.boards[board]!.program : undefined;
    const waiting = this.#coordinator.waiting().find((each) => each.action.id === action.id);
    return {
      isWaitedFor: waiting?.boards.includes(board) === true,
      isConnected: isConnected(board),
      silentMs: this.#silence.of(board),
      patienceMs: silenceMs + (program?.sleep?.everyMs ?? 0),
      wallMs: now(),
    };
  }

  #definitionOf(name: string): ActionDefinition {
    const { actions = {} } = this.#options.definition;
    if (Object.hasOwn(actions, name)) return actions[name]!;
    const known = Object.keys(actions).join(", ") || "none";
    throw new ApiFailure(
      "not-found",
      `There is no action ${name}; this swarm has ${known} (actions in swarm.ts).`,
    );
  }

  #boardsOf(wanted: ActionDefinition, chosen: readonly string[] | undefined): readonly string[] {
    const { boards }: SwarmDefinition = this.#options.definition;
    const named = chosen ?? wanted.boards;
    for (const board of named ?? []) {
      if (!Object.hasOwn(boards, board))
        throw new ApiFailure("bad-request", `${board} is no board of this swarm.`);
      const problem = boardProblem(wanted, board, boards[board]!);
      if (problem !== undefined) throw new ApiFailure("bad-request", problem);
    }
    const able = () =>
      Object.keys(boards).filter((name) => boardProblem(wanted, name, boards[name]!) === undefined);
    return [...new Set(named ?? able())].sort();
  }

  #slotFor(wanted: ActionDefinition, boards: readonly string[]): number {
    const conflict = this.#coordinator.conflict(wanted, boards);
    if (conflict !== undefined) {
      const { board, output, action } = conflict;
      throw new ApiFailure(
        "conflict",
        `${output} of ${board} is taken by ${describeAction(action)}, which is ${action.phase}; try again when that has ended (covey act --list).`,
      );
    }
    const place = this.#coordinator.freeSlot();
    if (place !== undefined) return place.slot;
    throw new ApiFailure(
      "too-many",
      `${actionLimits.slots} actions wait for their boards; covey act --list shows for which.`,
    );
  }

  #look(slot: number, value: StateValue | undefined): void {
    const { log, audit, isLeader } = this.#options;
    const before = this.#coordinator.progress(slot)?.action;
    const action = readAction(value);
    if (value !== undefined && action === undefined) log.warn("action-not-read", { slot });
    this.#coordinator.onSlot(slot, action);
    if (action === undefined || before?.id !== action.id) return;
    this.#noteReturns(before, action);
    if (before.phase === action.phase) return;
    const { name, phase, reason } = action;
    const id = actionIdText(action.id);
    log.info("action-decided", { action: name, id, phase, reason: reason || undefined });
    if (isLeader()) audit.noted(`act ${id}`, `${name} ${phase} ${reason}`.trim());
  }

  /** Who was given up, and is back. */
  #noteReturns(before: Action, action: Action): void {
    const { log, audit, isLeader } = this.#options;
    const id = actionIdText(action.id);
    for (const board of givenUpNames(before)) {
      if (isGivenUp(action, board)) continue;
      const outcome = packedHas(action.boards, board) ? "did not act" : "had acted";
      log.warn("action-board-back", { action: action.name, id, board, outcome });
      if (isLeader()) audit.noted(`act ${id}`, `${action.name} ${board} is back: it ${outcome}`);
    }
  }

  #stepSoon(): void {
    // Not while the replica applies: it takes proposals when it has finished.
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.#step();
    });
  }

  #step(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isStopped) return;
    const { definition, isLeader, now } = this.#options;
    const waiting = isLeader() ? this.#coordinator.waiting() : [];
    this.#silence.watch(new Set(waiting.flatMap(({ boards }) => boards)));
    if (isLeader()) {
      const isKnown = (board: string) => Object.hasOwn(definition.boards, board);
      for (const step of this.#coordinator.steps(now(), isKnown)) this.#take(step);
    }
    if (!this.#coordinator.isBusy) return;
    this.#timer = setTimeout(() => this.#step(), tickMs);
    this.#timer.unref();
  }

  #take({ slot, to }: Step): void {
    if (this.#underWay.has(slot)) return;
    this.#underWay.add(slot);
    this.#options
      .put(slotKey(slot), encodeCbor(actionToWire(to)), this.#values.get(slot))
      // Another leader was first, or there is none: the next look goes on from what the state then says.
      .catch((error: Error) => this.#options.log.debug("action-waits", { slot, reason: error.message }))
      .finally(() => this.#underWay.delete(slot));
  }
}

function readAction(value: StateValue | undefined): Action | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return actionFromWire(decodeCbor(value));
  } catch {
    return undefined;
  }
}
