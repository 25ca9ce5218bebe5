/** A minute of actions and mishaps in a whole swarm, then peace; what everybody did, and when by the world's time. */
import { RecordKind } from "../../../firmware/storage/record.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix } from "../../../protocols/state/command.ts";
import type { Action } from "../../../protocols/two-phase-commit/action.ts";
import { givenUpNames } from "../../../protocols/two-phase-commit/given-up.ts";
import { unpackNames } from "../../../protocols/two-phase-commit/names.ts";
import { promisesFromBytes } from "../../../protocols/two-phase-commit/promises.ts";
import type { SimulatedBoard } from "../raft/full/simulated-board.ts";
import { Random } from "../raft/random.ts";
import { ActingSwarm } from "./acting-swarm.ts";

const program: Program = {
  pipelines: [],
  outputs: [{ name: "valve", kind: "pwm", pin: 4, safeValue: 0, setting: undefined }],
  rules: [],
};
const boardNames = ["n-0", "n-1", "n-2", "n-3", "n-4"];

/** What one board did with one action; times are the world's. */
export interface Deed {
  /** Its pin was given the value then, for the first time. */
  actedMs?: number;
  /** It knew the time when it promised: what it then was by its own account. */
  promisedWallMs?: number;
  /** It had said that it waits for the start, and has been on ever since. */
  isWaiting?: boolean;
  /** As `isWaiting`, when it acted. */
  hasWaited?: boolean;
  /** Since then it is agreed that it was given up. */
  givenUpMs?: number;
  /** What it said of when it acted. */
  wallMs?: number;
  boundMs?: number;
}

export interface OrdealResult {
  readonly decisions: ReadonlyMap<number, Action["phase"]>;
  readonly begun: ReadonlyMap<number, Action>;
  /** `board id` of those that did not follow. */
  readonly astray: ReadonlySet<string>;
  /** By `board id`. */
  readonly deeds: ReadonlyMap<string, Deed>;
  /** Everything ended. */
  readonly isDone: boolean;
}

/** A clock that is off by less than a board takes its own to be: crystals. */
const drift = 50e-6;

/** Each action sets the valve to a value of its own, so that it shows who acted on what. */
export class Ordeal {
  readonly #random: Random;
  readonly #decisions = new Map<number, Action["phase"]>();
  readonly #begun = new Map<number, Action>();
  readonly #astray = new Set<string>();
  readonly #deeds = new Map<string, Deed>();
  readonly #acting: ActingSwarm;

  constructor(seed: number, hosts: readonly string[]) {
    this.#random = new Random(seed);
    const none = () => {};
    this.#acting = new ActingSwarm(
      {
        ...{ seed, hosts, boards: boardNames, drift, tellsTime: true },
        events: {
          ...{ onStep: none, onApplied: none, onRestored: none, note: none },
          onTurn: (board) => this.#notePromises(board),
          onOff: ({ name }) => this.#forget(name),
          onViolation: (_host, violation) => {
            throw new Error(violation);
          },
        },
      },
      {
        onPhase: (action) => this.#onPhase(action),
        onReport: (board, _bytes, reports) => {
          for (const { id, stage, wallMs, boundMs } of reports) {
            const deed = this.#deedOf(board, id);
            // What arrives from a board that is off it said before; nothing is on its way for as long as a restart takes.
            if (stage === "armed") deed.isWaiting = this.#isOn(board);
            if (stage === "acted" && wallMs !== undefined) Object.assign(deed, { wallMs, boundMs });
          }
        },
      },
    );
    // Each value that a pin is ever given: it may be gone by the end of the turn, with the power.
    for (const { name, outputs } of this.#acting.swarm.boards) {
      const set = outputs.set.bind(outputs);
      outputs.set = (output, id) => {
        if (id > 0) this.#onActed(name, id);
        return set(output, id);
      };
    }
  }

  run(): OrdealResult {
    const { swarm } = this.#acting;
    swarm.start();
    swarm.run(3_000);
    for (const name of boardNames) this.#put(programKeyPrefix + name, encodeCbor(programToWire(program)));
    this.#put("covey/voters", boardNames.slice(0, 2).join(","));
    swarm.run(6_000);
    for (let round = 0; round < 80; round++) {
      swarm.run(swarm.nowMs + 500);
      if (this.#random.chance(0.5)) this.#begin();
      this.#mishap();
    }
    // A leader that has just been elected may not have applied all: what it shows has to last.
    let doneRounds = 0;
    for (let round = 0; round < 240 && doneRounds < 6; round++) {
      swarm.run(swarm.nowMs + 500);
      doneRounds = this.#isDone() ? doneRounds + 1 : 0;
    }
    return {
      ...{ decisions: this.#decisions, begun: this.#begun, astray: this.#astray, deeds: this.#deeds },
      isDone: this.#isDone(),
    };
  }

  #begin(): void {
    const random = this.#random;
    const chosen = boardNames.filter(() => random.chance(0.7));
    if (chosen.length === 0) return;
    const { nextId, swarm } = this.#acting;
    const startMs = random.chance(0.4) ? swarm.nowMs + random.between(200, 4_000) : undefined;
    const set = [{ output: "valve", value: nextId }];
    const forMs = random.chance(0.5) ? 1_000 : 0;
    const safetyMs = random.chance(0.5) ? 2_000 : 0;
    this.#acting.begin(chosen, { set, forMs, safetyMs, startMs }, 3_000);
  }

  #mishap(): void {
    const random = this.#random;
    const { swarm } = this.#acting;
    const what = random.next();
    if (what < 0.15) swarm.breakLinks(random.pick(boardNames));
    else if (what < 0.35) random.pick(swarm.boards).powerOffAfter(random.between(1, 300));
    else if (what < 0.42) {
      const board = random.pick(swarm.boards);
      board.powerOff();
      swarm.after(random.between(500, 6_000), () => board.powerOn());
    } else if (what < 0.48) {
      const host = random.pick(swarm.hosts);
      host.crash(random.chance(0.5), random.chance(0.5));
      swarm.after(300, () => host.start());
    }
  }

  /**
   * Takes the power from a board that is about to act, or has just done so. It is taken for lost once it has been away for so long that nothing of what it was told is on its
   * way any more, and comes back all the same.
   */
  #loseSoon(name: string): void {
    const random = this.#random;
    const { swarm } = this.#acting;
    const board = swarm.boards.find((each) => each.name === name)!;
    const giveUpMs = random.between(1_200, 2_000);
    const awayMs = random.between(2_500, 4_500);
    swarm.after(random.between(0, 40), () => {
      const { boots } = board;
      board.powerOff();
      swarm.after(giveUpMs, () => {
        if (!board.isOn && board.boots === boots) this.#acting.giveUp(name);
      });
      swarm.after(awayMs, () => board.powerOn());
    });
  }

  #isDone(): boolean {
    const { leader } = this.#acting;
    if (leader === undefined) return false;
    const { appliedIndex, lastIndex } = leader.member!.status(leader.nowMs);
    const actions = this.#acting.actionsOf(leader);
    return (
      appliedIndex === lastIndex && actions.every(({ isEnded, givenUp }) => isEnded && givenUp.length === 0)
    );
  }

  #put(key: string, value: string | Uint8Array): void {
    const { leader } = this.#acting;
    leader?.step((member) => member.propose({ key, value }, leader.nowMs, () => {}));
  }

  #onPhase(action: Action): void {
    const { id, phase, isEnded } = action;
    for (const board of givenUpNames(action)) this.#deedOf(board, id).givenUpMs ??= this.#acting.swarm.nowMs;
    if (phase === "begun") {
      this.#begun.set(id, action);
      return;
    }
    if (isEnded) for (const board of unpackNames(action.boards)) this.#astray.add(`${board} ${id}`);
    const known = this.#decisions.get(id);
    if (known !== undefined && known !== phase) throw new Error(`two decisions on ${id}`);
    this.#decisions.set(id, phase);
    if (phase !== "committed" || known !== undefined || !this.#random.chance(0.5)) return;
    this.#loseSoon(this.#random.pick(unpackNames(action.boards)));
  }

  #onActed(board: string, id: number): void {
    const deed = this.#deedOf(board, id);
    if (deed.actedMs !== undefined) return;
    deed.actedMs = this.#acting.swarm.nowMs;
    deed.hasWaited = deed.isWaiting === true;
  }

  #notePromises({ name, board }: SimulatedBoard): void {
    const kept = board?.store.own(RecordKind.promises);
    for (const { id, wallMs } of (kept && promisesFromBytes(kept)) ?? []) {
      const deed = this.#deedOf(name, id);
      if (wallMs !== undefined) deed.promisedWallMs ??= wallMs;
    }
  }

  #isOn(board: string): boolean {
    return this.#acting.swarm.boards.find(({ name }) => name === board)!.isOn;
  }

  /** Whoever was off has waited for nothing. */
  #forget(board: string): void {
    for (const [key, deed] of this.#deeds) if (key.startsWith(`${board} `)) deed.isWaiting = false;
  }

  #deedOf(board: string, id: number): Deed {
    const key = `${board} ${id}`;
    const deed = this.#deeds.get(key) ?? {};
    this.#deeds.set(key, deed);
    return deed;
  }
}
