/**
 * What chance alone does not bring about in as many runs as one cares to wait for: courses of events that are led step by step to the moment in which one mistake would show.
 * All of them end well with the sources as they are; with a violation where the mistake is in them.
 */
import { taskKeeperLimits } from "../../../host-tools/leader/tasks/task-keeper.ts";
import type { Placement } from "../../../protocols/tasks/placement.ts";
import { lapseMs } from "../../../protocols/tasks/placement.ts";
import type { TaskBoard } from "./task-board.ts";
import { TaskViolation } from "./task-violation.ts";
import { leaseMs, TaskWorld } from "./task-world.ts";

export type Scenario = "claimed-while-moved" | "leader-stood-still";

/** Rejects with `TaskViolation`. */
export const scenarios: Readonly<Record<Scenario, (seed: number) => Promise<void>>> = {
  /** A board that was silent asks again at the very moment in which its task is proposed for another, and a majority hears of the question sooner than of the proposal. */
  "claimed-while-moved": async (seed) => {
    const course = new Course(seed);
    const { task, holder } = await course.untilHeld();
    holder.haste = 0;
    holder.cut.add(holder.home);
    let asked = 0;
    course.onPropose = (placement, name) => {
      if (name !== task || placement.token !== 2) return;
      asked++;
      holder.cut.clear();
      course.claim(holder, task, 1);
    };
    await course.untilHeldElsewhere(task, holder);
    if (asked === 0) throw new Error("nobody asked while the task was moved");
    await course.run(lapseMs(leaseMs));
  },

  /**
   * The leader's process stands still, cut from the other hosts, while they elect another one, which gives the task to another board. When it goes on, before it has looked at
   * a clock, it finds a claim of the board that had the task: only a majority could tell it that it leads no more.
   */
  "leader-stood-still": async (seed) => {
    const course = new Course(seed);
    const { task, holder, leader } = await course.untilHeld();
    holder.haste = 0;
    holder.home = leader;
    holder.cut.clear();
    const { world } = course.tasks;
    for (const name of world.hosts.keys()) if (name !== leader) world.cut(leader, name);
    for (const board of course.tasks.boards)
      if (board !== holder && board.home === leader) board.home = course.otherThan(leader);
    // Longer than any election and lease together: nobody but the one that stands still knows of the board.
    holder.cut.add(leader);
    world.stall(leader, 3 * lapseMs(leaseMs));
    await course.untilHeldElsewhere(task, holder);
    world.stall(leader, 0);
    if (!world.host(leader).member!.isLeader) throw new Error("the former leader has seen a clock");
    holder.cut.clear();
    course.claim(holder, task, 1);
    await course.run(leaseMs);
  },
};

class Course {
  readonly tasks: TaskWorld;
  onPropose: ((placement: Placement, task: string) => void) | undefined;

  constructor(seed: number) {
    this.tasks = new TaskWorld({
      ...{ seed, loss: 0 },
      onPropose: (_host, task, placement) => this.onPropose?.(placement, task),
    });
    this.tasks.isQuiet = true;
    this.tasks.world.startAll();
    this.tasks.every(taskKeeperLimits.lookEveryMs, () => this.tasks.keepers.look());
    for (const board of this.tasks.boards) this.tasks.every(40, () => this.tasks.turn(board));
  }

  async run(durationMs: number): Promise<void> {
    await this.tasks.until(this.tasks.world.nowMs + durationMs);
  }

  otherThan(host: string): string {
    return [...this.tasks.world.hosts.keys()].find((name) => name !== host)!;
  }

  /** Until some board runs a task under its first token. */
  async untilHeld(): Promise<{ task: string; holder: TaskBoard; leader: string }> {
    const task = "least-loaded";
    const holder = await this.#until(() => this.tasks.boards.find((board) => board.runs(task)));
    return { task, holder, leader: this.tasks.world.leader!.name };
  }

  async untilHeldElsewhere(task: string, former: TaskBoard): Promise<void> {
    await this.#until(() => this.tasks.boards.find((board) => board !== former && board.runs(task)));
  }

  /** The board asks for `task` now, and whoever it reaches is asked in this moment. */
  claim(board: TaskBoard, task: string, token: number): void {
    const leases = { askedMs: board.nowMs, tasks: [{ task, token }] };
    this.tasks.hear(board, board.home, leases, board.appliedIndex);
  }

  async #until<T>(found: () => T | undefined): Promise<T> {
    const endMs = this.tasks.world.nowMs + 60_000;
    for (;;) {
      const value = found();
      if (value !== undefined) return value;
      if (this.tasks.world.nowMs > endMs) throw new TaskViolation("the task runs nowhere");
      await this.tasks.step();
    }
  }
}
