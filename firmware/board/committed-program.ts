import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { copiedRegister } from "../../protocols/paxos/copy.ts";
import { groupKey } from "../../protocols/paxos/types.ts";
import {
  type Pipeline,
  type Program,
  programLimits,
  type SleepPlan,
} from "../../protocols/pipeline/program.ts";
import { programFromWire } from "../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix, type StateValue } from "../../protocols/state/command.ts";
import type { Sensing } from "../sensing/sensing.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";
import type { CrashLoop } from "./crash-loop.ts";
import type { NamedValues } from "./named-values.ts";

/** Keeps running what the committed state says that this board is to run. */
export class CommittedProgram {
  readonly #store: BoardStore;
  readonly #values: NamedValues;
  readonly #sensing: Sensing;
  readonly #crashLoop: CrashLoop;
  readonly #log: BoardLog;
  readonly #key: string;
  #sleep: SleepPlan | undefined;
  /** Of the tasks that the board may run now, beside its own. */
  #ofTasks: readonly Pipeline[] = noPipelines;
  /** The program began with the settings as they were once this entry was applied. */
  #index = 0;

  constructor(
    store: BoardStore,
    values: NamedValues,
    sensing: Sensing,
    crashLoop: CrashLoop,
    log: BoardLog,
    board: string,
  ) {
    this.#store = store;
    this.#values = values;
    this.#sensing = sensing;
    this.#crashLoop = crashLoop;
    this.#log = log;
    this.#key = programKeyPrefix + board;
  }

  /** When the board is to sleep; undefined for never, and in safe mode. */
  get sleep(): SleepPlan | undefined {
    return this.#sleep;
  }

  /** Runs what the state says now. */
  load(nowMs: number): void {
    this.run(this.#store.get(this.#key), nowMs);
  }

  /** Other tasks are open: runs `pipelines` beside the program from now on. What ran and still runs goes on undisturbed. */
  runBeside(pipelines: readonly Pipeline[], nowMs: number): void {
    this.#ofTasks = pipelines;
    this.load(nowMs);
    // Rules may be those of whoever holds a task.
    this.#sensing.onSettings(nowMs);
  }

  /** A register may have another value. */
  onRegister(register: string, nowMs: number, isMore = false): void {
    this.#sensing.onSetting(register, this.#values.get(register), nowMs, isMore);
  }

  /** A snapshot has become the state: its program is as good as new. */
  onStateReplaced(nowMs: number): void {
    this.#crashLoop.onNewProgram();
    this.load(nowMs);
  }

  /** A committed entry has changed the state. */
  onStateChange(key: string, value: StateValue | undefined, nowMs: number, isMore: boolean): void {
    if (key === this.#key) {
      this.#crashLoop.onNewProgram();
      this.run(value, nowMs);
    } else if (this.#index < this.#store.appliedIndex) {
      this.onValue(key, value, nowMs, isMore);
    }
    // Else the entries were committed together, and the program began with what this one and those after it say.
  }

  private onValue(key: string, value: StateValue | undefined, nowMs: number, isMore: boolean): void {
    const register = copiedRegister(key);
    if (register !== undefined) this.onRegister(register, nowMs, isMore);
    else if (key === groupKey) this.#sensing.onSettings(nowMs);
    else this.#sensing.onSetting(key, value, nowMs, isMore);
  }

  /** What runs follows from the committed state alone: a program that this firmware cannot read is no program. */
  private run(value: StateValue | undefined, nowMs: number): void {
    this.#index = this.#store.appliedIndex;
    let program: Program = noProgram;
    try {
      if (value instanceof Uint8Array) program = programFromWire(decodeCbor(value));
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      this.#log.write("error", "program-refused", "reason", error.message);
    }
    if (this.#crashLoop.isSafe) program = safeModeOf(program);
    else if (this.#ofTasks.length > 0) program = withTasks(program, this.#ofTasks);
    this.#sleep = program.sleep;
    this.#sensing.load(program, nowMs);
    const { pipelines, outputs, rules, schedules = [] } = program;
    this.#log.write(
      "info",
      "program",
      "pipelines",
      pipelines.length,
      "outputs",
      outputs.length,
      "rules",
      rules.length,
      "schedules",
      schedules.length,
    );
  }
}

/** What is left of a program in safe mode: its outputs, at their safe values. */
function safeModeOf({ outputs }: Program): Program {
  return { pipelines: [], outputs: outputs.map((output) => ({ ...output, setting: undefined })), rules: [] };
}

/** Whoever gave the board its tasks counted what it has; should there be more by now, its own go first. */
function withTasks(program: Program, ofTasks: readonly Pipeline[]): Program {
  return { ...program, pipelines: [...program.pipelines, ...ofTasks].slice(0, programLimits.pipelinesMax) };
}

const noPipelines: readonly Pipeline[] = Object.freeze([]);

const noProgram: Program = Object.freeze({
  pipelines: noPipelines,
  outputs: Object.freeze([]),
  rules: Object.freeze([]),
});
