/**
 * One seed, one run: three hosts, three voting boards and two learners on a network that loses, delays, repeats and reorders, on
 * disks that forget what was not synced. After the faults everything is mended and the group must come to agree.
 */

import { messageFromWire, messageToWire } from "../../../../protocols/raft/codec.ts";
import { changesTo } from "../../../../protocols/raft/confchange.ts";
import type { MemberId, Message, RaftOutput } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import type { Cores } from "../group/member.ts";
import { bytesOf, foundingEntry, Member, productCores } from "../group/member.ts";
import { Agenda } from "./agenda.ts";
import { Random } from "./random.ts";
import { Safety, UnsafeStep } from "./safety.ts";
import { hosts, learners, votingBoards, Weather } from "./weather.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly cores?: Cores;
  readonly sendsBeforeSync?: boolean;
  /** In place of what the seed draws. */
  readonly weather?: Partial<Weather>;
}

export interface SimulationResult {
  readonly committed: number;
  readonly leaders: number;
  readonly messages: number;
  readonly crashes: number;
  readonly votersChanged: number;
  readonly jointChanges: number;
  readonly transfers: number;
  readonly reads: number;
}

const faultsEndMs = 6_000;
const proposalsEndMs = 7_500;
const endMs = 9_500;

/** Throws `UnsafeStep` at the first step that breaks a property. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run();
}

interface AskedRead {
  readonly host: Member;
  readonly core: unknown;
  readonly term: number;
  readonly round: number;
  readonly index: number;
  readonly mustSee: number;
}

class Simulation {
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #safety = new Safety();
  readonly #members = new Map<MemberId, Member>();
  readonly #agenda = new Agenda();
  readonly #result = {
    committed: 0,
    leaders: 0,
    messages: 0,
    crashes: 0,
    votersChanged: 0,
    jointChanges: 0,
    transfers: 0,
    reads: 0,
  };
  #reads: AskedRead[] = [];
  /** A one-way link that carries nothing, as `from>to`. */
  readonly #cut = new Set<string>();
  readonly #syncing = new Set<MemberId>();
  #nowMs = 0;
  #proposed = 0;

  constructor(options: SimulationOptions) {
    this.#random = new Random(options.seed);
    this.#weather = new Weather(this.#random, options.weather);
    for (const id of [...hosts, ...votingBoards, ...learners]) {
      const member = new Member({
        id,
        isHost: hosts.includes(id),
        cores: options.cores ?? productCores,
        timing: { heartbeatMs: 40, electionMinMs: 120, electionMaxMs: 300 },
        random: this.#random.next,
        preVote: this.#weather.preVote,
        checkQuorum: this.#weather.checkQuorum,
        sendsBeforeSync: options.sendsBeforeSync ?? false,
        events: {
          onSend: (message) => this.#send(message),
          onApplied: (applier, entry) => this.#safety.applied(applier, entry),
          onViolation: (_, violation) => {
            throw new UnsafeStep("violation reported", violation);
          },
        },
      });
      this.#members.set(id, member);
      // All hosts are founded with the same first entry; boards begin empty.
      if (member.isHost) {
        const entry = foundingEntry(this.#weather.voters);
        member.disk.write({ hardState: { term: 1, vote: undefined }, truncateFrom: 0, entries: [entry] });
        member.disk.sync();
      }
      this.#start(member);
    }
  }

  run(): SimulationResult {
    this.#agenda.add(0, () => this.#propose());
    this.#agenda.add(0, () => this.#fault());
    let isMended = false;
    for (
      let next = this.#agenda.next();
      next !== undefined && next.atMs <= endMs;
      next = this.#agenda.next()
    ) {
      this.#nowMs = next.atMs;
      if (!isMended && this.#nowMs >= faultsEndMs) {
        isMended = true;
        this.#mend();
      }
      next.run();
      this.#answerReads();
    }
    if (!this.#weather.losesHosts) this.#checkConverged();
    this.#result.committed = this.#safety.committedCount;
    this.#result.leaders = this.#safety.leaderCount;
    return this.#result;
  }

  get #isFaulty(): boolean {
    return this.#nowMs < faultsEndMs;
  }

  #start(member: Member): void {
    member.start(this.#nowMs);
    const incarnation = member.core;
    if (member.isHost) {
      for (const id of this.#members.keys()) this.#addMember(member, id);
      this.#tickLater(member, incarnation);
    }
    for (const host of hosts) this.#addMember(this.#members.get(host), member.id);
  }

  #addMember(host: Member | undefined, id: MemberId): void {
    if (host?.node !== undefined) this.#after(host, () => host.perform(host.node!.addMember(id)));
  }

  #tickLater(host: Member, incarnation: unknown): void {
    const atMs = Math.max(this.#nowMs, host.node!.deadlineMs);
    this.#agenda.add(atMs, () => {
      if (host.core !== incarnation) return;
      this.#after(host, () => host.perform(host.node!.tick(this.#nowMs)));
      this.#tickLater(host, incarnation);
    });
  }

  /** Runs one step of a member, checks it, and lets its disk follow. */
  #after(member: Member, step: () => void): void {
    step();
    // A board's flash is written before the call returns; a host's fsync takes its time, and several steps share it.
    if (!member.isHost) member.sync();
    else if (!this.#syncing.has(member.id)) this.#syncLater(member);
    this.#safety.check(member);
  }

  #syncLater(host: Member): void {
    const incarnation = host.core;
    this.#syncing.add(host.id);
    this.#agenda.add(
      this.#nowMs + this.#random.between(0, this.#isFaulty ? this.#weather.syncMsMax : 3),
      () => {
        this.#syncing.delete(host.id);
        if (host.core !== incarnation) return;
        host.sync();
        this.#safety.check(host);
        if (host.hasUnsynced) this.#syncLater(host);
      },
    );
  }

  #send(message: Message): void {
    this.#result.messages++;
    const copies = this.#isFaulty && this.#random.chance(this.#weather.repeat) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#isFaulty && this.#random.chance(this.#weather.loss)) continue;
      const isSlow = this.#isFaulty && this.#random.chance(this.#weather.slow);
      const delayMs = isSlow ? this.#random.between(8, this.#weather.slowMsMax) : this.#random.between(1, 8);
      this.#agenda.add(this.#nowMs + delayMs, () => this.#deliver(message));
    }
  }

  #deliver(message: Message): void {
    const member = this.#members.get(message.to)!;
    if (!member.isUp || this.#cut.has(`${message.from}>${message.to}`)) return;
    const received = messageFromWire(messageToWire(message));
    this.#after(member, () => member.receive(received, this.#nowMs));
  }

  /** Asks every host that believes it leads, now and then for other voters, another leader, or a read. */
  #propose(): void {
    for (const id of hosts) {
      const host = this.#members.get(id)!;
      if (host.node?.role !== "leader" || !this.#random.chance(0.6)) continue;
      if (this.#random.chance(0.3)) this.#after(host, () => this.#read(host));
      if (host.node?.role !== "leader" || host.node.transferringTo !== undefined) continue;
      this.#after(host, () => host.perform(this.#somethingNew(host.node!)));
    }
    const nextMs = this.#nowMs + this.#random.between(5, this.#weather.proposeMsMax);
    if (nextMs < proposalsEndMs) this.#agenda.add(nextMs, () => this.#propose());
  }

  #somethingNew(node: NonNullable<Member["node"]>): RaftOutput {
    const weather = this.#weather;
    if (this.#isFaulty && this.#random.chance(weather.transferShare)) {
      const others = node.voters.filter((id) => id !== node.id && hosts.includes(id));
      if (others.length > 0) {
        this.#result.transfers++;
        return node.transfer(this.#random.pick(others), this.#nowMs);
      }
    }
    if (this.#isFaulty && this.#random.chance(weather.changeShare) && node.isMembershipSettled) {
      const changes = changesTo(this.#otherVoters(node.voters), node.configuration);
      this.#result.votersChanged++;
      const { output } = node.change(changes);
      if (changes.length > 1) this.#result.jointChanges++;
      return output;
    }
    return node.propose(EntryKind.put, bytesOf(`v${this.#proposed++}`)).output;
  }

  /** One board more or less; or any others, the leader not excepted, but never no host at all. */
  #otherVoters(voters: readonly MemberId[]): readonly MemberId[] {
    if (this.#random.chance(this.#weather.jointShare)) {
      const some = [...this.#members.keys()].filter(() => this.#random.chance(0.5));
      const kept = this.#weather.losesHosts
        ? [this.#random.pick(hosts)]
        : voters.filter((id) => hosts.includes(id));
      const others = [...new Set([...kept, ...some])];
      if (others.length !== voters.length || others.some((id) => !voters.includes(id))) return others;
    }
    const board = this.#random.pick([...votingBoards, ...learners]);
    return voters.includes(board) ? voters.filter((id) => id !== board) : [...voters, board];
  }

  /** Whatever anybody has applied by now must be seen by this read. */
  #read(host: Member): void {
    const { term, round, index, output } = host.node!.read();
    this.#reads.push({ host, core: host.core, term, round, index, mustSee: this.#safety.committedCount });
    host.perform(output);
  }

  #answerReads(): void {
    this.#reads = this.#reads.filter(({ host, core, term, round, index, mustSee }) => {
      const { node } = host;
      if (node === undefined || node !== core || node.role !== "leader" || node.term !== term) return false;
      if (node.confirmedRound < round || host.appliedIndex < index) return true;
      if (host.appliedIndex < mustSee) {
        throw new UnsafeStep("linearizable read", `${host.id} answers at ${index}, ${mustSee} was committed`);
      }
      this.#result.reads++;
      return false;
    });
  }

  #fault(): void {
    if (!this.#isFaulty) return;
    const weather = this.#weather;
    const members = [...this.#members.values()];
    const leader = members.find((member) => member.node?.role === "leader");
    const isLeaderHit = leader !== undefined && this.#random.chance(weather.leaderCrashShare);
    const member = isLeaderHit ? leader : this.#random.pick(members);
    if (this.#random.chance(weather.blackoutShare)) {
      // Boards on one mains circuit, or everything.
      const circuit = this.#random.chance(0.5) ? members.filter((each) => !each.isHost) : members;
      for (const each of circuit) this.#crashAndRestart(each);
    } else if (this.#random.chance(weather.crashShare)) {
      this.#crashAndRestart(member);
    } else {
      this.#cutLinks(member);
    }
    this.#agenda.add(this.#nowMs + this.#random.between(10, weather.faultMsMax), () => this.#fault());
  }

  #crashAndRestart(member: Member): void {
    if (!member.isUp) return;
    this.#result.crashes++;
    member.crash(this.#random.between(0, member.disk.unsyncedCount));
    this.#syncing.delete(member.id);
    this.#safety.check(member);
    this.#agenda.add(this.#nowMs + this.#random.between(1, this.#weather.downMsMax), () =>
      this.#restart(member),
    );
  }

  #restart(member: Member): void {
    if (member.isUp) return;
    this.#start(member);
    this.#safety.check(member);
  }

  /** Some links of one member carry nothing for a while, in one direction or both. */
  #cutLinks(member: Member): void {
    const links: string[] = [];
    for (const other of this.#members.keys()) {
      if (this.#random.chance(0.7)) links.push(`${member.id}>${other}`);
      if (this.#random.chance(0.7)) links.push(`${other}>${member.id}`);
    }
    for (const link of links) this.#cut.add(link);
    this.#agenda.add(this.#nowMs + this.#random.between(50, 800), () => {
      for (const link of links) this.#cut.delete(link);
    });
  }

  #mend(): void {
    this.#cut.clear();
    for (const member of this.#members.values()) this.#restart(member);
  }

  /** Liveness once the faults are over and nothing more is proposed: one leader, and everyone has applied its whole log. */
  #checkConverged(): void {
    const leaders = [...this.#members.values()].filter((member) => member.node?.role === "leader");
    if (leaders.length !== 1) throw new UnsafeStep("liveness", `${leaders.length} leaders at the end`);
    const { lastIndex } = leaders[0]!.disk;
    for (const member of this.#members.values()) {
      if (member.appliedIndex !== lastIndex) {
        throw new UnsafeStep("liveness", `${member.id} applied ${member.appliedIndex} of ${lastIndex}`);
      }
    }
  }
}
