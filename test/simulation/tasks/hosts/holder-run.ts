/**
 * Hosts that hold tasks under faults: they are cut from each other, killed, stand still, sleep, are drained, and somebody sets their clocks; what stands ready for roles is killed, stands still,
 * and is started again; leadership is handed over, and what is sent is late by up to twenty seconds. When all is well again, every task is carried out.
 */
import { taskKeeperLimits } from "../../../../host-tools/leader/tasks/task-keeper.ts";
import { hostNames, roles } from "./holder-tasks.ts";
import { HolderWorld } from "./holder-world.ts";

export interface HolderRunResult {
  /** Placements of any task, the first one of each included. */
  readonly placements: number;
  /** Of roles, in which a command ran. */
  readonly tenures: number;
  /** Aggregates that a host took. */
  readonly taken: number;
  readonly elections: number;
}

const faultsMs = 120_000;
const quietMs = 40_000;
const mischiefEveryMs = 1_000;
/** As long as a process waits for an answer, it does not look at its clock. */
const clockUnseenMsMax = 6_000;

/** Runs one seed. Rejects with `TaskViolation`. */
export async function runHolders(seed: number): Promise<HolderRunResult> {
  return new HolderRun(seed).run();
}

class HolderRun {
  readonly #holders: HolderWorld;
  readonly #wallSetMs = new Map(hostNames.map((name) => [name, -Infinity]));
  readonly #mischiefs: readonly (readonly [weight: number, act: (host: string, role: string) => void])[];

  constructor(seed: number) {
    const holders = new HolderWorld(seed, 0.01);
    this.#holders = holders;
    const { world, drained } = holders;
    const upTo = (mostMs: number) => Math.floor(world.random() * mostMs);
    this.#mischiefs = [
      [10, (host) => this.#isolate(host)],
      [4, (host, role) => world.cut(host, this.#otherThan(host, role.length))],
      [10, () => world.heal()],
      [4, (host) => holders.powerCut(host)],
      [7, (host) => this.#kill(host)],
      [12, () => this.#startAll()],
      [8, (host) => this.#stall(host, upTo(20_000))],
      [6, (host) => this.#sleep(host, upTo(30_000))],
      [3, (host) => this.#setWall(host, upTo(120_000) - 60_000)],
      [8, (host) => drained.delete(host) || drained.add(host)],
      [6, (host, role) => holders.processesOf(host, role)[0]?.kill()],
      [8, (host, role) => holders.processesOf(host, role)[0]?.freeze(upTo(15_000))],
      [3, (host, role) => holders.processesOf(host, role)[0]?.interrupt()],
      [4, (host, role) => this.#startSecond(host, role)],
      [12, (host) => this.#handOver(host)],
    ];
  }

  async run(): Promise<HolderRunResult> {
    const holders = this.#holders;
    const { world, watch, keepers, log } = holders;
    world.startAll();
    this.#startAll();
    holders.every(taskKeeperLimits.lookEveryMs, () => keepers.look());
    holders.every(250, () => holders.claimAndWorkOut());
    holders.every(500, () => holders.sayWords());
    holders.every(500, () => holders.agreeOnDrained());
    holders.every(mischiefEveryMs, () => this.#mischief());
    await holders.until(faultsMs);
    holders.isQuiet = true;
    world.heal();
    holders.drained.clear();
    holders.every(1_000, () => this.#startAll());
    await holders.until(faultsMs + quietMs);
    watch.judge();
    return {
      ...{ placements: log.placements, tenures: watch.tenures },
      ...{ taken: watch.taken, elections: keepers.terms.size },
    };
  }

  // Faults.

  #mischief(): void {
    if (this.#holders.isQuiet) return;
    const { random } = this.#holders.world;
    const host = hostNames[Math.floor(random() * hostNames.length)]!;
    const role = roles[Math.floor(random() * roles.length)]!;
    let left = random() * this.#mischiefs.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of this.#mischiefs) {
      left -= weight;
      if (left >= 0) continue;
      act(host, role);
      return;
    }
  }

  #otherThan(host: string, number: number): string {
    return hostNames.filter((name) => name !== host)[number % 2]!;
  }

  #isolate(host: string): void {
    for (const other of hostNames) if (other !== host) this.#holders.world.cut(host, other);
  }

  #stall(host: string, durationMs: number): void {
    if (!this.#holders.computer(host).isAsleep) this.#holders.world.stall(host, durationMs);
  }

  #sleep(host: string, durationMs: number): void {
    const { world } = this.#holders;
    if (world.nowMs >= this.#wallSetMs.get(host)! + clockUnseenMsMax) this.#holders.sleep(host, durationMs);
  }

  /** While every process there goes on, and notices: what is set back and sleeps before anybody has looked at a clock knows nothing of it (`LeaseClock`). */
  #setWall(host: string, byMs: number): void {
    const holders = this.#holders;
    if (holders.awake(host) === undefined || holders.processesOf(host).some(({ isFrozen }) => isFrozen))
      return;
    holders.computer(host).setWall(byMs);
    this.#wallSetMs.set(host, holders.world.nowMs);
  }

  /** The host's process alone: what stands ready, and its commands, go on. */
  #kill(host: string): void {
    const { world } = this.#holders;
    if (world.host(host).member === undefined || this.#holders.computer(host).isAsleep) return;
    world.processCrash(host);
    world.stall(host, 0);
  }

  /** What is down: as whoever looks after processes would. */
  #startAll(): void {
    for (const name of hostNames) {
      if (this.#holders.world.host(name).member === undefined) this.#holders.world.start(name);
      for (const role of roles) {
        if (this.#holders.processesOf(name, role).length === 0) this.#holders.startProcess(name, role);
      }
    }
  }

  #startSecond(host: string, role: string): void {
    if (this.#holders.processesOf(host, role).length < 2) this.#holders.startProcess(host, role);
  }

  #handOver(to: string): void {
    const { leader, nowMs } = this.#holders.world;
    if (leader === undefined || leader.name === to) return;
    try {
      leader.member!.transfer(to, nowMs);
    } catch {
      // Not now.
    }
  }
}
