/**
 * The Raft core alone, a whole group of it on disks in memory, in virtual time: one seed, one run, thousands of steps a second. The messages
 * cross the wire's codec; of the product nothing else is in it. `../full/` has the rest.
 */
import { createHash } from "node:crypto";
import {
  messageFromWire,
  messageToWire,
  publicationFromWire,
  publicationToWire,
} from "../../../../protocols/raft/codec.ts";
import { changesTo, isVoter } from "../../../../protocols/raft/confchange.ts";
import { hostLimits, uncommittedEntriesMax } from "../../../../protocols/raft/node-options.ts";
import type { MemberId, Message, Publication } from "../../../../protocols/raft/types.ts";
import { EntryKind, limits } from "../../../../protocols/raft/types.ts";
import type { Cores } from "../../../protocols/raft/group/member.ts";
import { bytesOf, foundingEntry, Member, productCores } from "../../../protocols/raft/group/member.ts";
import { Agenda } from "../agenda.ts";
import { Random } from "../random.ts";
import { Safety, UnsafeStep } from "../safety.ts";
import { forged } from "./forged.ts";
import { SnapshotCheck } from "./snapshot-check.ts";
import type { CoreSchedule, CoreStep, CoreWeather } from "./weather.ts";
import { endMs, hosts, learners, votingBoards } from "./weather.ts";

export interface CoreOptions {
  readonly cores?: Cores;
  readonly sendsBeforeSync?: boolean;
  /** Whether to end with the last fault, when only safety is of interest; false when not said. */
  readonly endsWithFaults?: boolean;
  /** Told what happens, for people. */
  readonly onNote?: (atMs: number, text: string) => void;
}

export interface CoreResult {
  committed: number;
  leaders: number;
  messages: number;
  publications: number;
  forgeries: number;
  snapshots: number;
  crashes: number;
  forgotten: number;
  votersChanged: number;
  jointChanges: number;
  transfers: number;
  reads: number;
}

/** Throws `UnsafeStep` at the first step that breaks a property. */
export function runCore(schedule: CoreSchedule, options: CoreOptions = {}): CoreResult {
  return new CoreRun(schedule, options).run();
}

interface AskedRead {
  readonly host: Member;
  readonly core: unknown;
  readonly term: number;
  readonly round: number;
  readonly index: number;
  readonly mustSee: number;
}

const publicationsKept = 20;

class CoreRun {
  readonly #schedule: CoreSchedule;
  readonly #options: CoreOptions;
  readonly #weather: CoreWeather;
  readonly #random: Random;
  readonly #safety = new Safety(sha256);
  readonly #snapshots = new SnapshotCheck(this.#safety);
  /** By id; a board that lost its memory is in it under its new one alone. */
  readonly #members = new Map<MemberId, Member>();
  readonly #agenda = new Agenda();
  readonly #result: CoreResult = {
    committed: 0,
    leaders: 0,
    messages: 0,
    publications: 0,
    forgeries: 0,
    snapshots: 0,
    crashes: 0,
    forgotten: 0,
    votersChanged: 0,
    jointChanges: 0,
    transfers: 0,
    reads: 0,
  };
  #reads: AskedRead[] = [];
  /** A one-way link that carries nothing, as `from>to`, and how often it was cut. */
  readonly #cut = new Map<string, number>();
  readonly #syncing = new Set<MemberId>();
  /** Whom each host believes to listen. */
  readonly #listeners = new Map<MemberId, Set<MemberId>>();
  #published: Publication[] = [];
  #noiseEndMs = 0;
  #nowMs = 0;
  #proposed = 0;
  #incarnations = 0;

  constructor(schedule: CoreSchedule, options: CoreOptions) {
    this.#schedule = schedule;
    this.#options = options;
    this.#weather = schedule.weather;
    this.#random = new Random(schedule.seed ^ 0x5eed);
    for (const id of [...hosts, ...votingBoards, ...learners]) this.#create(id);
    for (const member of [...this.#members.values()]) this.#start(member);
  }

  run(): CoreResult {
    for (const { atMs, what, seed } of this.#schedule.steps) {
      this.#agenda.add(atMs, () => this.#perform[what](new Random(seed)));
    }
    this.#agenda.add(this.#schedule.faultsEndMs, () => this.#mend());
    const untilMs = this.#options.endsWithFaults === true ? this.#schedule.faultsEndMs : endMs;
    for (let next = this.#agenda.next(untilMs); next !== undefined; next = this.#agenda.next(untilMs)) {
      this.#nowMs = next.atMs;
      next.run();
      this.#answerReads();
    }
    if (this.#options.endsWithFaults !== true) this.#checkConverged();
    this.#result.committed = this.#safety.committedCount;
    this.#result.leaders = this.#safety.leaderCount;
    return this.#result;
  }

  get #isFaulty(): boolean {
    return this.#nowMs < this.#schedule.faultsEndMs;
  }

  #note(text: string): void {
    this.#options.onNote?.(this.#nowMs, text);
  }

  // Members.

  #create(id: MemberId): Member {
    const member = new Member({
      id,
      isHost: hosts.includes(id),
      isHostId: (other) => hosts.includes(other),
      cores: this.#options.cores ?? productCores,
      timing: { heartbeatMs: 40, electionMinMs: 120, electionMaxMs: 300 },
      random: this.#random.next,
      preVote: this.#weather.preVote,
      checkQuorum: this.#weather.checkQuorum,
      leaseReads: true,
      sendsBeforeSync: this.#options.sendsBeforeSync ?? false,
      events: {
        onSend: (message) => this.#send(message),
        onPublish: (_, publication) => this.#publish(publication),
        onApplied: (applier, entry) => this.#safety.applied(applier.id, entry),
        onRestored: (restored, items) => {
          this.#result.snapshots++;
          this.#snapshots.check(restored, items);
        },
        onViolation: (_, violation) => {
          throw new UnsafeStep("violation reported", violation);
        },
      },
    });
    this.#members.set(id, member);
    // All hosts are founded with the same first entry; boards begin empty.
    if (member.isHost) {
      const entries = [foundingEntry(this.#weather.voters)];
      member.disk.write({
        hardState: { term: 1, vote: undefined },
        truncateFrom: 0,
        entries,
        snapshot: undefined,
      });
      member.disk.sync();
    }
    return member;
  }

  #start(member: Member): void {
    member.start(this.#nowMs);
    const incarnation = member.core;
    if (member.isHost) {
      this.#listeners.set(member.id, new Set());
      for (const id of this.#members.keys()) this.#connect(member, id);
      this.#tickLater(member, incarnation);
    }
    for (const host of hosts) this.#connect(this.#members.get(host)!, member.id);
  }

  #connect(host: Member, id: MemberId): void {
    if (host.node === undefined || host.id === id) return;
    const listens = this.#listens(host, id);
    const listeners = this.#listeners.get(host.id)!;
    if (listens) listeners.add(id);
    else listeners.delete(id);
    this.#after(host, () => host.perform(host.node!.addMember(id, { listens })));
  }

  /** The driver's word (`Node.addMember`): boards that neither vote nor are about to. */
  #listens(host: Member, id: MemberId): boolean {
    return this.#weather.listens && !hosts.includes(id) && !isVoter(host.node!.configuration, id);
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
    this.#check(member);
    this.#reconsiderListeners(member);
  }

  /** After a change of the voters some boards listen no more, and others do. */
  #reconsiderListeners(host: Member): void {
    if (host.node === undefined) return;
    const listeners = this.#listeners.get(host.id)!;
    for (const id of this.#members.keys()) {
      if (listeners.has(id) !== (id !== host.id && this.#listens(host, id))) this.#connect(host, id);
    }
  }

  #check(member: Member): void {
    const { core, node, id, disk, isHost } = member;
    if (core === undefined) return;
    const { commitIndex } = core;
    const leads = node?.role === "leader" ? node.term : undefined;
    const isForgedTo = !isHost && this.#weather.forgeEveryMs < Infinity;
    this.#safety.check({ id, log: disk, commitIndex, leads, trustedTo: isForgedTo ? commitIndex : Infinity });
  }

  #syncLater(host: Member): void {
    const incarnation = host.core;
    this.#syncing.add(host.id);
    this.#agenda.add(
      this.#nowMs + this.#random.between(0, this.#isFaulty ? this.#weather.syncMsMax : 3),
      () => {
        if (host.core !== incarnation) return;
        this.#syncing.delete(host.id);
        host.sync();
        this.#check(host);
        if (host.hasUnsynced) this.#syncLater(host);
      },
    );
  }

  // The network.

  #send(message: Message): void {
    this.#result.messages++;
    this.#travel(() => this.#deliver(message));
  }

  #deliver(message: Message): void {
    const member = this.#members.get(message.to);
    if (!member?.isUp || this.#cut.has(`${message.from}>${message.to}`)) return;
    const received = messageFromWire(messageToWire(message), member.isHost ? hostLimits : limits);
    this.#after(member, () => member.receive(received, this.#nowMs));
  }

  /** To every board on its own way, as through a broker; also to those that vote, which must pass it over. */
  #publish(publication: Publication): void {
    this.#published = [...this.#published.slice(1 - publicationsKept), publication];
    this.#result.publications++;
    for (const id of this.#members.keys()) {
      if (!hosts.includes(id)) this.#travel(() => this.#hear(id, publication));
    }
  }

  #hear(id: MemberId, publication: Publication): void {
    const member = this.#members.get(id);
    if (!member?.isUp || this.#cut.has(`${publication.from}>${id}`)) return;
    const received = publicationFromWire(publicationToWire(publication));
    this.#after(member, () => member.hear(received));
  }

  #travel(arrive: () => void): void {
    const isNoisy = this.#isFaulty && this.#nowMs < this.#noiseEndMs;
    const { loss, repeat, slow, slowMsMax } = this.#weather;
    const copies = isNoisy && this.#random.chance(repeat) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (isNoisy && this.#random.chance(loss)) continue;
      const isSlow = isNoisy && this.#random.chance(slow);
      const delayMs = isSlow ? this.#random.between(8, slowMsMax) : this.#random.between(1, 8);
      this.#agenda.add(this.#nowMs + delayMs, arrive);
    }
  }

  // Steps.

  readonly #perform: { readonly [What in CoreStep]: (random: Random) => void } = {
    propose: (random) => this.#forLeaders(random, (host) => this.#propose(host, random)),
    change: (random) => this.#forLeaders(random, (host) => this.#change(host, random)),
    transfer: (random) => this.#forLeaders(random, (host) => this.#transfer(host, random)),
    compact: (random) => this.#compact(random),
    crash: (random) => this.#crash(this.#victim(random), random),
    blackout: (random) => this.#blackout(random),
    cut: (random) => this.#cutLinks(this.#victim(random), random),
    noise: (random) => this.#makeNoise(random),
    forge: (random) => this.#forge(random),
    forget: (random) => this.#forget(random),
  };

  #victim(random: Random): Member {
    const members = [...this.#members.values()];
    const leader = members.find((member) => member.node?.role === "leader");
    const isLeaderHit = random.chance(this.#weather.leaderCrashShare);
    const any = random.pick(members);
    return isLeaderHit && leader !== undefined ? leader : any;
  }

  /** Every host that believes it leads is asked. */
  #forLeaders(random: Random, ask: (host: Member) => void): void {
    for (const id of hosts) {
      const host = this.#members.get(id)!;
      if (host.node?.role !== "leader") continue;
      if (random.chance(0.2)) this.#after(host, () => this.#read(host));
      if (host.node?.role !== "leader" || host.node.transferringTo !== undefined) continue;
      this.#after(host, () => ask(host));
    }
  }

  #propose(host: Member, random: Random): void {
    const key = `${random.pick(["k", "l", "m"])}${random.between(1, 4)}`;
    const command = `${key}=${this.#proposed++}${"x".repeat(this.#weather.paddingBytes)}`;
    if (host.disk.lastIndex - host.node!.commitIndex >= uncommittedEntriesMax) return;
    host.perform(host.node!.propose(EntryKind.put, bytesOf(command)).output);
  }

  #change(host: Member, random: Random): void {
    const node = host.node!;
    if (!node.isMembershipSettled) return;
    const voters = this.#otherVoters(node.voters, random);
    const changes = changesTo(voters, node.configuration);
    if (changes.length === 0) return;
    this.#note(`${host.id} makes ${voters} of the voters ${node.voters}`);
    this.#result.votersChanged++;
    if (changes.length > 1) this.#result.jointChanges++;
    host.perform(node.change(changes).output);
  }

  /** Those that lost their memory are replaced; else one board more or less; or any others, the leader not excepted, but never no host at all. */
  #otherVoters(voters: readonly MemberId[], random: Random): readonly MemberId[] {
    const alive = voters.map((id) => this.#present(id));
    if (alive.some((id, at) => id !== voters[at])) return [...new Set(alive)];
    const canBePromoted = (id: MemberId) =>
      this.#weather.forgeEveryMs === Infinity || !this.#isLearnerForGood(id);
    if (random.chance(this.#weather.jointShare)) {
      const some = [...this.#members.keys()].filter((id) => random.chance(0.5) && canBePromoted(id));
      const kept = this.#weather.losesHosts
        ? [random.pick(hosts)]
        : voters.filter((id) => hosts.includes(id));
      const others = [...new Set([...kept, ...some])];
      if (others.length !== voters.length || others.some((id) => !voters.includes(id))) return others;
    }
    const boards = [...this.#members.keys()].filter((id) => !hosts.includes(id) && canBePromoted(id));
    const board = random.pick(boards);
    return voters.includes(board) ? voters.filter((id) => id !== board) : [...voters, board];
  }

  #isLearnerForGood(id: MemberId): boolean {
    return learners.includes(nameOf(id));
  }

  /** Who this member is now. */
  #present(id: MemberId): MemberId {
    return [...this.#members.keys()].find((other) => nameOf(other) === nameOf(id))!;
  }

  #transfer(host: Member, random: Random): void {
    const node = host.node!;
    const others = node.voters.filter((id) => id !== node.id && hosts.includes(id));
    if (others.length === 0) return;
    this.#result.transfers++;
    const to = random.pick(others);
    this.#note(`${host.id} passes leadership to ${to}`);
    host.perform(node.transfer(to, this.#nowMs));
  }

  #compact(random: Random): void {
    const member = random.pick([...this.#members.values()]);
    if (!member.isUp || member.appliedIndex === 0) return;
    const index = random.between(Math.max(1, member.disk.firstIndex), Math.max(1, member.appliedIndex));
    if (index > member.appliedIndex || index < member.disk.firstIndex) return;
    member.compact(index, random.pick([0, 2, 10]));
  }

  /** Whatever anybody has committed by now must be seen by this read. */
  #read(host: Member): void {
    const { term, round, index, output } = host.node!.read(this.#nowMs);
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

  #crash(member: Member, random: Random): void {
    if (!member.isUp) return;
    this.#result.crashes++;
    const kept = random.between(0, member.disk.unsyncedCount);
    const downMs = random.between(1, this.#weather.downMsMax);
    const role = member.node?.role ?? "board";
    this.#note(
      `${member.id} (${role}) crashes for ${downMs} ms, ${kept} of ${member.disk.unsyncedCount} writes arrive`,
    );
    member.crash(kept);
    this.#safety.crashed(member.id);
    this.#syncing.delete(member.id);
    this.#agenda.add(this.#nowMs + downMs, () => this.#restart(member));
  }

  /** Boards on one mains circuit, or everything. */
  #blackout(random: Random): void {
    const isBoards = random.chance(0.5);
    for (const member of [...this.#members.values()]) {
      if (!isBoards || !member.isHost) this.#crash(member, random);
    }
  }

  #makeNoise(random: Random): void {
    this.#noiseEndMs = this.#nowMs + random.between(100, 1500);
    this.#note(`noise until ${this.#noiseEndMs} ms`);
  }

  #restart(member: Member): void {
    if (member.isUp || this.#members.get(member.id) !== member) return;
    this.#start(member);
    this.#check(member);
  }

  /** Some links of one member carry nothing for a while, in one direction or both, or all from one half to the other; once, or again and again. */
  #cutLinks(member: Member, random: Random): void {
    const links = random.chance(0.25) ? this.#linksAcross(random) : this.#someLinksOf(member, random);
    const times = random.chance(0.2) ? random.between(2, 6) : 1;
    const forMs = random.between(50, 800);
    this.#note(`${links.join(" ")} carry nothing for ${times} times ${forMs} ms`);
    for (let time = 0; time < times; time++) {
      this.#agenda.add(this.#nowMs + 2 * time * forMs, () => {
        if (!this.#isFaulty) return;
        for (const link of links) this.#cut.set(link, (this.#cut.get(link) ?? 0) + 1);
      });
      this.#agenda.add(this.#nowMs + (2 * time + 1) * forMs, () => {
        for (const link of links) this.#mendLink(link);
      });
    }
  }

  #someLinksOf({ id }: Member, random: Random): string[] {
    const links: string[] = [];
    for (const other of this.#members.keys()) {
      if (other !== id && random.chance(0.7)) links.push(`${id}>${other}`);
      if (other !== id && random.chance(0.7)) links.push(`${other}>${id}`);
    }
    return links;
  }

  /** Between one half and the other. */
  #linksAcross(random: Random): string[] {
    const ids = [...this.#members.keys()];
    const half = new Set(ids.filter(() => random.chance(0.5)));
    return ids.flatMap((from) =>
      ids.filter((to) => half.has(from) !== half.has(to)).map((to) => `${from}>${to}`),
    );
  }

  #mendLink(link: string): void {
    const times = this.#cut.get(link);
    if (times === undefined || times === 1) this.#cut.delete(link);
    else this.#cut.set(link, times - 1);
  }

  #forge(random: Random): void {
    if (this.#published.length === 0) return;
    const publication = forged(random.pick(this.#published), random);
    this.#result.forgeries++;
    for (const id of this.#members.keys()) {
      if (this.#isLearnerForGood(id)) this.#travel(() => this.#hear(id, publication));
    }
  }

  /** A board's flash is lost. Not while another's place among the voters is empty: their majority might be gone for ever. */
  #forget(random: Random): void {
    const boards = [...this.#members.values()].filter(({ isHost }) => !isHost);
    const board = random.pick(boards);
    const mayBeMissed = hosts.every((id) => {
      const host = this.#members.get(id)!;
      if (host.node === undefined) return false;
      const { voters, outgoing } = host.node.configuration;
      const isBig = voters.length >= 3 && (outgoing.length === 0 || outgoing.length >= 3);
      return isBig && [...voters, ...outgoing].every((voter) => this.#members.has(voter));
    });
    if (!mayBeMissed) return;
    this.#result.forgotten++;
    if (board.isUp) board.crash();
    this.#members.delete(board.id);
    const id = `${nameOf(board.id)}.${++this.#incarnations}`;
    this.#note(`${board.id} lost its memory and is ${id} now`);
    this.#start(this.#create(id));
  }

  #mend(): void {
    this.#note("all is mended");
    this.#cut.clear();
    for (const member of this.#members.values()) this.#restart(member);
  }

  /** Liveness once the faults are over and nothing more is proposed: one leader, and everyone has applied its whole log. */
  #checkConverged(): void {
    const leaders = [...this.#members.values()].filter((member) => member.node?.role === "leader");
    if (leaders.length !== 1) throw new UnsafeStep("liveness", `${leaders.length} leaders at the end`);
    const { lastIndex } = leaders[0]!.disk;
    const { committedCount } = this.#safety;
    if (committedCount < lastIndex) {
      throw new UnsafeStep("liveness", `${committedCount} of ${lastIndex} entries are committed`);
    }
    const hash = this.#safety.committedHash(lastIndex);
    for (const member of this.#members.values()) {
      if (member.appliedIndex !== lastIndex) {
        throw new UnsafeStep("liveness", `${member.id} applied ${member.appliedIndex} of ${lastIndex}`);
      }
      const own = Buffer.from(member.disk.hashAt(lastIndex)!).toString("hex");
      if (own !== hash) throw new UnsafeStep("hash chain", `${member.id} ends with ${own}, not ${hash}`);
    }
  }
}

function nameOf(id: MemberId): string {
  return id.split(".")[0]!;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
