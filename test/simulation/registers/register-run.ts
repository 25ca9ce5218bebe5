/**
 * Registers under faults, in virtual time: seven boards, each with the member that ships, over a network that loses, doubles, delays and parts, and a log that hosts keep. Boards lose their power
 * at any moment, also between what they keep and what they send, and at times their memory; hosts come and go; the group changes all the while, by the rules of succession that ship.
 *
 * What must hold: every register is linearizable; no two states of a version are ever chosen, and no request is made twice; what was said not to have happened did not; when all is well
 * again, changes succeed, everybody knows the same, the log's copies are it; and the log's history has every version, unless a board lost the memory of what it had not told.
 */
import { firstGroup } from "../../../protocols/paxos/succession.ts";
import { type Outcome, registerLimits } from "../../../protocols/paxos/types.ts";
import { checkLinearizable } from "../linearizability/check.ts";
import type { HistoryEvent } from "../linearizability/history.ts";
import { Agenda } from "../raft/agenda.ts";
import { Random } from "../raft/random.ts";
import { type Climate, climateOf } from "./climate.ts";
import { Network } from "./network.ts";
import { RegisterViolation, RegisterWatch } from "./register-watch.ts";
import { SimulatedLeader } from "./simulated-leader.ts";
import { SimulatedMember } from "./simulated-member.ts";

export interface RegisterRunResult {
  readonly operations: number;
  readonly done: number;
  readonly conflicts: number;
  readonly unknown: number;
  readonly epochs: number;
  readonly versions: number;
  readonly powerCuts: number;
  readonly disksLost: number;
  readonly messages: number;
}

export interface RegisterRunOptions {
  readonly faultsMs: number;
  /** Boards lose their memory too. */
  readonly losesDisks: boolean;
}

const boardNames = ["b1", "b2", "b3", "b4", "b5", "b6", "b7"];
const stable = ["r1", "r2"];
const initial = "start";
const quietMs = 40_000;

/** Runs one seed. Throws `RegisterViolation`. */
export function runRegisters(seed: number, options?: Partial<RegisterRunOptions>): RegisterRunResult {
  return new RegisterRun(seed, { faultsMs: 45_000, losesDisks: seed % 2 === 0, ...options }).run();
}

class RegisterRun {
  readonly #agenda = new Agenda();
  readonly #random: Random;
  readonly #options: RegisterRunOptions;
  readonly #network: Network;
  readonly #watch = new RegisterWatch();
  readonly #leader: SimulatedLeader;
  readonly #members = new Map<string, SimulatedMember>();
  readonly #history: HistoryEvent[] = [];
  readonly #counts = { operations: 0, done: 0, conflicts: 0, unknown: 0, powerCuts: 0, disksLost: 0 };
  readonly #climate: Climate;
  #nowMs = 0;
  #values = 0;
  #isQuiet = false;

  constructor(seed: number, options: RegisterRunOptions) {
    this.#random = new Random(seed);
    this.#options = options;
    this.#climate = climateOf(this.#random);
    this.#network = new Network(this.#random, this.#climate, (delayMs, run) => this.#in(delayMs, run));
    const ids = boardNames.slice(0, this.#random.pick([3, 3, 5])).map((name) => `${name}.1`);
    const group = firstGroup(1, ids, declaredNow(false));
    this.#leader = new SimulatedLeader(group, this.#watch);
    for (const name of boardNames) this.#members.set(name, this.#member(name));
    for (const key of stable) {
      const event = { process: 0, f: "write" as const, key, value: initial, time: 0 };
      this.#history.push({ ...event, type: "invoke" }, { ...event, type: "ok" });
    }
  }

  run(): RegisterRunResult {
    const { faultsMs } = this.#options;
    for (const member of this.#members.values()) {
      member.boot();
      this.#every(200, () => this.#linkToHosts(member));
      this.#every(60, () => this.#client(member));
    }
    this.#every(250, () => this.#keepGroup());
    this.#every(900, () => this.#weather());
    this.#until(faultsMs);
    this.#isQuiet = true;
    this.#network.heal();
    this.#leader.isUp = true;
    for (const member of this.#members.values()) member.isLinked = true;
    for (const member of this.#members.values()) if (!member.isOn) member.boot();
    this.#until(faultsMs + quietMs);
    this.#judge();
    const { epoch } = this.#leader.group;
    const versions = this.#watch.versions;
    return { ...this.#counts, epochs: epoch, versions, messages: this.#network.messages };
  }

  #member(name: string): SimulatedMember {
    return new SimulatedMember(name, {
      random: this.#random,
      log: this.#leader.log,
      watch: this.#watch,
      nowMs: () => this.#nowMs,
      later: (delayMs, run) => this.#in(delayMs, run),
      climate: this.#climate,
      chance: (probability) => !this.#isQuiet && this.#random.chance(probability),
      send: (from, to, bytes) => this.#network.send(from, to, bytes, () => this.#deliver(from, to, bytes)),
      tell: (outcome) => this.#onOutcome(name, outcome),
      onPowerCut: () => {
        this.#counts.powerCuts++;
        this.#forget(name);
        this.#in(this.#random.between(10, this.#climate.offMsMax), () => {
          const member = this.#members.get(name)!;
          if (!member.isOn) member.boot();
        });
      },
    });
  }

  #deliver(from: string, to: string, bytes: Uint8Array): void {
    this.#members.get(to)!.take(from, bytes);
  }

  /** What a board and the leader have to say to each other, while both are there. */
  #linkToHosts(member: SimulatedMember): void {
    if (!member.isOn || !member.isLinked || !this.#leader.isUp) return;
    this.#leader.hello(member.name, member.memberId);
    if (this.#isQuiet || this.#random.chance(this.#climate.sync)) member.sync();
    if (!member.isOn) return;
    const lose = (): boolean => !this.#isQuiet && this.#random.chance(0.2);
    const delayMs = (): number => this.#random.between(1, this.#isQuiet ? 30 : 600);
    for (const report of member.reports()) {
      if (lose()) continue;
      this.#in(delayMs(), () => {
        if (!this.#leader.isUp) return;
        const recorded = this.#leader.onReport(report);
        if (recorded.length > 0 && !lose()) this.#in(delayMs(), () => member.onRecorded(recorded));
      });
    }
  }

  #keepGroup(): void {
    if (!this.#leader.isUp) return;
    const isTime = this.#random.chance(this.#isQuiet ? 0 : this.#climate.groupChange);
    const ids = boardNames.map((name) => this.#leader.idOf(name) ?? `${name}.1`);
    if (this.#leader.hasLostMember() || isTime) {
      const count = this.#random.pick([3, 3, 5, 7]);
      const chosen = shuffled(ids, this.#random).slice(0, count);
      this.#leader.want(chosen, declaredNow(this.#random.chance(0.5)));
    }
    this.#leader.step();
  }

  #weather(): void {
    if (this.#isQuiet) return;
    const random = this.#random;
    this.#network.change();
    if (random.chance(0.15)) this.#leader.isUp = !this.#leader.isUp;
    if (random.chance(0.1)) this.#leader.forget();
    for (const member of this.#members.values()) {
      if (random.chance(0.2)) member.isLinked = random.chance(0.7);
      if (random.chance(this.#climate.powerCut)) member.cutPower();
      else if (this.#options.losesDisks && random.chance(0.01) && this.#leader.bearsLossOf(member.memberId)) {
        this.#counts.disksLost++;
        member.cutPower();
        member.loseDisk();
        // The leader learns of it when the board is back; until then no other may be lost.
        this.#leader.onDiskLost(member.name);
      }
    }
  }

  #client(member: SimulatedMember): void {
    if (!member.isOn || member.pending !== undefined || !this.#random.chance(this.#climate.pace)) return;
    if (this.#nowMs > this.#options.faultsMs + quietMs / 2) return;
    const random = this.#random;
    const register = random.pick(stable);
    const draw = random.next();
    const known = member.known(register);
    const isRead = draw < 0.3;
    const isConditional = !isRead && draw < 0.65 && known !== undefined;
    const value = isRead ? undefined : `${member.name}-${++this.#values}`;
    const change = {
      ...{ register, value, request: random.seed(), atMs: this.#nowMs },
      ifVersion: isConditional ? known.state.version : undefined,
      deadlineMs: this.#nowMs + random.between(500, 6_000),
    };
    const process = ++this.#counts.operations;
    const expected = known?.state.value as string;
    const event = isRead
      ? { process, f: "read" as const, key: register, value: null }
      : isConditional
        ? { process, f: "cas" as const, key: register, value: [expected, value!] as const }
        : { process, f: "write" as const, key: register, value: value! };
    this.#history.push({ ...event, type: "invoke", time: this.#nowMs });
    member.pending = { change, event };
    member.propose(change);
    // Whoever has heard nothing asks again, with the same request.
    const { boots, outcomes } = member;
    if (random.chance(0.3)) {
      this.#in(random.between(50, 1_200), () => {
        const isRemembered = member.outcomes - outcomes <= registerLimits.outcomesMax;
        if (member.boots === boots && isRemembered) member.propose(change);
      });
    }
  }

  #onOutcome(name: string, outcome: Outcome): void {
    const member = this.#members.get(name)!;
    const { pending } = member;
    if (pending?.change.request !== outcome.request) return;
    member.pending = undefined;
    this.#watch.onOutcome(name, pending.change, outcome);
    const { event } = pending;
    const time = this.#nowMs;
    if (outcome.kind === "done") {
      this.#counts.done++;
      const value = event.f === "read" ? (outcome.state!.value as string) : event.value;
      this.#history.push({ ...event, value, type: "ok", time });
    } else if (outcome.kind === "unknown") {
      this.#counts.unknown++;
      this.#history.push({ ...event, type: "info", time });
    } else {
      if (outcome.kind === "conflict") this.#counts.conflicts++;
      this.#history.push({ ...event, type: "fail", time, refused: outcome.kind === "conflict" });
    }
  }

  /** The power failed: whoever asked there never hears. */
  #forget(name: string): void {
    const member = this.#members.get(name)!;
    if (member.pending !== undefined) {
      this.#history.push({ ...member.pending.event, type: "info", time: this.#nowMs });
    }
    member.pending = undefined;
  }

  #judge(): void {
    const verdict = checkLinearizable(this.#history, 10_000);
    if (verdict.kind !== "linearizable") {
      const [fault] = verdict.faults;
      throw new RegisterViolation(`not linearizable: ${JSON.stringify(fault ?? verdict.undecidedKeys)}`);
    }
    this.#watch.judge(this.#counts.disksLost === 0, this.#leader, [...this.#members.values()], stable);
  }

  #in(delayMs: number, run: () => void): void {
    this.#agenda.add(this.#nowMs + Math.max(0, delayMs), run);
  }

  #every(periodMs: number, run: () => void): void {
    this.#in(this.#random.between(1, periodMs), () => {
      run();
      this.#every(periodMs, run);
    });
  }

  #until(untilMs: number): void {
    for (;;) {
      const next = this.#agenda.next(untilMs);
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }
}

/** `r3` comes and goes. */
function declaredNow(hasThird: boolean): Parameters<typeof firstGroup>[2] {
  const names = hasThird ? [...stable, "r3"] : stable;
  return names.map((name) => ({
    definition: { name, kind: "text" as const, min: 0, max: 0 },
    initial,
  }));
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.between(0, left.length - 1), 1)[0]!);
}
