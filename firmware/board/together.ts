import { groupKey } from "../../protocols/paxos/types.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import { taskKeyPrefix } from "../../protocols/tasks/placement.ts";
import { actionKeyPrefix } from "../../protocols/two-phase-commit/action.ts";
import { Actions, type ActionsParts, speaksOfActions } from "./actions.ts";
import { Keeping, type KeepingParts } from "./keeping.ts";
import type { Link } from "./link.ts";
import { Registers, type RegistersParts, speaksOfRegisters } from "./registers.ts";
import { isPlacedAt, speaksOfTasks, Tasks, type TasksParts } from "./tasks.ts";

export type TogetherParts = ActionsParts & TasksParts & RegistersParts & KeepingParts;

/**
 * What the board does together with others: its part in actions, the tasks that it holds, the registers that it votes on, the blocks that it keeps for others. Each is there only
 * while the agreed state speaks of it, or somebody asks: a board that is asked for none of them has nothing of it in its heap.
 */
export class Together {
  readonly #parts: TogetherParts;
  #actions: Actions | undefined;
  #tasks: Tasks | undefined;
  #registers: Registers | undefined;
  #keeping: Keeping | undefined;
  #isUp = false;

  constructor(parts: TogetherParts) {
    this.#parts = parts;
  }

  /** Whether the board votes on registers: it must not sleep. */
  get isMember(): boolean {
    return this.#registers?.isMember ?? false;
  }

  /** Takes up what the agreed state says. */
  start(nowMs: number): void {
    const { store, board } = this.#parts;
    if (speaksOfActions(store)) this.takePart(nowMs);
    if (speaksOfTasks(store, board)) this.takeTasks(nowMs);
    if (speaksOfRegisters(store)) this.joinGroup(nowMs);
  }

  /** When `run` or `runTasks` has something to do though nothing has arrived; Infinity for never. */
  dueMs(nowMs: number): number {
    return Math.min(
      this.#actions?.dueMs(nowMs) ?? Infinity,
      this.#tasks?.dueMs(nowMs) ?? Infinity,
      this.#registers?.dueMs ?? Infinity,
    );
  }

  onNetworkChange(up: boolean): void {
    this.#isUp = up;
    this.#registers?.onNetworkChange(up);
  }

  /** The roster has changed. */
  onRoster(): void {
    this.#registers?.onRoster();
  }

  /** The host said this on one of the channels of what boards do together. */
  onPayload(link: Link, channel: string, payload: Uint8Array, nowMs: number): void {
    if (channel === "lease") this.#tasks?.take(payload, link, nowMs);
    else if (channel === "register") this.#registers?.take(payload, link, nowMs);
    else if (channel === "keep") this.keep().take(payload, link, nowMs);
  }

  /** A committed entry has changed a key of the agreed state. */
  onStateChange(key: string, value: StateValue | undefined, nowMs: number): void {
    if (key.startsWith(actionKeyPrefix)) this.takePart(nowMs).onStateChange(key);
    else if (key.startsWith(taskKeyPrefix)) this.onTask(key, value, nowMs);
    else if (key === groupKey) this.onGroup(nowMs);
    else this.#registers?.onStateChange(key, nowMs);
  }

  /** A snapshot has become the state. */
  onStateReplaced(nowMs: number): void {
    const { store, board } = this.#parts;
    if (this.#actions !== undefined) this.#actions.onStateReplaced();
    else if (speaksOfActions(store)) this.takePart(nowMs);
    if (this.#tasks !== undefined) this.#tasks.onStateReplaced(nowMs);
    else if (speaksOfTasks(store, board)) this.takeTasks(nowMs);
    this.onGroup(nowMs);
  }

  /** In every turn, before anything is sampled: what the board may run no longer, it does not. */
  runTasks(nowMs: number, isJoined: boolean): void {
    if (this.#tasks?.run(nowMs, isJoined) === "idle") this.#tasks = undefined;
  }

  /** In every turn, after it: rules may have become active. */
  run(nowMs: number, isJoined: boolean): void {
    if (this.#actions !== undefined) this.runActions(this.#actions, nowMs);
    if (this.#registers !== undefined) this.runRegisters(this.#registers, nowMs, isJoined);
    if (this.#keeping?.run(nowMs) === "idle") this.#keeping = undefined;
  }

  private runActions(actions: Actions, nowMs: number): void {
    actions.run(nowMs);
    if (!actions.isIdle) return;
    this.#actions = undefined;
    this.#parts.sensing.acting = undefined;
  }

  private takePart(nowMs: number): Actions {
    this.#actions ??= new Actions(this.#parts, nowMs);
    return this.#actions;
  }

  private takeTasks(nowMs: number): Tasks {
    this.#tasks ??= new Tasks(this.#parts, nowMs);
    return this.#tasks;
  }

  private onTask(key: string, value: StateValue | undefined, nowMs: number): void {
    // The first placement here is read from the flash, which has it already.
    if (this.#tasks !== undefined) this.#tasks.onStateChange(key, value, nowMs);
    else if (isPlacedAt(value, this.#parts.board)) this.takeTasks(nowMs);
  }

  private onGroup(nowMs: number): void {
    if (this.#registers !== undefined) this.#registers.onGroup(nowMs);
    else if (speaksOfRegisters(this.#parts.store)) this.joinGroup(nowMs);
  }

  /** A former member stays until it has told what it knows. */
  private runRegisters(registers: Registers, nowMs: number, isJoined: boolean): void {
    registers.run(nowMs, isJoined);
    if (!registers.isIdle) return;
    registers.end();
    this.#registers = undefined;
  }

  private keep(): Keeping {
    this.#keeping ??= new Keeping(this.#parts);
    return this.#keeping;
  }

  private joinGroup(nowMs: number): void {
    this.#registers = new Registers(this.#parts, nowMs);
    if (this.#isUp) this.#registers.onNetworkChange(true);
  }
}
