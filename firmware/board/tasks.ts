import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import type { Pipeline } from "../../protocols/pipeline/program.ts";
import { programFromWire } from "../../protocols/pipeline/program-codec.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import { leasesFromWire } from "../../protocols/tasks/lease-messages.ts";
import {
  fencedMetric,
  type Placement,
  placementFromWire,
  taskKeyPrefix,
} from "../../protocols/tasks/placement.ts";
import { Tenure } from "../../protocols/tasks/tenure.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";
import type { CommittedProgram } from "./committed-program.ts";
import type { CrashLoop } from "./crash-loop.ts";
import type { Link } from "./link.ts";
import type { Messenger } from "./messenger.ts";
import type { NamedValues, OpenTasks } from "./named-values.ts";

export interface TasksParts {
  readonly board: string;
  readonly store: BoardStore;
  readonly values: NamedValues;
  readonly program: CommittedProgram;
  readonly crashLoop: CrashLoop;
  readonly messenger: Messenger;
  readonly log: BoardLog;
}

/** Whether the agreed state has placed a task on `board`. */
export function speaksOfTasks(store: BoardStore, board: string): boolean {
  for (const key of store.reservedKeysWith(taskKeyPrefix)) if (isPlacedAt(store.get(key), board)) return true;
  return false;
}

export function isPlacedAt(value: StateValue | undefined, board: string): boolean {
  const placement = read(value);
  return placement?.mode === "held" && placement.holder === board;
}

/**
 * The tasks that the swarm has placed on this board: it claims them from the leader and runs each as long as its lease lasts, no longer. There only while
 * one is placed here. What runs is part of the program; only its metrics carry the token of their tenure. Rules `as` a task hold for just as long.
 */
export class Tasks implements OpenTasks {
  readonly #parts: TasksParts;
  readonly #tenure: Tenure;
  /** Bit i: the i-th of those that are held is open, and runs. */
  #open = 0;
  /** What is held, or what it is, has changed since `#open` was worked out. */
  #isStale = true;
  /** Names of those that run. */
  #running: readonly string[] = noNames;

  /** Takes up what the agreed state says. */
  constructor(parts: TasksParts, nowMs: number) {
    this.#parts = parts;
    this.#tenure = new Tenure(nowMs);
    parts.values.tasks = this;
    this.takeAll(nowMs);
  }

  has(task: string): boolean {
    return this.#running.includes(task);
  }

  /** When `run` has something to do though nothing has arrived; Infinity for never. */
  dueMs(nowMs: number): number {
    return this.#tenure.dueMs(nowMs);
  }

  /** A committed entry has changed a key that begins with `taskKeyPrefix`. */
  onStateChange(key: string, value: StateValue | undefined, nowMs: number): void {
    const { board } = this.#parts;
    const placement = read(value);
    const isHere = placement?.mode === "held" && placement.holder === board && this.canRun(placement);
    // Which pipelines it is stays in the flash.
    this.#tenure.place(
      key.slice(taskKeyPrefix.length),
      isHere ? { ...placement, program: null } : undefined,
      nowMs,
    );
    this.#isStale = true;
  }

  /** A snapshot has become the state. */
  onStateReplaced(nowMs: number): void {
    const keys = this.#parts.store.reservedKeysWith(taskKeyPrefix);
    for (const { task } of [...this.#tenure.held]) {
      if (!keys.includes(taskKeyPrefix + task)) this.#tenure.place(task, undefined, nowMs);
    }
    this.takeAll(nowMs);
  }

  /** The leader's answer to a claim. */
  take(payload: Uint8Array, link: Link, nowMs: number): void {
    try {
      this.#tenure.grant(leasesFromWire(decodeCbor(payload)), nowMs);
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      link.dropForGarbage(error.message);
    }
  }

  /** In every turn, before anything is sampled. Idle: none is placed here any more. */
  run(nowMs: number, isJoined: boolean): "idle" | "busy" {
    const { crashLoop, messenger } = this.#parts;
    const { held } = this.#tenure;
    let open = 0;
    if (!crashLoop.isSafe) {
      for (let i = 0; i < held.length; i++) if (this.#tenure.isOpen(held[i]!, nowMs)) open |= 1 << i;
    }
    if (open !== this.#open || this.#isStale) this.compose(open, nowMs);
    if (held.length === 0) {
      this.#parts.values.tasks = undefined;
      return "idle";
    }
    const claim = this.#tenure.claim(nowMs);
    // In safe mode it asks for nothing, so that another board may have it.
    if (claim !== undefined && isJoined && !crashLoop.isSafe) messenger.sendClaim(claim);
    return "busy";
  }

  private takeAll(nowMs: number): void {
    const { store } = this.#parts;
    for (const key of store.reservedKeysWith(taskKeyPrefix)) this.onStateChange(key, store.get(key), nowMs);
  }

  private compose(open: number, nowMs: number): void {
    const { program, log } = this.#parts;
    const { held } = this.#tenure;
    const wasOpen = this.#open;
    this.#open = open;
    this.#isStale = false;
    // What is held and not open changes nothing.
    if (open === 0 && wasOpen === 0) return;
    const pipelines: Pipeline[] = [];
    const running: string[] = [];
    let tasks = "";
    for (let i = 0; i < held.length; i++) {
      if ((open & (1 << i)) === 0) continue;
      const { task, placement } = held[i]!;
      for (const pipeline of this.pipelinesOf(task)) {
        pipelines.push({ ...pipeline, metric: fencedMetric(pipeline.metric, placement.token) });
      }
      running.push(task);
      tasks += `${tasks === "" ? "" : ","}${task}#${placement.token}`;
    }
    this.#running = running;
    log.write("info", "tasks", "run", tasks);
    program.runBeside(pipelines, nowMs);
  }

  private pipelinesOf(task: string): readonly Pipeline[] {
    const placement = read(this.#parts.store.get(taskKeyPrefix + task));
    return placement === undefined ? noPipelines : programFromWire(placement.program).pipelines;
  }

  /** What this firmware cannot read it does not claim. */
  private canRun({ program }: Placement): boolean {
    try {
      programFromWire(program);
      return true;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#parts.log.write("error", "task-refused", "reason", error.message);
      return false;
    }
  }
}

const noPipelines: readonly Pipeline[] = Object.freeze([]);
const noNames: readonly string[] = Object.freeze([]);

/** undefined for what this firmware cannot read. */
function read(value: StateValue | undefined): Placement | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return placementFromWire(decodeCbor(value));
  } catch (error) {
    if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
    return undefined;
  }
}
