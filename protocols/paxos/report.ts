/**
 * What a member of the group and the leader say to each other, on the channel `register`.
 *
 * ```
 * up    [1, 0, [[register, epoch, state], ...], lost]              chosen: not recorded yet, as far as the board knows
 *       [1, 1, member, epoch, [[ballot, state], ...]]              closed: what it accepted last, of each register
 *       [1, 2, request, outcome, state | null]                     answer
 * down  [1, 0, request, register, value | null, ifVersion | null, timeoutMs]      ask: set, or read where value is null
 *       [1, 1, [[register, epoch, version], ...]]                  recorded: in the log, copy and history
 * ```
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { limits } from "../raft/types.ts";
import { ballotMax } from "./ballot.ts";
import { readState, readValue, stateToWire } from "./state-codec.ts";
import {
  type Accepted,
  type Chosen,
  type OutcomeKind,
  type RegisterState,
  type RegisterValue,
  registerLimits,
} from "./types.ts";

/** It goes out until the leader says of each that it is recorded. */
export interface ChosenReport {
  readonly kind: "chosen";
  /** In the order in which the board learnt of them. */
  readonly chosen: readonly Chosen[];
  /** Chosen states that fell out since there were too many, since this board has memory. */
  readonly lost: number;
}

/** It goes out until the group is another. */
export interface ClosedReport {
  readonly kind: "closed";
  readonly member: string;
  readonly epoch: number;
  readonly accepted: readonly Accepted[];
}

export interface AnswerReport {
  readonly kind: "answer";
  readonly request: number;
  readonly outcome: OutcomeKind;
  readonly state: RegisterState | undefined;
}

export type RegisterReport = ChosenReport | ClosedReport | AnswerReport;

export interface RegisterAsk {
  readonly kind: "ask";
  readonly request: number;
  readonly register: string;
  /** undefined: it is read, from a majority. */
  readonly value: RegisterValue | undefined;
  readonly ifVersion: number | undefined;
  /** From its arrival at the board. */
  readonly timeoutMs: number;
}

export interface Recorded {
  readonly kind: "recorded";
  readonly states: readonly RecordedState[];
}

export interface RecordedState {
  readonly register: string;
  readonly epoch: number;
  readonly version: number;
}

export type RegisterOrder = RegisterAsk | Recorded;

export const registerReportVersion = 1;

export const registerReportLimits = Object.freeze({
  /** How long a board may try. */
  timeoutMsMax: 60_000,
});

export function registerReportToWire(report: RegisterReport): CborValue {
  switch (report.kind) {
    case "chosen":
      return [registerReportVersion, 0, report.chosen.map(chosenToWire), report.lost];
    case "closed": {
      const accepted = report.accepted.map(({ ballot, state }) => [ballot, stateToWire(state)]);
      return [registerReportVersion, 1, report.member, report.epoch, accepted];
    }
    case "answer": {
      const state = report.state === undefined ? null : stateToWire(report.state);
      return [registerReportVersion, 2, report.request, outcomes.indexOf(report.outcome), state];
    }
  }
}

/** Throws `ShapeError`. */
export function registerReportFromWire(value: CborValue): RegisterReport {
  const items = new ItemReader(value, reportFormat, "", 4);
  items.version(registerReportVersion);
  const kind = items.integer("the kind", 0, 2);
  if (kind === 0) {
    const chosen = items.array("the states", registerLimits.untoldMax).map((item) => readChosen(item));
    return { kind: "chosen", chosen, lost: items.integer("lost", 0, Number.MAX_SAFE_INTEGER) };
  }
  if (kind === 1) {
    const member = items.text("the member", limits.memberIdBytesMax);
    const epoch = items.integer("the epoch", 1, registerLimits.epochMax);
    const accepted = items.array("the states", registerLimits.registersMax).map(acceptedFrom);
    return { kind: "closed", member, epoch, accepted };
  }
  const request = items.integer("the request", 0, registerLimits.requestMax);
  const outcome = outcomes[items.integer("the outcome", 0, outcomes.length - 1)]!;
  const state = items.isNone() ? undefined : readState(items, reportFormat);
  if ((outcome === "done" || outcome === "conflict") !== (state !== undefined)) {
    throw new ShapeError(reportFormat, "the state", "there for what is done or in conflict only", value);
  }
  return { kind: "answer", request, outcome, state };
}

export function registerOrderToWire(order: RegisterOrder): CborValue {
  if (order.kind === "recorded") {
    const states = order.states.map(({ register, epoch, version }) => [register, epoch, version]);
    return [registerReportVersion, 1, states];
  }
  const { request, register, value, ifVersion, timeoutMs } = order;
  return [registerReportVersion, 0, request, register, value ?? null, ifVersion ?? null, timeoutMs];
}

/** Throws `ShapeError`. */
export function registerOrderFromWire(value: CborValue): RegisterOrder {
  const items = new ItemReader(value, orderFormat, "", 3);
  items.version(registerReportVersion);
  if (items.integer("the kind", 0, 1) === 1) {
    return {
      kind: "recorded",
      states: items.array("the states", registerLimits.untoldMax).map(recordedFrom),
    };
  }
  const request = items.integer("the request", 0, registerLimits.requestMax);
  const register = items.text("the register", registerLimits.nameLengthMax);
  const wanted = items.isNone() ? undefined : readValue(items, orderFormat);
  const ifVersion = items.integerOrNone("ifVersion", 0, registerLimits.versionMax);
  const timeoutMs = items.integer("timeoutMs", 0, registerReportLimits.timeoutMsMax);
  return { kind: "ask", request, register, value: wanted, ifVersion, timeoutMs };
}

export function chosenToWire({ register, epoch, state }: Chosen): CborValue {
  return [register, epoch, stateToWire(state)];
}

/** Throws `ShapeError`. */
export function readChosen(value: CborValue): Chosen {
  const items = new ItemReader(value, reportFormat, "a chosen state", 3);
  const register = items.text("the register", registerLimits.nameLengthMax);
  const epoch = items.integer("the epoch", 1, registerLimits.epochMax);
  return { register, epoch, state: readState(items, reportFormat) };
}

const reportFormat = "register report";
const orderFormat = "register order";

/** The place of an outcome is its number on the wire. */
const outcomes: readonly OutcomeKind[] = Object.freeze([
  "done",
  "conflict",
  "unknown",
  "unreached",
  "refused",
  "busy",
] as const);

function acceptedFrom(value: CborValue): Accepted {
  const items = new ItemReader(value, reportFormat, "an accepted state", 2);
  return { ballot: items.integer("the ballot", 0, ballotMax), state: readState(items, reportFormat) };
}

function recordedFrom(value: CborValue): RecordedState {
  const items = new ItemReader(value, orderFormat, "a state", 3);
  const register = items.text("the register", registerLimits.nameLengthMax);
  const epoch = items.integer("the epoch", 1, registerLimits.epochMax);
  return { register, epoch, version: items.integer("the version", 0, registerLimits.versionMax) };
}
