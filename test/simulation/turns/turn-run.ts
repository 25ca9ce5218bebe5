/**
 * The turn to be away under faults, in virtual time: three hosts with the rule that ships, of which one at a time can have something agreed on, and five voting boards with
 * the claim that ships, on clocks of their own. Leaders change and old ones go on deciding for a while, words are late by up to half a minute, boards see
 * the log late, lose their power, get firmware that does not work and contacts that lead nowhere.
 *
 * At no moment are two boards away on purpose; and when all is well again, everyone who wants it gets the turn, and gives it back.
 */
import { moveLimits } from "../../../firmware/board/contact-rule.ts";
import { trialLimits } from "../../../firmware/update/trial.ts";
import type { ProposeRequest } from "../../../host-tools/leader/raft/host-member-types.ts";
import { Turns } from "../../../host-tools/leader/turns/turns.ts";
import { type Turn, type TurnPurpose, turnIn } from "../../../protocols/turns/turn.ts";
import { TurnClaim } from "../../../protocols/turns/turn-claim.ts";
import type { TurnMessage } from "../../../protocols/turns/turn-message.ts";

export interface TurnRunResult {
  /** How often a board has left. */
  readonly leaves: number;
  readonly entries: number;
}

/** Somebody did what must not be. */
export class TurnViolation extends Error {
  override readonly name = "TurnViolation";
}

const faultsMs = 3 * 3_600_000;
/** All boards one after the other, each after a turn that nobody gives back. */
const quietMs = 2 * 3_600_000;
const stepMs = 200;
/** From a start or a change of contact until a board is in step again, at most. */
const startMs = 30_000;
const hostNames = ["a", "b", "c"];
const boardNames = ["b1", "b2", "b3", "b4", "b5"];

/** Runs one seed. Rejects with `TurnViolation`. */
export async function runTurns(seed: number): Promise<TurnRunResult> {
  return new TurnRun(seed).run();
}

class TurnRun {
  nowMs = 0;
  isQuiet = false;
  readonly random: () => number;
  /** What was agreed on, one value after the other. */
  readonly log: (Uint8Array | undefined)[] = [undefined];
  readonly #hosts: readonly Host[];
  readonly #boards: readonly Board[];
  #agenda: { atMs: number; act: () => void }[] = [];
  readonly #proposals = new Set<Proposal>();
  #term = 1;
  #electedMs = 0;
  #leaves = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
    this.#hosts = hostNames.map((name) => new Host(name, this));
    this.#boards = boardNames.map((name) => new Board(name, this));
    this.#hosts[0]!.term = this.#term;
  }

  get leader(): Host {
    return this.#hosts.find(({ term }) => term === this.#term)!;
  }

  get boards(): readonly Board[] {
    return this.#boards;
  }

  async run(): Promise<TurnRunResult> {
    await this.#until(faultsMs);
    this.isQuiet = true;
    for (const board of this.#boards) board.ask("move");
    await this.#until(faultsMs + quietMs);
    for (const board of this.#boards) {
      if (board.wants !== undefined) throw new TurnViolation(`${board.name} never gets its turn`);
    }
    const holder = this.turnAt(this.log.length - 1).holder?.board;
    if (holder !== undefined) throw new TurnViolation(`${holder} never gives it back`);
    return { leaves: this.#leaves, entries: this.log.length - 1 };
  }

  turnAt(index: number): Turn {
    return turnIn(this.log[index])!;
  }

  left(board: Board): void {
    this.#leaves++;
    const other = this.#boards.find((each) => each !== board && each.isAwayOnPurpose);
    if (other !== undefined) throw new TurnViolation(`${board.name} leaves while ${other.name} is away`);
  }

  /** At some time in the future: mostly soon. */
  later(act: () => void, lateMs = 30_000): void {
    const isHeldUp = !this.isQuiet && this.random() < 0.2;
    this.#agenda.push({ atMs: this.nowMs + 1 + this.random() * (isHeldUp ? lateMs : 300), act });
  }

  /** What a board says to a host: over its session in order, and, to the others, at any time. */
  say(board: Board, message: TurnMessage): void {
    const { life } = board;
    for (const host of this.#hosts) {
      if (host === board.home) {
        const atMs = Math.max(host.sessions.get(board.name) ?? 0, this.nowMs + 1 + this.lateness());
        host.sessions.set(board.name, atMs);
        // A session ends with the run of the firmware that had it.
        const act = () => {
          if (board.life === life && !board.isCut) host.turns.heard(board.name, message, true);
        };
        this.#agenda.push({ atMs, act });
      } else {
        this.later(() => host.turns.heard(board.name, message, false), 120_000);
      }
    }
  }

  lateness(): number {
    return this.random() * (!this.isQuiet && this.random() < 0.1 ? 30_000 : 100);
  }

  async #until(endMs: number): Promise<void> {
    for (; this.nowMs < endMs; this.nowMs += stepMs) {
      const due = this.#agenda.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
      if (due.length > 0) this.#agenda = this.#agenda.filter(({ atMs }) => atMs > this.nowMs);
      for (const { act } of due) act();
      for (const host of this.#hosts) host.step();
      for (const board of this.#boards) board.step();
      if (!this.isQuiet) this.#mischief();
      // What was promised is kept.
      for (let i = 0; i < 4; i++) await undefined;
    }
  }

  /** Only the host that leads has anything agreed on, in place of what it expects. */
  propose(proposal: Proposal): void {
    this.#proposals.add(proposal);
    this.later(() => this.#decide(proposal), 3_000);
  }

  #decide(proposal: Proposal): void {
    if (!this.#proposals.delete(proposal)) return;
    const { by, term, value, expected } = proposal;
    // Each value is another one, by its number.
    const isSame = expected === undefined || expected.value === this.log.at(-1);
    const isAgreed = term === this.#term && isSame;
    if (isAgreed) {
      this.log.push(value);
      by.applied = this.log.length - 1;
    }
    proposal.settle(isAgreed);
  }

  /** It has applied what was committed before; what its log has beyond that, proposed by the one before, is committed with it. */
  #elect(host: Host): void {
    this.#electedMs = this.nowMs;
    host.applied = this.log.length - 1;
    for (const proposal of this.#proposals) {
      if (proposal.term !== this.#term || this.random() < 0.5) continue;
      const applied = host.applied;
      this.#decide(proposal);
      host.applied = applied;
    }
    host.term = ++this.#term;
  }

  #mischief(): void {
    const pick = <T>(from: readonly T[]) => from[Math.floor(this.random() * from.length)]!;
    // Some lead for seconds.
    if (this.random() < stepMs / (this.#electedMs > this.nowMs - 20_000 ? 20_000 : 120_000)) {
      this.#elect(pick(this.#hosts));
    }
    if (this.random() < stepMs / 60_000) pick(this.#boards).ask(this.random() < 0.5 ? "update" : "move");
    if (this.random() < stepMs / 300_000) pick(this.#boards).powerCut();
    if (this.random() < stepMs / 120_000) pick(this.#boards).cut();
  }
}

interface Proposal {
  readonly by: Host;
  readonly term: number;
  readonly value: Uint8Array;
  readonly expected: ProposeRequest["expected"];
  settle(isAgreed: boolean): void;
}

class Host {
  readonly name: string;
  readonly turns: Turns;
  /** When what a board said last over its session arrives. */
  readonly sessions = new Map<string, number>();
  /** In which it leads, or led; 0 for never. */
  term = 0;
  applied = 0;
  readonly #run: TurnRun;
  #lookMs = 0;

  constructor(name: string, run: TurnRun) {
    this.name = name;
    this.#run = run;
    const rate = 0.98 + 0.04 * run.random();
    const self = this;
    this.turns = new Turns({
      state: { get: () => ({ value: run.log[this.applied]!, index: this.applied }) },
      replica: {
        // Whoever led goes on believing so for a while.
        get isLeader() {
          return self.term > 0 && (self.term === run.leader.term || run.nowMs % 7_000 < 3_000);
        },
        get term() {
          return self.term;
        },
        status: () => this.#status(),
      },
      put: ({ value, expected }) => this.#put(value as Uint8Array, expected),
      log: { info: () => {}, debug: () => {} },
      nowMs: () => run.nowMs * rate,
    });
  }

  step(): void {
    const { random, log, nowMs } = this.#run;
    if (this.applied < log.length - 1 && random() < 0.5) this.applied++;
    if (nowMs < this.#lookMs) return;
    this.#lookMs = nowMs + 500;
    this.turns.look();
  }

  #status() {
    const ids = this.#run.boards.map(({ name }) => `${name}.1`);
    const hosts = hostNames.map((name) => `${name}.1`);
    return {
      id: `${this.name}.1`,
      configuration: {
        ...{ voters: [...hosts, ...ids], outgoing: [], learners: [], learnersNext: [] },
        autoLeave: false,
      },
      members: [...hosts, ...ids].map((id) => ({
        ...{ id, isVoter: true, listens: false, matchIndex: 0, appliedIndex: 0, silentMs: 0 },
      })),
    };
  }

  #put(value: Uint8Array, expected: ProposeRequest["expected"]): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (isAgreed: boolean) => (isAgreed ? resolve() : reject(new Error("not agreed")));
      this.#run.propose({ by: this, term: this.term, value, expected, settle });
    });
  }
}

class Board {
  readonly name: string;
  life = 1;
  wants: TurnPurpose | undefined;
  home: Host;
  readonly #run: TurnRun;
  readonly #rate: number;
  #claim: TurnClaim;
  #applied = 0;
  /** Off or not in step until then; after that here. */
  #backMs = 0;
  /** It has left on purpose, until it is back, or loses its power. */
  isAwayOnPurpose = false;
  #cutUntilMs = 0;
  /** While away, it hears the leader. */
  #canSpeak = false;

  constructor(name: string, run: TurnRun) {
    this.name = name;
    this.#run = run;
    this.#rate = 0.98 + 0.04 * run.random();
    this.home = run.leader;
    this.#claim = new TurnClaim(name, this.#startId());
  }

  get #nowMs(): number {
    return this.#run.nowMs * this.#rate;
  }

  ask(purpose: TurnPurpose): void {
    this.wants ??= purpose;
  }

  powerCut(): void {
    this.isAwayOnPurpose = false;
    this.#canSpeak = false;
    this.#backMs = this.#nowMs + this.#run.random() * 120_000;
    this.#start();
  }

  /** For a while it neither hears nor is heard, and does not know. */
  cut(): void {
    this.#cutUntilMs = this.#run.nowMs + 600_000 * this.#run.random() ** 3;
  }

  get isCut(): boolean {
    return this.#run.nowMs < this.#cutUntilMs && !this.#run.isQuiet;
  }

  step(): void {
    const { random, log, isQuiet, leader } = this.#run;
    const nowMs = this.#nowMs;
    const isHere = nowMs >= this.#backMs;
    if (isHere) this.isAwayOnPurpose = false;
    if (this.isCut || (!isHere && !this.#canSpeak)) return;
    // It hears its leader, and sees the log move on, sooner or later.
    if (isQuiet || random() < 0.05) this.home = leader;
    if (this.#applied < log.length - 1 && random() < 0.5) this.#claim.take(this.#run.turnAt(++this.#applied));
    if (isHere && this.wants !== undefined && this.#claim.isGranted(this.wants, nowMs)) {
      this.#leave();
      return;
    }
    const word = this.#claim.next({ wants: this.wants, isAway: !isHere, isInStep: isHere }, nowMs);
    if (word !== undefined) this.#run.say(this, word);
    if (!isQuiet) this.#change(word);
  }

  /** It wants to leave no longer, or again; or nothing is heard of it any more, just when it has asked. */
  #change(word: TurnMessage | undefined): void {
    const { random } = this.#run;
    if (this.wants !== undefined && random() < 0.01) this.wants = undefined;
    else if (word?.says === "back" && random() < 0.5) this.wants = "move";
    if (word?.says === "asks" && random() < 0.05) this.cut();
  }

  #leave(): void {
    const { random } = this.#run;
    const works = random() < 0.5;
    if (this.wants === "update") {
      this.#backMs = this.#nowMs + 2 * startMs * random() + (works ? 0 : trialLimits.trialMs);
      this.#start();
    } else {
      this.#canSpeak = !works && random() < 0.3;
      const tryMs = this.#canSpeak ? moveLimits.catchUpMs : moveLimits.tryMs;
      this.#backMs = this.#nowMs + (works ? startMs : tryMs + moveLimits.joinMs) * random();
    }
    this.wants = undefined;
    this.isAwayOnPurpose = true;
    this.#run.left(this);
  }

  #start(): void {
    this.life++;
    this.#claim = new TurnClaim(this.name, this.#startId());
    this.#claim.take(this.#run.turnAt(this.#applied));
    this.#canSpeak = false;
  }

  #startId(): number {
    return Math.floor(this.#run.random() * 2 ** 32);
  }
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
