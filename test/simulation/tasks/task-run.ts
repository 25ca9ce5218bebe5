/**
 * Tasks under faults: links are cut, messages are late by up to half a minute, hosts and boards lose their power, boards are drained. When all is well again, every task runs
 * somewhere.
 */
import { taskKeeperLimits } from "../../../host-tools/leader/tasks/task-keeper.ts";
import type { Host, HostWorld } from "../../host-tools/leader/raft/host-world.ts";
import type { TaskBoard } from "./task-board.ts";
import { hostNames, TaskWorld } from "./task-world.ts";

export interface TaskRunResult {
  /** Placements of any task, the first one of each included. */
  readonly placements: number;
  readonly grants: number;
  readonly elections: number;
}

const faultsMs = 120_000;
const quietMs = 45_000;

/** Runs one seed. Rejects with `TaskViolation`. */
export async function runTasks(seed: number): Promise<TaskRunResult> {
  return new TaskRun(seed).run();
}

class TaskRun {
  readonly #tasks: TaskWorld;
  readonly #world: HostWorld;

  constructor(seed: number) {
    this.#tasks = new TaskWorld({ seed, loss: 0.01 });
    this.#world = this.#tasks.world;
  }

  async run(): Promise<TaskRunResult> {
    const tasks = this.#tasks;
    this.#world.startAll();
    tasks.every(taskKeeperLimits.lookEveryMs, () => tasks.keepers.look());
    for (const board of tasks.boards) tasks.every(40, () => tasks.turn(board));
    tasks.every(1_500, () => this.#mischief());
    await tasks.until(faultsMs);
    this.#calm();
    await tasks.until(faultsMs + quietMs);
    tasks.expectAllRun();
    return { placements: tasks.log.placements, grants: tasks.grants, elections: tasks.keepers.terms.size };
  }

  // Faults.

  #mischief(): void {
    const { drained } = this.#tasks;
    if (this.#tasks.isQuiet) return;
    const { random } = this.#world;
    const world = this.#world;
    const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
    const board = pick(this.#tasks.boards);
    const host = world.host(pick(hostNames));
    const what = random();
    if (what < 0.2) board.cut.add(board.home);
    else if (what < 0.3) board.cut.clear();
    else if (what < 0.4) board.home = pick(hostNames);
    else if (what < 0.5) this.#powerOff(board);
    else if (what < 0.6) this.#startBoards();
    else if (what < 0.75) this.#isolate(host);
    else if (what < 0.85) world.heal();
    else if (what < 0.9) this.#powerCut(host);
    else if (what < 0.95) this.#startHosts();
    else if (!drained.delete(board.name)) drained.add(board.name);
    if (random() < 0.3) this.#transfer(pick(hostNames));
  }

  #powerOff(board: TaskBoard): void {
    board.isOn = false;
    board.life++;
  }

  #startBoards(): void {
    for (const board of this.#tasks.boards) if (!board.isOn) board.start();
  }

  #isolate({ name }: Host): void {
    for (const other of hostNames) if (other !== name) this.#world.cut(name, other);
  }

  #powerCut({ name, member }: Host): void {
    if (member !== undefined) this.#world.powerCut(name);
  }

  #startHosts(): void {
    for (const host of this.#world.hosts.values())
      if (host.member === undefined) this.#world.start(host.name);
  }

  #transfer(to: string): void {
    const { leader } = this.#world;
    if (leader === undefined || leader.name === to) return;
    try {
      leader.member!.transfer(to, this.#world.nowMs);
    } catch {
      // Not now.
    }
  }

  #calm(): void {
    this.#tasks.isQuiet = true;
    this.#world.heal();
    this.#startHosts();
    this.#tasks.drained.clear();
    for (const board of this.#tasks.boards) board.cut.clear();
    this.#startBoards();
  }
}
