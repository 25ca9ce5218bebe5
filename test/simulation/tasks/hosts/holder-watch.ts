/** Sees what hosts and commands do, and says what must not be. */
import type { AggregateTold } from "../../../../host-tools/leader/tasks/aggregations.ts";
import { boundExcess } from "../../../../protocols/balancing/choose.ts";
import { TaskViolation } from "../task-violation.ts";
import { hostNames, hostPlaces, roles, tasks } from "./holder-tasks.ts";
import type { HolderWorld } from "./holder-world.ts";

export class HolderWatch {
  /** Aggregates that were taken anywhere. */
  taken = 0;
  /** Tenures in which a command ran. */
  tenures = 0;
  readonly #world: HolderWorld;
  /** Of each role, the highest token that its far side has seen. */
  readonly #written = new Map<string, number>();
  /** Of each run of a host's process, the highest token of an aggregate that it took. */
  readonly #takenBy = new WeakMap<object, number>();

  /** Found while a host was at work, which would take an error for its own. */
  #failure: TaskViolation | undefined;

  constructor(world: HolderWorld) {
    this.#world = world;
  }

  /** At every step. Throws what was found in it. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    for (const task of Object.keys(tasks)) {
      const holders = hostNames.filter((name) => this.#world.awake(name)?.tenure.of(task) !== undefined);
      this.#expectAlone(task, holders, "is open on");
    }
    for (const role of roles) this.#checkRole(role);
  }

  /** A host tells what it has worked out. */
  onTold(from: string, { task }: AggregateTold): void {
    const others = hostNames.filter((name) => name !== from);
    const holder = others.find((name) => this.#world.awake(name)?.tenure.of(task) !== undefined);
    if (holder !== undefined)
      this.#failure = this.#violation(task, `is told by ${from} while ${holder} holds it`);
  }

  onTaken(member: object, token: number): void {
    this.taken++;
    const before = this.#takenBy.get(member) ?? 0;
    if (token < before)
      this.#failure = this.#violation("p95", `is taken under token ${token} after ${before}`);
    this.#takenBy.set(member, token);
  }

  /** When all has been well for a while: every task is carried out, where it may be. */
  judge(): void {
    const held = new Map<string, string>();
    for (const task of Object.keys(tasks)) {
      const { requires, aggregate } = tasks[task]!;
      const holder = aggregate === undefined ? this.#runsOn(task)[0] : this.#opensOn(task);
      if (holder === undefined) throw this.#violation(task, "runs nowhere, after all was well again");
      if (!requires.needs.every((need) => hostPlaces[holder]?.has.includes(need)))
        throw this.#violation(task, `runs on ${holder}, which has not what it needs`);
      held.set(task, holder);
    }
    for (const [task, holder] of held) {
      const beside = tasks[task]!.requires.apartFrom.find((other) => held.get(other) === holder);
      if (beside !== undefined) throw this.#violation(task, `runs on ${holder} beside ${beside}`);
      if (tasks[task]!.strategy === "rendezvous") this.#expectWithinBound(holder, [...held.values()]);
    }
  }

  #expectWithinBound(holder: string, holders: readonly string[]): void {
    const load = holders.filter((one) => one === holder).length;
    const bound = Math.ceil(((1 + boundExcess) * holders.length) / hostNames.length);
    if (load > bound) throw new TaskViolation(`${holder} has ${load} tasks, beyond ${bound}.`);
  }

  #checkRole(role: string): void {
    this.#expectAlone(role, this.#runsOn(role), "runs on");
    for (const { task, commands } of this.#world.processes) {
      if (task !== role) continue;
      for (const { token } of commands) {
        const before = this.#written.get(role) ?? 0;
        if (token < before) throw this.#violation(role, `runs under token ${token} after ${before}`);
        if (token > before) this.tenures++;
        this.#written.set(role, token);
      }
    }
  }

  /** Once for each command. */
  #runsOn(role: string): string[] {
    return hostNames.flatMap((name) => {
      const computer = this.#world.computer(name);
      const processes = this.#world.processes.filter((one) => one.task === role && one.computer === computer);
      return processes.flatMap(({ commands }) => commands.map(() => name));
    });
  }

  #opensOn(task: string): string | undefined {
    return hostNames.find((name) => this.#world.awake(name)?.tenure.of(task) !== undefined);
  }

  #expectAlone(task: string, holders: readonly string[], does: string): void {
    if (holders.length > 1) throw this.#violation(task, `${does} ${holders.join(" and ")}`);
  }

  #violation(task: string, what: string): TaskViolation {
    return new TaskViolation(`${task} ${what} at ${this.#world.world.nowMs} ms.`);
  }
}
