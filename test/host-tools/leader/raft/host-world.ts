/** Several `HostMember`s in virtual time, on disks that lose power, over a network that may lose messages. */
import { HostMember } from "../../../../host-tools/leader/raft/host-member.ts";
import type {
  HostMemberSizes,
  ProposeRequest,
} from "../../../../host-tools/leader/raft/host-member-types.ts";
import type { Committed } from "../../../../host-tools/leader/raft/outcomes.ts";
import { sha256 } from "../../../../host-tools/leader/raft/sha256.ts";
import type { Entry, Message, Publication } from "../../../../protocols/raft/types.ts";
import { SimulatedDisk } from "../../../simulation/raft/simulated-disk.ts";

export interface HostWorldOptions {
  readonly seed: number;
  readonly hostNames: readonly string[];
  readonly sizes?: Partial<HostMemberSizes>;
  /** Share of messages that are lost; 0 when not said. */
  readonly loss?: number;
  /** Disks that answer a sync and make nothing durable. */
  readonly liesAboutSync?: boolean;
}

/** So small that a test fills segments, snapshots and the memory for commands. */
export const smallSizes = {
  segmentBytes: 2000,
  trailingEntries: 8,
  compactionEntries: 32,
  rememberedEntries: 64,
};

export const timing = { heartbeatMs: 100, electionMinMs: 400, electionMaxMs: 800 };

/** One host, up or down. */
export interface Host {
  readonly name: string;
  disk: SimulatedDisk;
  member: HostMember | undefined;
  /** Who cannot be reached, whichever way. */
  readonly cutOff: Set<string>;
  /** What it applied or got in snapshots since it was started. */
  readonly applied: Entry[];
  readonly published: Publication[];
  restored: number;
  stalledUntilMs: number;
}

export class HostWorld {
  nowMs = 0;
  readonly hosts = new Map<string, Host>();
  readonly violations: string[] = [];
  readonly failures: Error[] = [];
  /** What was applied anywhere, by index: everyone must apply the same. */
  readonly agreed = new Map<number, string>();
  readonly random: () => number;
  readonly #options: HostWorldOptions;
  #agenda: { atMs: number; number: number; act: () => void }[] = [];
  #number = 0;

  constructor(options: HostWorldOptions) {
    this.#options = options;
    this.random = seeded(options.seed);
    for (const name of options.hostNames) {
      const disk = this.newDisk();
      const fresh = {
        name,
        disk,
        member: undefined,
        cutOff: new Set<string>(),
        applied: [],
        published: [],
        restored: 0,
        stalledUntilMs: 0,
      };
      this.hosts.set(name, fresh);
    }
  }

  get leader(): Host | undefined {
    const leaders = [...this.hosts.values()].filter(({ member }) => member?.isLeader === true);
    return leaders.sort((a, b) => this.status(a).term - this.status(b).term).at(-1);
  }

  host(name: string): Host {
    return this.hosts.get(name)!;
  }

  member(name: string): HostMember {
    const { member } = this.host(name);
    if (member === undefined) throw new Error(`${name} is down.`);
    return member;
  }

  status(host: Host) {
    return host.member!.status(this.nowMs);
  }

  newDisk(): SimulatedDisk {
    return new SimulatedDisk({
      schedule: (complete) => this.after(1 + Math.floor(this.random() * 3), complete),
      liesAboutSync: this.#options.liesAboutSync === true,
    });
  }

  /** Starts a host on its disk, founding the group if it is the first and `mayFound`. */
  start(name: string, mayFound = false): HostMember {
    const host = this.host(name);
    host.applied.length = 0;
    const member: HostMember = HostMember.open({
      hostName: name,
      hostNames: this.#options.hostNames,
      mayFound,
      disk: host.disk,
      sha256,
      random: this.random,
      timing,
      nowMs: this.nowMs,
      ...(this.#options.sizes === undefined ? {} : { sizes: this.#options.sizes }),
      events: {
        send: (message) => this.#send(host, message),
        publish: (publication) => host.published.push(publication),
        onApplied: (entries) => this.#applied(host, entries),
        onRestored: () => host.restored++,
        onViolation: (violation) => this.violations.push(`${name}: ${violation}`),
        onFailure: (error) => this.failures.push(error),
      },
    });
    host.member = member;
    member.start(this.nowMs);
    for (const other of this.hosts.values()) {
      if (other === host || other.member === undefined) continue;
      member.addMember(other.member.id);
      other.member.addMember(member.id);
    }
    this.#wake(host);
    return member;
  }

  startAll(): void {
    for (const name of this.hosts.keys()) this.start(name, name === this.#options.hostNames[0]);
  }

  /** The power fails; the host is down until it is started again. */
  powerCut(name: string): void {
    const host = this.host(name);
    host.disk = host.disk.powerCut(this.random);
    this.#down(host);
  }

  /** The process dies; what it wrote is there, durable or not. */
  processCrash(name: string): void {
    const host = this.host(name);
    host.disk = host.disk.processCrash();
    this.#down(host);
  }

  /** A new, empty disk. */
  loseDisk(name: string): void {
    const host = this.host(name);
    host.disk.powerCut(this.random);
    host.disk = this.newDisk();
    this.#down(host);
  }

  /** The process stands still: it reads nothing and its timers wait, and when it goes on it does not know that it stood. */
  stall(name: string, durationMs: number): void {
    this.host(name).stalledUntilMs = this.nowMs + durationMs;
  }

  /** No message between them. */
  cut(a: string, b: string): void {
    this.host(a).cutOff.add(b);
    this.host(b).cutOff.add(a);
  }

  heal(): void {
    for (const host of this.hosts.values()) host.cutOff.clear();
  }

  propose(name: string, request: ProposeRequest): Promise<Committed> {
    const { member } = this.host(name);
    return new Promise((resolve, reject) => {
      if (member === undefined) reject(new Error(`${name} is down.`));
      member?.propose(request, this.nowMs, (outcome) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome),
      );
    });
  }

  /** Proposes and runs until it is answered. */
  async settled(name: string, request: ProposeRequest): Promise<Committed | Error> {
    let outcome: Committed | Error | undefined;
    this.member(name).propose(request, this.nowMs, (answer) => {
      outcome = answer;
    });
    this.until(() => outcome !== undefined, 10_000);
    return outcome!;
  }

  after(delayMs: number, act: () => void): void {
    this.#agenda.push({ atMs: this.nowMs + delayMs, number: this.#number++, act });
  }

  /** Does the next thing that is due. */
  step(): void {
    let first = 0;
    for (let i = 1; i < this.#agenda.length; i++) {
      const a = this.#agenda[i]!;
      const b = this.#agenda[first]!;
      if (a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number)) first = i;
    }
    const [next] = this.#agenda.splice(first, 1);
    if (next === undefined) throw new Error("Nothing is due any more.");
    this.nowMs = next.atMs;
    next.act();
    for (const host of this.hosts.values())
      if (host.disk.isDead && host.member !== undefined) this.powerCut(host.name);
  }

  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    this.after(durationMs, () => {});
    while (this.nowMs < endMs) this.step();
  }

  until(isSo: () => boolean, withinMs = 30_000): void {
    const endMs = this.nowMs + withinMs;
    while (!isSo()) {
      if (this.nowMs > endMs) throw new Error(`Not within ${withinMs} ms: ${isSo}`);
      this.step();
    }
  }

  untilLeader(): HostMember {
    this.until(() => this.leader !== undefined && this.status(this.leader).commitIndex > 0);
    return this.leader!.member!;
  }

  #down(host: Host): void {
    const { member } = host;
    host.member = undefined;
    if (member === undefined) return;
    for (const other of this.hosts.values()) other.member?.removeMember(member.id);
  }

  #send(from: Host, message: Message): void {
    // What a host says after its power went, nobody hears.
    if (from.disk.isDead || this.random() < (this.#options.loss ?? 0)) return;
    const sender = from.member;
    this.after(1 + Math.floor(this.random() * 4), () => {
      const to = [...this.hosts.values()].find(({ member }) => member?.id === message.to);
      if (to === undefined || to.cutOff.has(from.name) || from.member !== sender) return;
      const receiver = to.member;
      this.#awake(to, () => {
        if (to.member === receiver) receiver!.receive(message, this.nowMs);
      });
    });
  }

  /** At once, or when it stands still no more. */
  #awake(host: Host, act: () => void): void {
    const delayMs = host.stalledUntilMs - this.nowMs;
    if (delayMs <= 0) act();
    else this.after(delayMs, () => this.#awake(host, act));
  }

  #applied(host: Host, entries: readonly Entry[]): void {
    if (host.disk.isDead) return;
    host.applied.push(...entries);
    for (const { index, term, kind, data } of entries) {
      const what = `${term} ${kind} ${[...data]}`;
      const before = this.agreed.get(index);
      if (before !== undefined && before !== what)
        throw new Error(`${host.name} applied another entry ${index}.`);
      this.agreed.set(index, what);
    }
  }

  #wake(host: Host): void {
    const { member } = host;
    const delayMs = Math.min(Math.max(1, member!.deadlineMs - this.nowMs), 20);
    this.after(delayMs, () =>
      this.#awake(host, () => {
        if (host.member !== member) return;
        member!.tick(this.nowMs);
        this.#wake(host);
      }),
    );
  }
}

/** Whether all are up, vote, and have applied the same. */
export function converged(world: HostWorld): boolean {
  const hosts: Host[] = [...world.hosts.values()];
  if (world.leader === undefined || hosts.some(({ member }) => member === undefined)) return false;
  const { commitIndex, lastIndex, voters } = world.status(world.leader);
  const same = hosts.every(({ member }) => member!.appliedIndex === lastIndex);
  return commitIndex === lastIndex && voters.length === hosts.length && same;
}

/** Mulberry32: shares from 0 up to, but not including, 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
