/**
 * Whole boards in virtual time that take part in actions, and hosts that decide: the boards' firmware, their flash and their sessions, the hosts' logs and elections as they
 * ship (`simulated-swarm.ts`), and on each host the coordinator's core with compare-and-set by its member, as `host-tools/leader/actions/` has it.
 */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { type Action, actionLimits, slotKey } from "../../../protocols/two-phase-commit/action.ts";
import { actionFromWire, actionToWire } from "../../../protocols/two-phase-commit/codec.ts";
import { Coordinator } from "../../../protocols/two-phase-commit/coordinator.ts";
import { withGivenUp } from "../../../protocols/two-phase-commit/given-up.ts";
import { packNames } from "../../../protocols/two-phase-commit/names.ts";
import { type ActionReport, reportsFromWire } from "../../../protocols/two-phase-commit/report.ts";
import type { SimulatedHost } from "../raft/full/simulated-host.ts";
import { SimulatedSwarm, type SwarmOptions } from "../raft/full/simulated-swarm.ts";

export interface ActionsSeen {
  /** A board told something; `bytes` of it, before it was sealed. */
  onReport?(board: string, bytes: number, reports: readonly ActionReport[]): void;
  /** In the log of the host that applies it. */
  onPhase?(action: Action): void;
}

export class ActingSwarm {
  readonly swarm: SimulatedSwarm;
  readonly #coordinators = new Map<SimulatedHost, { coordinator: Coordinator; starts: number }>();
  readonly #seen: ActionsSeen;
  /** As each slot is in the log, applied or not, on whichever host leads. */
  #nextId = 1;

  constructor(
    options: Omit<SwarmOptions, "events"> & { events: SwarmOptions["events"] },
    seen: ActionsSeen = {},
  ) {
    this.#seen = seen;
    this.swarm = new SimulatedSwarm({
      ...options,
      events: {
        ...options.events,
        onAction: (_host, board, payload) => this.#onReport(board, payload),
        onApplied: (host, entries) => {
          options.events.onApplied(host, entries);
          this.swarm.after(0, () => this.#step(host));
        },
      },
    });
    const tick = () => {
      for (const host of this.swarm.hosts) this.#step(host);
      this.swarm.after(50, tick);
    };
    this.swarm.after(50, tick);
  }

  /** Of the action that begins next. */
  get nextId(): number {
    return this.#nextId;
  }

  get leader(): SimulatedHost | undefined {
    return this.swarm.hosts.find(({ member }) => member?.isLeader);
  }

  /** Puts an action in place of what is there; undefined where nobody leads, or another one is in its way. */
  begin(
    boards: readonly string[],
    given: Pick<Action, "set" | "forMs" | "safetyMs"> & Partial<Pick<Action, "startMs">>,
    timeoutMs: number,
  ): number | undefined {
    const host = this.leader;
    if (host?.member === undefined) return undefined;
    const coordinator = this.#look(host);
    const place = coordinator.freeSlot();
    if (place === undefined || coordinator.conflict(given, boards) !== undefined) return undefined;
    const id = this.#nextId++;
    const action: Action = {
      ...{
        id,
        name: "try",
        boards: packNames(boards),
        startMs: undefined,
        ...given,
        require: [],
        reason: "",
      },
      ...{ deadlineMs: this.swarm.nowMs + timeoutMs, phase: "begun", isEnded: false, givenUp: [] },
    };
    this.#put(host, place.slot, action);
    return id;
  }

  /** Gives a board up in each action that waits for it; in which. */
  giveUp(board: string): number[] {
    const host = this.leader;
    if (host?.member === undefined) return [];
    const waiting = this.#look(host)
      .waiting()
      .filter(({ boards }) => boards.includes(board));
    for (const { slot, action } of waiting) this.#put(host, slot, withGivenUp(action, [board], "ada"));
    return waiting.map(({ action }) => action.id);
  }

  /** The slots as a host has applied them. */
  actionsOf(host: SimulatedHost): Action[] {
    const actions: Action[] = [];
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      const value = host.member?.state.get(slotKey(slot));
      if (value instanceof Uint8Array) actions.push(actionFromWire(decodeCbor(value)));
    }
    return actions;
  }

  /** All hosts hear it, as it is handed on among them. */
  #onReport(board: string, payload: Uint8Array): void {
    const reports = reportsFromWire(decodeCbor(payload));
    this.#seen.onReport?.(board, payload.length, reports);
    for (const host of this.swarm.hosts) {
      if (host.member === undefined) continue;
      const coordinator = this.#look(host);
      for (const report of reports) coordinator.onReport(board, report);
      this.#step(host);
    }
  }

  /** What the host has applied; a process that was started anew remembers nothing else. */
  #look(host: SimulatedHost): Coordinator {
    let known = this.#coordinators.get(host);
    if (known?.starts !== host.starts) {
      known = { coordinator: new Coordinator(), starts: host.starts };
      this.#coordinators.set(host, known);
    }
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      const value = host.member!.state.get(slotKey(slot));
      const action = value instanceof Uint8Array ? actionFromWire(decodeCbor(value)) : undefined;
      known.coordinator.onSlot(slot, action);
      if (action !== undefined) this.#seen.onPhase?.(action);
    }
    return known.coordinator;
  }

  #step(host: SimulatedHost): void {
    if (host.member === undefined || !host.member.isLeader) return;
    for (const { slot, to } of this.#look(host).steps(this.swarm.nowMs, () => true))
      this.#put(host, slot, to);
  }

  #put(host: SimulatedHost, slot: number, action: Action): void {
    const key = slotKey(slot);
    const expected = { value: host.member!.state.get(key) };
    const value = encodeCbor(actionToWire(action));
    host.step((member) => member.propose({ key, value, expected }, host.nowMs, () => {}));
  }
}
