/** A whole swarm under faults: what a schedule says happens to it, clients use it, and after each step all that must hold is checked. */
import { votersKey } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { decodeCbor } from "../../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../../protocols/cbor/encode.ts";
import type { Program } from "../../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../../protocols/pipeline/program-codec.ts";
import { isJoint, membersOf } from "../../../../protocols/raft/confchange.ts";
import type { Entry } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { rosterKey } from "../../../../protocols/security/identity/roster.ts";
import { commandFromWire } from "../../../../protocols/state/codec.ts";
import type { StateValue } from "../../../../protocols/state/command.ts";
import { programKeyPrefix } from "../../../../protocols/state/command.ts";
import { adoptionFromData, draftKeyPrefix } from "../../../../protocols/state/draft.ts";
import { checkLinearizable, faultToText } from "../../linearizability/check.ts";
import type { HistoryEvent } from "../../linearizability/history.ts";
import { historyToText } from "../../linearizability/history.ts";
import type { Watching } from "../engine.ts";
import { Random } from "../random.ts";
import { UnsafeStep } from "../safety.ts";
import { Client } from "./client.ts";
import { removePieces } from "./drafting.ts";
import { Forgeries } from "./forgeries.ts";
import { Observer } from "./observer.ts";
import { Outcasts } from "./outcasts.ts";
import type { SimulatedBoard } from "./simulated-board.ts";
import type { SimulatedHost } from "./simulated-host.ts";
import { SimulatedSwarm } from "./simulated-swarm.ts";
import { SwarmTasks } from "./swarm-tasks.ts";
import type { FullSchedule, FullStep, FullWeather } from "./weather.ts";
import { convergeMs } from "./weather.ts";

export interface FullResult {
  committed: number;
  leaders: number;
  operations: number;
  acknowledged: number;
  hostCrashes: number;
  boardCrashes: number;
  snapshotsOnHosts: number;
  snapshotsOnBoards: number;
  disksLost: number;
  flashesLost: number;
  transfers: number;
  votersChanged: number;
  /** Messages between boards and hosts that something was done to. */
  mischief: number;
  /** Records that were sealed. */
  sealed: number;
  forgeries: number;
  revoked: number;
  sleeps: number;
  draftsBegun: number;
  draftsAdopted: number;
  /** By a client that had no good answer. */
  draftsGivenUp: number;
  /** Leaders that died when they had just appended an adoption. */
  leadersLostInDrafts: number;
  /** Boards that lost their power while they adopted one. */
  cutsInDrafts: number;
  /** Of tasks by boards. */
  tenures: number;
  convergedMs: number;
}

/** Throws the first thing that is wrong. */
export function runFull(schedule: FullSchedule, options: FullOptions = {}): FullResult {
  return new FullRun(schedule, options).run();
}

export interface FullOptions extends Watching {
  /** Whether to end with the last fault, when only safety is of interest; false when not said. */
  readonly endsWithFaults?: boolean;
}

/** A host and a board, or two boards. */
const revocationsMax = 2;

const wakeful: Program = {
  pipelines: [{ metric: "load", sensor: "cpu", everyMs: 500, stages: [] }],
  outputs: [],
  rules: [],
};
const wakefulProgram = encodeCbor(programToWire(wakeful));
const sleepyProgram = encodeCbor(programToWire({ ...wakeful, sleep: { awakeMs: 1_000, everyMs: 3_000 } }));

/** Settings beside what the clients write, so that a snapshot has several chunks. */
const largeValue = "v".repeat(100);

class FullRun {
  readonly #schedule: FullSchedule;
  readonly #weather: FullWeather;
  readonly #options: FullOptions;
  readonly #swarm: SimulatedSwarm;
  readonly #observer: Observer;
  readonly #clients: Client[] = [];
  readonly #history: HistoryEvent[] = [];
  readonly #result = {
    hostCrashes: 0,
    boardCrashes: 0,
    disksLost: 0,
    flashesLost: 0,
    transfers: 0,
    votersChanged: 0,
    revoked: 0,
    draftsBegun: 0,
    draftsGivenUp: 0,
    leadersLostInDrafts: 0,
  };
  readonly #outcasts = new Outcasts();
  readonly #tasks: SwarmTasks;
  readonly #forgeries = new Forgeries();
  /** The root's latest. */
  #statement: Uint8Array | undefined;
  #sleepers: readonly string[];
  #processes = 0;
  readonly #draftRandom: Random;
  /** Of each life of a board, the last adoption that it was seen to have before it. */
  readonly #draftsAhead = new WeakMap<object, number>();
  /** Whose leader has removed what was left of drafts. */
  #tidiedTerm = 0;
  /** Names of the boards that the deployment wants to vote. */
  #wanted: readonly string[];

  constructor(schedule: FullSchedule, options: FullOptions) {
    const { weather, seed } = schedule;
    this.#schedule = schedule;
    this.#weather = weather;
    this.#options = options;
    this.#wanted = weather.voters;
    this.#sleepers = weather.sleepers;
    const { compactionEntries, trailingEntries, segmentBytes, rememberedEntries } = weather;
    const sizes = { compactionEntries, trailingEntries, segmentBytes, rememberedEntries };
    this.#observer = new Observer(sizes);
    const observer = this.#observer;
    const swarm: SimulatedSwarm = new SimulatedSwarm({
      seed,
      hosts: weather.hosts,
      boards: weather.boards,
      drift: weather.drift,
      syncMsMax: weather.syncMsMax,
      sizes,
      events: {
        onStep: (host) => {
          observer.onHostStep(host);
          this.#outcasts.onHostStep(host, swarm, observer.safety.committedCount);
        },
        onApplied: (host, entries) => {
          observer.onHostApplied(host, entries);
          for (const entry of entries) this.#noteStatement(entry);
          for (const board of swarm.boards) this.#cutBoardInDraft(board);
        },
        onRestored: (host) => observer.onHostRestored(host),
        onClaim: (host, board, payload) => this.#tasks.onClaim(host, board, payload),
        onLog: (board, text) => this.#tasks.onLog(board, text),
        onOff: (board) => this.#tasks.onOff(board),
        onPowerCut: (board) => observer.onPowerCut(board),
        onTurn: (board) => {
          this.#tasks.check();
          observer.onBoardTurn(board);
          this.#cutBoardInDraft(board);
          this.#outcasts.onBoardTurn(board);
        },
        onBelieved: (forgery) => this.#forgeries.onBelieved(forgery, swarm),
        onViolation: (host, violation) => {
          throw new UnsafeStep("violation reported", `${host.name}: ${violation}`);
        },
        note: (text) => this.#note(text),
      },
    });
    this.#swarm = swarm;
    this.#tasks = new SwarmTasks(swarm, weather.tasks);
    this.#draftRandom = new Random(seed ^ 0xd1af7);
    this.#makeClients(new Random(seed ^ 0xc11e));
  }

  run(): FullResult {
    const swarm = this.#swarm;
    swarm.start();
    this.#deploy();
    for (const { atMs, what, seed } of this.#schedule.steps) {
      swarm.after(atMs, () => this.#perform[what](new Random(seed)));
    }
    const { faultsEndMs } = this.#schedule;
    try {
      swarm.run(faultsEndMs);
      if (this.#options.endsWithFaults !== true) this.#converge();
      this.#checkHistory();
    } finally {
      this.#options.onHistory?.(historyToText(this.#history));
    }
    return {
      committed: this.#observer.safety.committedCount,
      leaders: this.#observer.safety.leaderCount,
      operations: this.#history.length / 2,
      acknowledged: this.#observer.acknowledged,
      snapshotsOnHosts: this.#observer.snapshotsOnHosts,
      snapshotsOnBoards: this.#observer.snapshotsOnBoards,
      ...this.#result,
      draftsAdopted: this.#observer.draftsAdopted,
      cutsInDrafts: this.#observer.cutsInDrafts,
      mischief: swarm.hostile.mischief,
      forgeries: this.#forgeries.count,
      sealed: swarm.ciphers.sealed,
      sleeps: swarm.boards.reduce((sum, { sleeps }) => sum + sleeps, 0),
      tenures: this.#tasks.tenures,
      convergedMs: swarm.nowMs - faultsEndMs,
    };
  }

  /** Once all is mended. */
  #converge(): void {
    const swarm = this.#swarm;
    const { faultsEndMs } = this.#schedule;
    this.#mend();
    swarm.run(
      faultsEndMs + convergeMs,
      () => swarm.nowMs > faultsEndMs + 4_000 && this.#whatIsMissing() === undefined,
    );
    const missing = this.#whatIsMissing();
    if (missing !== undefined) throw new UnsafeStep("liveness", missing);
    for (const host of this.#hosts) this.#observer.checkHostState(host);
    for (const { board } of this.#boards) this.#observer.checkBoardState(board!);
  }

  #note(text: string): void {
    this.#options.onNote?.(this.#swarm.nowMs, text);
  }

  #makeClients(random: Random): void {
    const swarm = this.#swarm;
    const keys = Array.from({ length: this.#weather.keys }, (_, i) => `key-${i}`);
    const surroundings = {
      get nowMs() {
        return swarm.nowMs;
      },
      hosts: swarm.hosts,
      after: (delayMs: number, what: () => void) => swarm.after(delayMs, what),
      delayMs: () => swarm.delayMs(),
      record: (event: HistoryEvent) => void this.#history.push(event),
      newProcess: () => this.#processes++,
      onAcknowledged: (...args: Parameters<Observer["onAcknowledged"]>) =>
        this.#observer.onAcknowledged(...args),
      draftShare: this.#weather.draftShare,
      onDraft: (what: "begun" | "givenUp") => {
        if (what === "begun") this.#result.draftsBegun++;
        else this.#result.draftsGivenUp++;
      },
      onAdopting: (host: SimulatedHost) => this.#cutLeaderInDraft(host),
      onLook: (host: SimulatedHost) => this.#observer.onLook(host),
    };
    for (let i = 0; i < this.#weather.clients; i++) {
      this.#clients.push(new Client(surroundings, new Random(random.seed()), keys));
    }
  }

  /** Says who shall vote, who belongs and who sleeps, again and again until it stands, and writes some settings. */
  #deploy(): void {
    const leader = this.#leader;
    leader?.step((member) => {
      const wanted = this.#wanted.join(",");
      const isWritten = member.state.get(votersKey) === wanted;
      if (!isWritten) member.propose({ key: votersKey, value: wanted }, leader.nowMs, () => {});
      const roster = member.state.get(rosterKey);
      if (this.#statement !== undefined && !isSame(roster, this.#statement))
        member.propose({ key: rosterKey, value: this.#statement }, leader.nowMs, () => {});
      for (const name of this.#weather.sleepers) {
        const key = programKeyPrefix + name;
        const program = this.#sleepers.includes(name) ? sleepyProgram : wakefulProgram;
        if (!isSame(member.state.get(key), program))
          member.propose({ key, value: program }, leader.nowMs, () => {});
      }
      for (let i = 0; i < 12; i++) {
        if (member.state.get(`setting-${i}`) !== undefined) continue;
        member.propose({ key: `setting-${i}`, value: largeValue }, leader.nowMs, () => {});
      }
    });
    if (leader !== undefined) this.#removePieces(leader);
    this.#swarm.after(1_000, () => this.#deploy());
  }

  /** What another leader left of a draft; and at last, what a client left that gave up. */
  #removePieces(leader: SimulatedHost): void {
    const { term } = leader.member!;
    const isIdle = !this.#isFaulty && !this.#clients.some(({ isBusy }) => isBusy);
    if (term !== this.#tidiedTerm || isIdle) removePieces(leader, this.#draftRandom);
    this.#tidiedTerm = term;
  }

  /** Perhaps one that is revoked and does not know it yet, if there is no other. */
  get #leader(): SimulatedHost | undefined {
    const leads = ({ member }: SimulatedHost) => member?.isLeader ?? false;
    return this.#hosts.find(leads) ?? this.#swarm.hosts.find(leads);
  }

  /** Those that belong. */
  get #hosts(): readonly SimulatedHost[] {
    return this.#swarm.hosts.filter(({ name }) => !this.#outcasts.has(name));
  }

  get #boards(): readonly SimulatedBoard[] {
    return this.#swarm.boards.filter(({ name }) => !this.#outcasts.has(name));
  }

  // Steps.

  readonly #perform: { readonly [What in FullStep]: (random: Random) => void } = {
    operate: (random) => random.pick(this.#clients).begin(random),
    "crash-host": (random) => this.#crashHost(this.#someHost(random), random),
    "crash-board": (random) => this.#crashBoard(random.pick(this.#swarm.boards), random),
    blackout: (random) => this.#blackout(random),
    cut: (random) => this.#cut(random),
    noise: (random) => this.#makeNoise(random),
    "slow-disk": (random) => this.#slowDisk(random),
    transfer: (random) => this.#transfer(random),
    voters: (random) => this.#changeVoters(random),
    "lose-flash": (random) => this.#loseFlash(random),
    "lose-disk": (random) => this.#loseDisk(random),
    hostility: (random) => this.#turnHostile(random),
    forge: (random) => this.#forge(random),
    revoke: (random) => this.#revoke(random),
    drain: (random) => this.#drain(random),
  };

  get #isFaulty(): boolean {
    return this.#swarm.nowMs < this.#schedule.faultsEndMs;
  }

  #someHost(random: Random): SimulatedHost {
    const any = random.pick(this.#swarm.hosts);
    return random.chance(this.#weather.leaderShare) ? (this.#leader ?? any) : any;
  }

  #crashHost(host: SimulatedHost, random: Random): void {
    if (host.member === undefined) return;
    const powerFails = random.chance(this.#weather.powerShare);
    const withNotice = !powerFails && random.chance(0.8);
    const downMs = random.between(10, this.#weather.downMsMax);
    const role = host.member.isLeader ? "leader" : "follower";
    this.#note(
      `host ${host.name} (${role}) ${powerFails ? "loses its power" : "is killed"} for ${downMs} ms`,
    );
    this.#result.hostCrashes++;
    host.crash(powerFails, withNotice);
    this.#swarm.after(downMs, () => host.start());
  }

  /** At once, or in the middle of what it writes next. */
  #crashBoard(board: SimulatedBoard, random: Random): void {
    if (!board.isOn) return;
    this.#result.boardCrashes++;
    if (random.chance(0.6)) {
      board.powerOffAfter(random.between(1, 600));
      return;
    }
    const downMs = random.between(10, this.#weather.downMsMax);
    this.#note(`board ${board.name} is off for ${downMs} ms`);
    board.powerOff();
    this.#swarm.after(downMs, () => board.powerOn());
  }

  /** A board that soon has an adoption to apply loses its power in the middle of it; and when it is back, perhaps again. */
  #cutBoardInDraft(each: SimulatedBoard): void {
    const store = each.board?.store;
    if (!this.#isFaulty || this.#weather.draftCutShare === 0 || store === undefined) return;
    const adoption = this.#observer.adoptionBehind(store.appliedIndex);
    if (adoption === undefined || this.#draftsAhead.get(store) === adoption.index) return;
    this.#draftsAhead.set(store, adoption.index);
    if (!this.#draftRandom.chance(this.#weather.draftCutShare)) return;
    this.#result.boardCrashes++;
    each.powerOffAfter(this.#draftRandom.between(1, adoptionFromData(adoption.data).bytes + 300));
  }

  /** The leader has just appended an adoption, and dies. */
  #cutLeaderInDraft(host: SimulatedHost): void {
    const random = this.#draftRandom;
    if (!this.#isFaulty || !random.chance(this.#weather.draftCutShare)) return;
    this.#swarm.after(random.between(0, 30), () => {
      if (host.member?.isLeader !== true) return;
      this.#result.leadersLostInDrafts++;
      this.#crashHost(host, random);
    });
  }

  #blackout(random: Random): void {
    this.#note("blackout");
    const isBoards = random.chance(0.3);
    if (!isBoards) for (const host of this.#swarm.hosts) this.#crashHost(host, random);
    for (const board of this.#swarm.boards) this.#crashBoard(board, random);
  }

  /** One member's ways to others, one way or both, or all from one half to the other; once or again and again. Or a board's connections break. */
  #cut(random: Random): void {
    const { hosts, boards } = this.#swarm;
    if (random.chance(0.3)) {
      const { name } = random.pick(boards);
      this.#note(`board ${name}'s connections break`);
      this.#swarm.breakLinks(name);
      return;
    }
    const names = [...hosts, ...boards].map(({ name }) => name);
    const ways = random.chance(0.25) ? waysAcross(names, random) : this.#someWays(names, random);
    const times = random.chance(0.3) ? random.between(2, 5) : 1;
    const forMs = random.between(200, 6_000 / times);
    this.#note(`nothing passes ${ways.map((way) => way.join(">")).join(" ")}, ${times} times ${forMs} ms`);
    for (let time = 0; time < times; time++) {
      this.#swarm.after(2 * time * forMs, () => {
        if (!this.#isFaulty) return;
        for (const way of ways)
          this.#swarm.cut(...way, Math.min(this.#swarm.nowMs + forMs, this.#schedule.faultsEndMs));
      });
    }
  }

  #someWays(names: readonly string[], random: Random): Way[] {
    const one = random.chance(0.6) ? this.#someHost(random).name : random.pick(names);
    const share = random.chance(0.4) ? 1 : 0.7;
    const ways: Way[] = [];
    for (const other of names) {
      if (other !== one && random.chance(share)) ways.push([one, other]);
      if (other !== one && random.chance(share)) ways.push([other, one]);
    }
    return ways;
  }

  #makeNoise(random: Random): void {
    const { loss, repeat, slow, slowMsMax } = this.#weather;
    const forMs = random.between(500, 5_000);
    this.#note(`noise for ${forMs} ms`);
    this.#swarm.noise = { loss, repeat, slow, slowMsMax };
    this.#swarm.after(forMs, () => {
      this.#swarm.noise = undefined;
    });
  }

  #slowDisk(random: Random): void {
    const forMs = random.between(500, 4_000);
    this.#note(`disks are slow for ${forMs} ms`);
    this.#swarm.syncMsMax = this.#weather.slowSyncMsMax;
    this.#swarm.after(forMs, () => {
      this.#swarm.syncMsMax = this.#weather.syncMsMax;
    });
  }

  #transfer(random: Random): void {
    const leader = this.#leader;
    const others = this.#hosts.filter((host) => host !== leader);
    if (others.length === 0) return;
    const to = random.pick(others).name;
    leader?.step((member) => {
      if (!member.status(leader.nowMs).voters.some((id) => nameOf(id) === to)) return;
      this.#note(`${leader.name} passes leadership to ${to}`);
      this.#result.transfers++;
      member.transfer(to, leader.nowMs);
    });
  }

  /** Some boards are promoted, others demoted: `#deploy` writes it. */
  #changeVoters(random: Random): void {
    // Whoever is gone for good must be replaced first, or two voters might be left, of which it is one.
    if (!this.#isEverybodyPresent) return;
    const count = random.pick([1, 2, 3, 4]);
    const boards = this.#boards.map(({ name }) => name).sort(() => random.next() - 0.5);
    this.#wanted = boards.slice(0, count).sort();
    this.#note(`${this.#wanted} shall vote`);
    this.#result.votersChanged++;
    this.#deploy();
  }

  #loseFlash(random: Random): void {
    const board = random.pick(this.#boards);
    if (!this.#mayLoseVoter(board.name)) return;
    this.#note(`board ${board.name} loses its flash`);
    this.#result.flashesLost++;
    board.powerOff();
    board.eraseFlash();
    this.#swarm.after(random.between(10, this.#weather.downMsMax), () => board.powerOn());
  }

  #loseDisk(random: Random): void {
    const host = this.#someHost(random);
    if (!this.#mayLoseVoter(host.name)) return;
    this.#note(`host ${host.name} loses its disk`);
    this.#result.disksLost++;
    host.crash(true, random.chance(0.5));
    host.loseDisk();
    this.#swarm.after(random.between(10, this.#weather.downMsMax), () => host.start());
  }

  #turnHostile(random: Random): void {
    const forMs = random.between(500, 5_000);
    this.#note(`whoever is between boards and hosts is hostile for ${forMs} ms`);
    this.#swarm.hostile.chance = this.#weather.hostilityShare;
    this.#swarm.after(forMs, () => {
      this.#swarm.hostile.chance = 0;
    });
  }

  #forge(random: Random): void {
    const leader = this.#leader;
    const others = this.#hosts.filter((host) => host !== leader && host.member !== undefined);
    if (leader === undefined || others.length === 0) return;
    this.#forgeries.make(leader, others, random.pick(this.#boards).name, this.#swarm, random);
  }

  /** Somebody belongs no more: a board, which may come back as another one, or a host, for good. */
  #revoke(random: Random): void {
    const { provisioning } = this.#swarm;
    if (provisioning.epoch >= revocationsMax) return;
    const isHost = this.#hosts.length > 1 && random.chance(0.3);
    const { name } = isHost ? random.pick(this.#hosts) : random.pick(this.#boards);
    if (!this.#mayLoseVoter(name)) return;
    this.#note(`${name} is revoked`);
    this.#result.revoked++;
    this.#statement = provisioning.revoke(name);
    const { epoch } = provisioning;
    this.#outcasts.add(name, epoch);
    this.#swarm.ciphers.onRevoked(name, epoch);
    const { boards } = this.#weather;
    this.#wanted = this.#wanted.filter((voter) => voter !== name);
    if (this.#wanted.length === 0) this.#wanted = [boards.find((board) => !this.#outcasts.has(board))!];
    this.#deploy();
    const isReissued = !isHost && random.chance(0.5);
    if (isReissued) this.#swarm.after(random.between(1_000, 8_000), () => this.#reissue(name));
  }

  #drain(random: Random): void {
    const boards = this.#weather.boards.filter(() => random.chance(0.4));
    this.#note(`${boards.length === 0 ? "no board" : boards} shall be without tasks`);
    this.#tasks.drain(boards);
  }

  #noteStatement({ index, kind, data }: Entry): void {
    if (kind !== EntryKind.put) return;
    const { key, value } = commandFromWire(decodeCbor(data));
    if (key !== rosterKey || !(value instanceof Uint8Array)) return;
    const { epoch } = this.#swarm.provisioning.read(value);
    this.#outcasts.onStatement(epoch, index);
  }

  /** Its flash erased, and another identity in it. */
  #reissue(name: string): void {
    this.#note(`${name} gets another identity`);
    const board = this.#swarm.boards.find((each) => each.name === name)!;
    board.powerOff();
    board.eraseFlash();
    this.#swarm.provisioning.reissue(name);
    this.#outcasts.forgive(name);
    this.#swarm.ciphers.onIssued(name);
    board.powerOn();
  }

  /** Whether a majority is left for sure: nobody else is missing for good, and everybody agrees on who votes. */
  #mayLoseVoter(name: string): boolean {
    if (!this.#isEverybodyPresent) return false;
    const wanted = this.#wanted.length + this.#weather.hosts.length;
    return this.#hosts.every((host) => {
      const { configuration, lastIndex } = host.member!.status(host.nowMs);
      const { voters } = configuration;
      if (isJoint(configuration) || lastIndex < 10 || voters.length !== wanted) return false;
      const left = voters.filter((id) => nameOf(id) !== name);
      return left.length * 2 > voters.length && left.some((id) => this.#weather.hosts.includes(nameOf(id)));
    });
  }

  /** All hosts are up, and whoever votes in the eyes of any of them is there. */
  get #isEverybodyPresent(): boolean {
    const present = new Set<string>();
    for (const { member } of this.#hosts) if (member !== undefined) present.add(member.id);
    for (const { board } of this.#boards) if (board !== undefined) present.add(board.memberId);
    return this.#hosts.every((host) => {
      if (host.member === undefined) return false;
      return membersOf(host.member.status(host.nowMs).configuration).every((id) => present.has(id));
    });
  }

  #mend(): void {
    this.#note("all is mended");
    this.#swarm.mend();
    this.#sleepers = [];
    this.#tasks.drain([]);
    for (const host of this.#swarm.hosts) host.start();
    for (const board of this.#swarm.boards) board.powerOn();
  }

  /** What must come true once the faults are over; undefined when it did. */
  #whatIsMissing(): string | undefined {
    const [hosts, boards] = [this.#hosts, this.#boards];
    const leaders = hosts.filter(({ member }) => member?.isLeader);
    if (leaders.length !== 1) return `${leaders.length} leaders`;
    const leader = leaders[0]!.member!;
    const { lastIndex, voters } = leader.status(leaders[0]!.nowMs);
    const hash = this.#observer.safety;
    if (hash.committedCount !== lastIndex)
      return `${hash.committedCount} of ${lastIndex} entries are committed`;
    for (const { name, member } of hosts) {
      if (member?.appliedIndex !== lastIndex)
        return `host ${name} applied ${member?.appliedIndex} of ${lastIndex}`;
      if (!voters.includes(member.id)) return `host ${name} does not vote`;
    }
    const { epoch } = this.#swarm.provisioning;
    for (const { name, trust, sessions } of hosts) {
      if (trust!.epoch !== epoch) return `host ${name} knows roster ${trust!.epoch} of ${epoch}`;
      const old = [...sessions.values()].find((session) => session.epoch !== epoch);
      if (old !== undefined) return `${old.board}'s session with ${name} is of epoch ${old.epoch}`;
    }
    for (const { name, board } of boards) {
      const applied = board?.store.appliedIndex;
      if (applied !== lastIndex) return `board ${name} applied ${applied} of ${lastIndex}`;
      const votes = voters.includes(board!.memberId);
      if (votes !== this.#wanted.includes(name)) return `board ${name} ${votes ? "votes" : "does not vote"}`;
    }
    // A host that was revoked votes as long as swarm.ts names it, and nobody listens to it.
    if (voters.length !== this.#weather.hosts.length + this.#wanted.length) return `${voters} vote`;
    const piece = [...leader.state.keys()].find((key) => key.startsWith(draftKeyPrefix));
    if (piece !== undefined) return `${piece} is left of a draft`;
    const { idleTask } = this.#tasks;
    if (idleTask !== undefined) return `nobody runs ${idleTask}`;
    return this.#clients.some(({ isBusy }) => isBusy) ? "a client waits" : undefined;
  }

  #checkHistory(): void {
    const { kind, faults, undecidedKeys } = checkLinearizable(this.#history);
    if (kind === "not linearizable")
      throw new UnsafeStep("linearizability", faults.map(faultToText).join("\n"));
    if (kind === "undecided") {
      throw new UnsafeStep(
        "linearizability undecided",
        `too many explanations for ${undecidedKeys.join(", ")}`,
      );
    }
  }
}

/** What an option of the state has of a value. */
function isSame(value: StateValue | undefined, bytes: Uint8Array): boolean {
  return value instanceof Uint8Array && Buffer.compare(value, bytes) === 0;
}

type Way = readonly [from: string, to: string];

/** Between one half and the other. */
function waysAcross(names: readonly string[], random: Random): Way[] {
  const half = new Set(names.filter(() => random.chance(0.5)));
  return names.flatMap((from) =>
    names.filter((to) => half.has(from) !== half.has(to)).map((to): Way => [from, to]),
  );
}
