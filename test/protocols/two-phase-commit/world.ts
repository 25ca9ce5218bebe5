/**
 * Boards and leaders that carry out actions, with everything between them as bad as it may be: reports are lost, doubled and overtaken, the power of a board fails before or
 * after any durable write, boards forget everything, and several hosts take themselves for the leader at once. Somebody gives up boards that still run, and boards that do not. Only
 * the log is what Raft promises.
 *
 * What must hold is checked at each step, against what really happened; `Broken` says what did not.
 */
import {
  type Action,
  actionLimits,
  type OutputValue,
  sharedOutput,
} from "../../../protocols/two-phase-commit/action.ts";
import { Coordinator } from "../../../protocols/two-phase-commit/coordinator.ts";
import { withGivenUp } from "../../../protocols/two-phase-commit/given-up.ts";
import { packedHas, packNames, unpackNames } from "../../../protocols/two-phase-commit/names.ts";
import { Participant } from "../../../protocols/two-phase-commit/participant.ts";
import { promisesFromBytes } from "../../../protocols/two-phase-commit/promises.ts";
import type { ActionReport } from "../../../protocols/two-phase-commit/report.ts";

export class Broken extends Error {
  readonly what: string;

  constructor(what: string, details: string) {
    super(`${what}: ${details}`);
    this.what = what;
  }
}

class PowerCut extends Error {}

export interface WorldOptions {
  readonly seed: number;
  readonly boards: number;
  readonly steps: number;
  /** Whether leaders refuse what conflicts with another action; if not, only the boards do. */
  readonly leaderRefuses: boolean;
}

export interface Tally {
  committed: number;
  aborted: number;
  heuristic: number;
  powerCuts: number;
  givenUp: number;
  /** Of these, who turned out to have acted before. */
  hadActed: number;
}

const outputs = ["valve", "pump", "fan"];
const hosts = 2;

/** Mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface LogEntry {
  readonly slot: number;
  readonly action: Action;
}

class Board {
  readonly name: string;
  readonly world: World;
  participant: Participant | undefined;
  /** Durable. */
  kept: Uint8Array | undefined;
  applied = 0;
  incarnation = 0;
  /** It looks at actions from there on: not while it catches up after it has forgotten everything. */
  looksFrom = 0;
  /** How many durable writes until the power fails, and whether the last of them still happens. */
  cutAfter = Infinity;
  cutKeeps = false;
  readonly held = new Map<string, number>();
  /** By action and incarnation, what it said. */
  readonly said = new Map<number, Set<string>>();
  /** In order, by each real act. */
  readonly acts: number[] = [];

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
  }

  start(): void {
    const { world } = this;
    this.held.clear();
    const kept = (this.kept && promisesFromBytes(this.kept)) ?? [];
    const ports = {
      wallMs: (nowMs: number) => nowMs,
      boundMs: () => 5,
      obstacle: () => (world.random() < 0.04 ? "not ready" : undefined),
      keep: (bytes: Uint8Array) => {
        this.write(() => {
          this.kept = bytes;
          // Outputs follow at once, or when the power is back, or had their time while it was off.
          for (const { id, stage } of promisesFromBytes(bytes)!)
            if (stage === "acted") world.onActed(this, id);
        });
        return true;
      },
      canHold: () => true,
      hold: (set: readonly OutputValue[]) => {
        for (const { output, value } of set) this.held.set(output, value);
        world.onHold(this, set);
      },
      holdSafe: (set: readonly OutputValue[]) => {
        for (const { output } of set) this.held.set(output, Number.NaN);
      },
      release: (set: readonly OutputValue[]) => {
        for (const { output } of set) this.held.delete(output);
      },
    };
    this.guarded(() => {
      this.participant = new Participant(this.name, ports, kept, world.nowMs);
      if (this.applied >= this.looksFrom) this.tellSlots([...world.stateAt(this.applied)]);
    });
  }

  stop(): void {
    this.participant = undefined;
  }

  forget(): void {
    this.stop();
    this.kept = undefined;
    this.applied = 0;
    this.incarnation++;
    this.looksFrom = this.world.log.length;
    this.said.clear();
  }

  write(what: () => void): void {
    if (--this.cutAfter > 0) {
      what();
      return;
    }
    if (this.cutKeeps) what();
    this.cutAfter = Infinity;
    throw new PowerCut();
  }

  guarded(what: () => void): void {
    try {
      what();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.world.tally.powerCuts++;
      this.stop();
    }
  }

  /** Applies entries up to `index`, as a batch that becomes durable at once, and acts on what they leave. */
  catchUp(index: number): void {
    if (this.participant === undefined || index <= this.applied) return;
    this.guarded(() => {
      this.write(() => {
        this.applied = index;
      });
      if (index >= this.looksFrom) this.tellSlots([...this.world.stateAt(index)]);
    });
  }

  tellSlots(slots: [number, Action | undefined][]): void {
    // First what lets go: as firmware/board/actions.ts does.
    slots.sort(([, a], [, b]) => Number(a?.phase === "begun") - Number(b?.phase === "begun"));
    for (const [slot, action] of slots) this.participant!.onSlot(slot, action, this.world.nowMs);
  }

  run(): void {
    const { world } = this;
    if (this.participant === undefined) return;
    this.guarded(() => {
      const participant = this.participant!;
      participant.run(world.nowMs);
      if (participant.reportDueMs > world.nowMs) return;
      const reports = participant.reports();
      world.onSaid(this, reports);
      for (const report of reports) world.messages.push({ board: this.name, report });
      participant.onReported(true, world.nowMs);
    });
  }
}

export class World {
  readonly random: () => number;
  readonly log: LogEntry[] = [];
  readonly messages: { readonly board: string; readonly report: ActionReport }[] = [];
  readonly tally: Tally = { committed: 0, aborted: 0, heuristic: 0, powerCuts: 0, givenUp: 0, hadActed: 0 };
  nowMs = 1_000;
  readonly #options: WorldOptions;
  readonly #boards: readonly Board[];
  #hosts: { coordinator: Coordinator; applied: number }[] = [];
  readonly #decisions = new Map<number, "committed" | "aborted">();
  readonly #begun = new Map<number, Action>();
  readonly #strays = new Set<string>();
  /** By `board action`: after how many entries it had been given up. */
  readonly #givenUp = new Map<string, number>();
  #nextId = 1;

  constructor(options: WorldOptions) {
    this.random = randomOf(options.seed);
    this.#options = options;
    this.#boards = Array.from({ length: options.boards }, (_, i) => new Board(`board-${i}`, this));
    for (const board of this.#boards) board.start();
    this.#hosts = Array.from({ length: hosts }, () => ({ coordinator: new Coordinator(), applied: 0 }));
  }

  /** Bad weather, then peace in which everything must come to its end. */
  run(): Tally {
    for (let step = 0; step < this.#options.steps; step++) this.#mishap();
    for (let round = 0; round < 80; round++) this.#peace();
    this.#checkEnd();
    return this.tally;
  }

  /** The slots after so many entries. */
  stateAt(index: number): Map<number, Action> {
    const state = new Map<number, Action>();
    for (const { slot, action } of this.log.slice(0, index)) state.set(slot, action);
    return state;
  }

  onHold(board: Board, set: readonly OutputValue[]): void {
    for (const { output, value } of set) {
      const id = Math.round(value * 10);
      const later = board.acts.slice(board.acts.indexOf(id) + 1);
      const over = board.acts.includes(id)
        ? later.find((other) => this.#begun.get(other)!.set.some((each) => each.output === output))
        : undefined;
      if (over !== undefined) throw new Broken("acted again", `${board.name} undoes ${over} with ${id}`);
    }
    for (const { value } of set) this.onActed(board, Math.round(value * 10));
  }

  onActed(board: Board, id: number): void {
    if (board.acts.includes(id)) return;
    if (this.#decisions.get(id) !== "committed")
      throw new Broken("acted without a decision", `${board.name} ${id}`);
    if (board.applied >= (this.#givenUp.get(`${board.name} ${id}`) ?? Infinity))
      throw new Broken("acted when given up", `${board.name} ${id}`);
    board.acts.push(id);
  }

  /** What a board says in an incarnation: no promise may be broken. */
  onSaid(board: Board, reports: readonly ActionReport[]): void {
    for (const { id, stage } of reports) {
      const before = board.said.get(id) ?? new Set();
      board.said.set(id, before);
      if (stage === "no" && before.has("yes"))
        throw new Broken("promise broken", `${board.name} said no after yes to ${id}`);
      before.add(stage);
      if (stage === "heuristic" || stage === "settled") this.#strays.add(`${board.name} ${id}`);
    }
    const bound = reports.filter(({ stage }) => stage === "yes" || stage === "armed");
    for (const a of bound) {
      for (const b of bound) {
        if (a.id >= b.id) continue;
        const shared = sharedOutput(this.#begun.get(a.id)!.set, this.#begun.get(b.id)!.set);
        if (shared !== undefined)
          throw new Broken("interleaved", `${board.name} promised ${shared} to ${a.id} and ${b.id}`);
      }
    }
  }

  #mishap(): void {
    const { random } = this;
    const board = this.#pick(this.#boards);
    const choice = random();
    if (choice < 0.03) this.#begin();
    else if (choice < 0.034) this.#giveUp();
    else if (choice < 0.3)
      board.catchUp(Math.min(this.log.length, board.applied + 1 + Math.floor(random() * 4)));
    else if (choice < 0.5) board.run();
    else if (choice < 0.68) this.#deliver();
    else if (choice < 0.84) this.#lead();
    else if (choice < 0.9) this.nowMs += Math.floor(random() * 700);
    else if (choice < 0.94) {
      board.cutAfter = 1 + Math.floor(random() * 3);
      board.cutKeeps = random() < 0.5;
    } else if (choice < 0.95) board.stop();
    else if (choice < 0.99) {
      if (board.participant === undefined) board.start();
    } else if (choice < 0.995) board.forget();
    // Another host comes to lead, which knows the log and nothing else.
    else this.#newLeader();
  }

  #peace(): void {
    this.nowMs += 1_000;
    for (const board of this.#boards) {
      board.cutAfter = Infinity;
      if (board.participant === undefined) board.start();
      board.catchUp(this.log.length);
      board.participant!.onLeaderChange();
      board.run();
    }
    while (this.messages.length > 0) this.#deliver(true);
    for (let host = 0; host < hosts; host++) this.#lead(host, true);
  }

  #newLeader(): void {
    const host = Math.floor(this.random() * hosts);
    this.#hosts[host] = { coordinator: new Coordinator(), applied: 0 };
    for (const board of this.#boards) board.participant?.onLeaderChange();
  }

  #begin(): void {
    const { random } = this;
    const host = this.#pick(this.#hosts);
    // A leader begins on the state that it has confirmed.
    this.#catchUpHost(host, this.log.length);
    const names = this.#boards.map(({ name }) => name).filter(() => random() < 0.7);
    if (names.length === 0) return;
    const id = this.#nextId++;
    // The value says whose it is.
    const set = outputs.filter(() => random() < 0.5).map((output) => ({ output, value: id / 10 }));
    if (set.length === 0) return;
    const place = host.coordinator.freeSlot();
    if (place === undefined) return;
    if (this.#options.leaderRefuses && host.coordinator.conflict({ set }, names) !== undefined) return;
    const action: Action = {
      ...{ id, name: "try", boards: packNames(names), set, require: [], reason: "" },
      forMs: random() < 0.5 ? 0 : 3_000,
      safetyMs: random() < 0.5 ? 0 : 4_000,
      deadlineMs: this.nowMs + 5_000,
      startMs: random() < 0.2 ? this.nowMs + 3_000 : undefined,
      ...{ phase: "begun", isEnded: false, givenUp: [] },
    };
    this.#begun.set(id, action);
    this.log.push({ slot: place.slot, action });
  }

  /** Somebody says of a board that it is lost, which may be so. */
  #giveUp(): void {
    const { random } = this;
    const host = this.#pick(this.#hosts);
    this.#catchUpHost(host, this.log.length);
    const waiting = host.coordinator.waiting().filter(({ boards }) => boards.length > 0);
    if (waiting.length === 0) return;
    const { slot, action, boards } = this.#pick(waiting);
    const name = this.#pick(boards);
    this.log.push({ slot, action: withGivenUp(action, [name], random() < 0.5 ? "ada" : "ben") });
    this.#givenUp.set(`${name} ${action.id}`, this.log.length);
    this.tally.givenUp++;
    const board = this.#boards.find((each) => each.name === name)!;
    // Whom it hears first when it is back knows that: it looks when it has applied all that this one has committed.
    if (board.participant === undefined) board.looksFrom = this.log.length;
  }

  #deliver(isPeace = false): void {
    if (this.messages.length === 0) return;
    const at = Math.floor(this.random() * this.messages.length);
    const { board, report } = this.messages[at]!;
    const fate = isPeace ? 1 : this.random();
    // Half of what is said comes again; some never comes.
    if (fate > 0.5 || fate < 0.2) this.messages.splice(at, 1);
    if (fate >= 0.2) for (const { coordinator } of this.#hosts) coordinator.onReport(board, report);
  }

  /** A host that takes itself for the leader decides on what it has applied; the log takes what still fits. */
  #lead(which = Math.floor(this.random() * hosts), isPeace = false): void {
    const host = this.#hosts[which]!;
    const upTo = isPeace ? this.log.length : host.applied + Math.floor(this.random() * 3);
    this.#catchUpHost(host, Math.min(this.log.length, upTo));
    for (const { slot, from, to } of host.coordinator.steps(this.nowMs, () => true)) {
      const present = this.stateAt(this.log.length).get(slot)!;
      // As the whole value is compared in the log.
      if (JSON.stringify(present) !== JSON.stringify(from)) continue;
      this.#onDecided(from, to);
      this.log.push({ slot, action: to });
    }
  }

  #onDecided(from: Action, { id, phase }: Action): void {
    if (phase === "begun") return;
    const known = this.#decisions.get(id);
    if (known !== undefined && known !== phase)
      throw new Broken("two decisions", `${id} was ${known}, now ${phase}`);
    if (known !== undefined) return;
    this.#decisions.set(id, phase);
    this.tally[phase]++;
    if (phase !== "committed") return;
    for (const name of unpackNames(from.boards)) {
      const board = this.#boards.find((each) => each.name === name)!;
      // Who has forgotten everything may have said it before.
      if (board.incarnation === 0 && !board.said.get(id)?.has("yes")) {
        throw new Broken("committed without a vote", `${name} never said yes to ${id}`);
      }
    }
  }

  #catchUpHost(host: { coordinator: Coordinator; applied: number }, index: number): void {
    for (; host.applied < index; host.applied++) {
      const { slot, action } = this.log[host.applied]!;
      host.coordinator.onSlot(slot, action);
    }
  }

  #checkEnd(): void {
    for (const [slot, action] of this.stateAt(this.log.length)) {
      if (!action.isEnded)
        throw new Broken("not ended", `slot ${slot}, action ${action.id} is ${action.phase}`);
      if (action.givenUp.length > 0)
        throw new Broken("never heard of again", `slot ${slot}, action ${action.id}`);
      this.#checkTold(action);
    }
    for (const [id, action] of this.#begun) {
      const decision = this.#decisions.get(id);
      for (const name of unpackNames(action.boards)) {
        const board = this.#boards.find((each) => each.name === name)!;
        const isStray = this.#strays.has(`${name} ${id}`);
        if (isStray) this.tally.heuristic++;
        const isActed = board.acts.includes(id);
        const details = `${name} ${isActed ? "acted" : "did not act"} on ${id}, which was ${decision}`;
        const isExcused = isStray || this.#givenUp.has(`${name} ${id}`);
        if (this.#givenUp.has(`${name} ${id}`) && isActed) this.tally.hadActed++;
        if (decision === "committed" && !isActed && !isExcused) throw new Broken("atomicity", details);
        if (decision !== "committed" && isActed) throw new Broken("atomicity", details);
      }
    }
    this.#checkOrder();
  }

  /** Of an action that has ended, the log says of each board what is so, be it that the board forgot it. */
  #checkTold({ id, phase, boards }: Action): void {
    if (phase !== "committed") return;
    const astray = unpackNames(boards);
    for (const { name, acts, incarnation } of this.#boards) {
      if (incarnation > 0 || !packedHas(this.#begun.get(id)!.boards, name)) continue;
      if (acts.includes(id) === astray.includes(name))
        throw new Broken("told wrongly", `${name} ${acts.includes(id) ? "acted" : "did not act"} on ${id}`);
    }
  }

  /** Of two actions that share an output, all boards that act on both act on one first. */
  #checkOrder(): void {
    const firsts = new Map<string, { readonly board: string; readonly first: number }>();
    for (const { name, acts } of this.#boards) {
      const once = [...new Set(acts)];
      for (const [i, a] of once.entries()) {
        for (const b of once.slice(i + 1)) {
          if (sharedOutput(this.#begun.get(a)!.set, this.#begun.get(b)!.set) === undefined) continue;
          const pair = `${Math.min(a, b)} ${Math.max(a, b)}`;
          const known = firsts.get(pair);
          if (known !== undefined && known.first !== a) {
            throw new Broken(
              "interleaved",
              `${known.board} did ${known.first} first, and ${name} ${a} (${pair})`,
            );
          }
          firsts.set(pair, { board: name, first: a });
        }
      }
    }
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)]!;
  }
}

/** Runs a seed; throws `Broken`. */
export function runWorld(options: WorldOptions): Tally {
  if (options.boards > actionLimits.boardsMax) throw new RangeError("too many boards");
  return new World(options).run();
}
