/**
 * Hosts that hold tasks, in virtual time: three computers with a clock of their own each, on each a host's process with the Raft, the keeper, the tenure and the desk that ship, and runs
 * of `covey task hold`. Nothing bad happens unless somebody makes it.
 *
 * At every step, of the world's time, no role is carried out by two commands, no two hosts may do the same task, and no token is given twice; whoever takes writes never sees a lower token
 * after a higher one.
 */

import { Failed } from "../../../../host-tools/cli/failure.ts";
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import type { QueryAnswer } from "../../../../host-tools/leader/api/types/queries.ts";
import type { HoldAnswer } from "../../../../host-tools/leader/api/types/tasks.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import type { AggregateTold } from "../../../../host-tools/leader/tasks/aggregations.ts";
import type { AgreedTasks } from "../../../../host-tools/leader/tasks/agreed-tasks.ts";
import type { HoldRequest } from "../../../../host-tools/leader/tasks/hold-request.ts";
import { hostFacts } from "../../../../host-tools/leader/tasks/holder-facts.ts";
import type { HolderFacts } from "../../../../host-tools/leader/tasks/task-keeper.ts";
import { drainedKey, drainedToWire } from "../../../../protocols/tasks/drained.ts";
import type { Leases } from "../../../../protocols/tasks/lease-messages.ts";
import { type Host, HostWorld, smallSizes } from "../../../host-tools/leader/raft/host-world.ts";
import { AgreedLog } from "../agreed-log.ts";
import { Keepers } from "../keepers.ts";
import { Computer } from "./computer.ts";
import { hostNames, hostPlaces, tasks } from "./holder-tasks.ts";
import { HolderWatch } from "./holder-watch.ts";
import { asFailed, HoldingHost } from "./holding-host.ts";
import { RoleProcess } from "./role-process.ts";

/** After which a process gives up its question. */
const answerMs = 5_000;

export class HolderWorld {
  readonly world: HostWorld;
  readonly computers: ReadonlyMap<string, Computer>;
  processes: RoleProcess[] = [];
  readonly drained = new Set<string>();
  readonly log = new AgreedLog();
  readonly keepers: Keepers;
  readonly watch: HolderWatch;
  /** Nothing is held up any more. */
  isQuiet = false;
  readonly #holders = new Map<string, HoldingHost>();

  constructor(seed: number, loss: number) {
    const world = new HostWorld({ seed, hostNames, sizes: smallSizes, loss });
    this.world = world;
    this.computers = new Map(hostNames.map((name) => [name, new Computer(world)]));
    this.keepers = new Keepers({
      ...{ world, tasks, onPropose: undefined },
      holders: (host, agreed) => this.#facts(host, agreed),
      send: (from, holder, leases) => this.#grant(from, holder, leases),
      clockOf:
        ({ name }) =>
        () =>
          this.computer(name).steadyMs(),
    });
    this.watch = new HolderWatch(this);
  }

  async until(endMs: number): Promise<void> {
    while (this.world.nowMs < endMs) {
      this.world.step();
      await new Promise((resolve) => setImmediate(resolve));
      this.log.collect(this.world);
      this.watch.check();
    }
  }

  every(periodMs: number, act: () => void): void {
    const again = () => {
      act();
      this.world.after(periodMs, again);
    };
    this.world.after(Math.floor(this.world.random() * periodMs), again);
  }

  computer(name: string): Computer {
    return this.computers.get(name)!;
  }

  /** The process that runs on a host at this moment, and does something; undefined for none. */
  awake(name: string): HoldingHost | undefined {
    const host = this.world.host(name);
    return this.keepers.isAwake(host) ? this.#holderOf(host) : undefined;
  }

  // What hosts do again and again.

  claimAndWorkOut(): void {
    for (const name of hostNames) {
      const holder = this.awake(name);
      holder?.tenure.run();
      holder?.aggregations.run();
    }
  }

  sayWords(): void {
    const saidMs = this.world.nowMs;
    for (const from of hostNames) {
      const word = this.awake(from)?.word;
      if (word === undefined) continue;
      this.#toOthers(from, (to) => {
        const known = to.words.get(from);
        if (known === undefined || known.saidMs < saidMs) to.words.set(from, { saidMs, word });
      });
    }
  }

  /** The leader sees to it that it is agreed on who is drained. */
  agreeOnDrained(): void {
    const { leader } = this.world;
    if (leader === undefined || !this.keepers.isAwake(leader)) return;
    const { state } = this.keepers.follow(leader);
    const value = encodeCbor(drainedToWire([...this.drained].sort()));
    const present = state.get(drainedKey)?.value;
    if (present instanceof Uint8Array && Buffer.compare(present, value) === 0) return;
    this.world.propose(leader.name, { key: drainedKey, value }).catch(() => {});
  }

  // Processes.

  /** Somebody stands ready for a role from now on. */
  startProcess(name: string, task: string): void {
    const computer = this.computer(name);
    const ask = (body: object) => this.#ask(name, task, body as HoldRequest);
    this.processes = this.processes.filter(({ hasEnded, commands }) => !hasEnded || commands.length > 0);
    this.processes.push(new RoleProcess({ task, computer, ask }));
  }

  processesOf(name: string, task?: string): RoleProcess[] {
    const computer = this.computer(name);
    return this.processes.filter(
      (one) => one.computer === computer && (task === undefined || one.task === task) && !one.hasEnded,
    );
  }

  powerCut(name: string): void {
    for (const process of this.processesOf(name)) process.lose();
    this.computer(name).powerCut();
    if (this.world.host(name).member !== undefined) this.world.powerCut(name);
    this.world.stall(name, 0);
  }

  /** The whole computer: its host, what stands ready there, and the guards. */
  sleep(name: string, durationMs: number): void {
    this.computer(name).sleep(durationMs);
    this.world.stall(name, durationMs);
  }

  /** Over the computer's own network, to the process that the host is at this moment. */
  #ask(name: string, task: string, request: HoldRequest): Promise<HoldAnswer> {
    const computer = this.computer(name);
    const host = this.world.host(name);
    const { member } = host;
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new Failed(`${name} cannot be reached.`, "unreachable"));
      computer.after(answerMs, () => reject(new Failed(`${name} did not answer.`, "timeout")));
      computer.after(this.#delayMs(5), () => {
        if (member === undefined || host.member !== member) return refuse();
        this.#whenAwake(name, member, () => {
          try {
            const answer = this.awake(name)!.hold(task, request);
            computer.after(this.#delayMs(5), () => resolve(answer));
          } catch (error) {
            reject(asFailed(error));
          }
        });
      });
    });
  }

  // Hosts.

  #holderOf(host: Host): HoldingHost {
    const { agreed } = this.keepers.follow(host);
    const { name, member } = host;
    const known = this.#holders.get(name);
    if (known !== undefined && known.member === member) return known;
    const holder = new HoldingHost({
      ...{ host, computer: this.computer(name), agreed },
      claim: (leases) => this.#claim(name, leases),
      tell: (told) => this.#tell(name, told),
      query: (value) => this.#query(host, value),
      onTaken: (token) => this.watch.onTaken(member!, token),
    });
    this.#holders.set(name, holder);
    return holder;
  }

  #facts(host: Host, agreed: AgreedTasks): Map<string, HolderFacts> {
    const own = this.#holderOf(host);
    const facts = new Map<string, HolderFacts>();
    for (const name of hostNames) {
      const word = name === host.name ? own.word : own.words.get(name)?.word;
      const isUp = name === host.name || this.#reaches(host.name, name);
      if (word !== undefined) facts.set(name, hostFacts(name, hostPlaces[name], word, isUp, agreed.drained));
    }
    return facts;
  }

  #claim(from: string, leases: Leases): void {
    const { member } = this.world.host(from);
    const { leaderId } = member!.status(this.world.nowMs);
    if (leaderId === undefined) return;
    const to = nameOf(leaderId);
    const claim = () => this.keepers.follow(this.world.host(to)).keeper.claim(from, leases);
    if (to === from) claim();
    else this.#send(from, to, claim);
  }

  #grant(from: string, holder: string, leases: Leases): void {
    if (from === holder) this.awake(holder)?.tenure.granted(leases);
    else this.#send(from, holder, (to) => to.tenure.granted(leases));
  }

  #tell(from: string, told: AggregateTold): void {
    this.watch.onTold(from, told);
    this.#toOthers(from, (to) => to.aggregations.take(from, told));
  }

  #query({ name, member }: Host, value: number): Promise<QueryAnswer> {
    const answer = { rows: [{ value }] } as unknown as QueryAnswer;
    return new Promise((resolve) =>
      this.world.after(this.#delayMs(400), () => this.#whenAwake(name, member, () => resolve(answer))),
    );
  }

  // On their way.

  #toOthers(from: string, act: (to: HoldingHost) => void): void {
    for (const to of hostNames) if (to !== from) this.#send(from, to, act);
  }

  /** To whichever process the host is by then: more than a connection would bring. */
  #send(from: string, to: string, act: (to: HoldingHost) => void): void {
    if (!this.#reaches(from, to)) return;
    this.world.after(this.#delayMs(100), () => {
      if (!this.#reaches(from, to)) return;
      this.#whenAwake(to, this.world.host(to).member, () => act(this.awake(to)!));
    });
  }

  /** As soon as that process does something; never when it is gone by then. */
  #whenAwake(name: string, member: Host["member"], act: () => void): void {
    const host = this.world.host(name);
    if (member === undefined || host.member !== member) return;
    const delayMs = host.stalledUntilMs - this.world.nowMs;
    if (delayMs <= 0) act();
    else this.world.after(delayMs, () => this.#whenAwake(name, member, act));
  }

  #reaches(from: string, to: string): boolean {
    return this.world.host(to).member !== undefined && !this.world.host(from).cutOff.has(to);
  }

  /** Mostly soon; sometimes what is sent is held up on the way. */
  #delayMs(mostMs: number): number {
    const { random } = this.world;
    const isHeldUp = !this.isQuiet && random() < 0.15;
    return 1 + Math.floor(random() * (isHeldUp ? 20_000 : mostMs));
  }
}
