/**
 * A client of the agreed state, as a program would be that uses the leader's HTTP interface: it asks a host, goes to another one when that is not the leader or
 * does not answer, retries under the same command id, and writes down what it saw.
 */
import type { CommandId } from "../../../../host-tools/leader/raft/command-id.ts";
import type { ProposeAllRequest } from "../../../../host-tools/leader/raft/host-member-types.ts";
import type { Committed, Done } from "../../../../host-tools/leader/raft/outcomes.ts";
import {
  ConditionFailed,
  OutcomeForgotten,
  OutcomeUnknown,
  ReplicaStopped,
} from "../../../../host-tools/leader/raft/outcomes.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { NotLeader } from "../../../../protocols/raft/errors.ts";
import type { PutCommand } from "../../../../protocols/state/command.ts";
import { draftKeyPrefix } from "../../../../protocols/state/draft.ts";
import type { HistoryEvent, OperationName, Value } from "../../linearizability/history.ts";
import { Random } from "../random.ts";
import { bulkPuts, type DraftSurroundings, writeByDraft } from "./drafting.ts";
import type { SimulatedHost } from "./simulated-host.ts";

export interface ClientSurroundings {
  readonly nowMs: number;
  readonly hosts: readonly SimulatedHost[];
  after(delayMs: number, what: () => void): void;
  /** On the way to a host or back: undefined when it is lost. */
  delayMs(): number | undefined;
  record(event: HistoryEvent): void;
  newProcess(): number;
  /** Told of each command that was acknowledged. */
  onAcknowledged(id: CommandId, outcome: Committed): void;
  /** Of writes, those by draft. */
  readonly draftShare: number;
  onDraft(what: "begun" | "givenUp"): void;
  /** A host was asked to adopt a draft. */
  onAdopting(host: SimulatedHost): void;
  /** A host's state was read. */
  onLook(host: SimulatedHost): void;
}

/** Written only together: they have one value wherever anybody looks. */
export const twinKeys: readonly string[] = ["twin/1", "twin/2"];

/** How long it waits for an answer. */
const answerMs: readonly [least: number, most: number] = [300, 3_000];
const attemptsMax = 6;

interface Operation {
  readonly f: OperationName;
  readonly key: string;
  readonly value: Value;
  readonly expected: Value;
  readonly id: CommandId;
  /** The write goes with those of `twinKeys`: in one entry, or with `bulk` by draft. */
  readonly isWide: boolean;
  readonly bulk: readonly PutCommand[] | undefined;
  /** Some attempt may have taken effect, or may still: none of its answers says that it did not. */
  isOpen: boolean;
  attempts: number;
}

type Answer = Committed | Error | { readonly read: Value; readonly index: number };

export class Client {
  readonly #surroundings: ClientSurroundings;
  readonly #random: Random;
  readonly #keys: readonly string[];
  #process: number;
  #host: SimulatedHost;
  /** A commit index that it was told. */
  #knownIndex = 0;
  /** The last value that it saw, which a cas may expect. */
  readonly #seen = new Map<string, Value>();
  #operation: Operation | undefined;
  #written = 0;

  constructor(surroundings: ClientSurroundings, random: Random, keys: readonly string[]) {
    this.#surroundings = surroundings;
    this.#random = random;
    this.#keys = keys;
    this.#process = surroundings.newProcess();
    this.#host = random.pick(surroundings.hosts);
  }

  get isBusy(): boolean {
    return this.#operation !== undefined;
  }

  /** Begins an operation, if none is under way. */
  begin(random: Random): void {
    if (this.#operation !== undefined) return;
    const f = random.pick<OperationName>(["read", "read", "write", "write", "cas"]);
    const key = random.pick(this.#keys);
    const value = f === "read" ? null : `${this.#process}.${this.#written++}`;
    const expected = f === "cas" && random.chance(0.8) ? (this.#seen.get(key) ?? null) : null;
    const randomBytes = Uint8Array.from({ length: 8 }, () => random.between(1, 255));
    const id = { after: this.#knownIndex, random: randomBytes };
    const mayBeWide = f !== "read" && random.chance(0.3);
    const isDraft = f !== "read" && random.chance(this.#surroundings.draftShare);
    const isWide = isDraft || mayBeWide;
    const bulk = isDraft ? bulkPuts(`${value}`, random) : undefined;
    if (isDraft) this.#surroundings.onDraft("begun");
    this.#operation = { f, key, value, expected, id, isWide, bulk, isOpen: false, attempts: 0 };
    this.#record("invoke", f === "cas" ? [expected, value] : value);
    this.#attempt(this.#operation);
  }

  /** Takes the operation under way for lost. */
  giveUp(): void {
    if (this.#operation !== undefined) this.#end("info");
  }

  #attempt(operation: Operation): void {
    if (++operation.attempts > attemptsMax) {
      this.#end(operation.isOpen ? "info" : "fail");
      return;
    }
    const host = this.#host;
    const attempt = operation.attempts;
    const isCurrent = () => this.#operation === operation && operation.attempts === attempt;
    let isAnswered = false;
    const answer = (result: Answer) => {
      const delayMs = this.#surroundings.delayMs();
      if (isAnswered || delayMs === undefined) return;
      isAnswered = true;
      this.#surroundings.after(delayMs, () => {
        if (isCurrent()) this.#onAnswer(operation, result);
      });
    };
    const delayMs = this.#surroundings.delayMs();
    if (delayMs !== undefined) {
      this.#surroundings.after(delayMs, () => {
        if (host.member === undefined) answer(new Error("connection refused"));
        else this.#ask(host, operation, answer);
      });
    }
    this.#surroundings.after(this.#random.between(...answerMs), () => {
      if (!isCurrent()) return;
      // Whatever it was, it may be on its way still.
      operation.isOpen = true;
      this.#goElsewhere();
      this.#attempt(operation);
    });
  }

  #ask(
    host: SimulatedHost,
    { f, key, value, expected, id, isWide, bulk, attempts }: Operation,
    answer: (result: Answer) => void,
  ): void {
    host.step((member) => {
      if (f === "read") {
        member.read(host.nowMs, (outcome) => {
          if (outcome instanceof Error) answer(outcome);
          else answer({ read: (member.state.get(key) as Value | undefined) ?? null, index: outcome });
          if (host.member === member) this.#surroundings.onLook(host);
        });
        return;
      }
      const condition = f === "cas" ? { expected: { value: expected ?? undefined } } : {};
      const request = { key, value: value ?? undefined, id, ...condition } as Parameters<
        typeof member.propose
      >[0];
      const onOutcome = (outcome: Committed | Error) => {
        if (!(outcome instanceof Error)) this.#surroundings.onAcknowledged(id, outcome);
        answer(outcome);
      };
      const twins = twinKeys.map((twin) => ({ key: twin, value: value as string }));
      const puts = [request, ...twins];
      if (bulk !== undefined) this.#draft(host, { puts: [...puts, ...bulk], id }, attempts, onOutcome);
      else if (isWide) member.proposeAll({ puts, id }, host.nowMs, onOutcome);
      else member.propose(request, host.nowMs, onOutcome);
    });
  }

  /** Tried before, it may be adopted already. */
  #draft(host: SimulatedHost, request: ProposeAllRequest, attempts: number, done: Done<Committed>): void {
    const random = new Random(this.#random.seed());
    const surroundings: DraftSurroundings = {
      random,
      after: (delayMs, what) => this.#surroundings.after(delayMs, what),
      onAdopting: () => this.#surroundings.onAdopting(host),
    };
    const isRetry = attempts > 1 && random.chance(0.5);
    this.#surroundings.after(0, () => writeByDraft(host, request, isRetry, surroundings, done));
  }

  #onAnswer(operation: Operation, result: Answer): void {
    if (!(result instanceof Error)) {
      const value = "read" in result ? result.read : operation.value;
      this.#note(operation.key, value, result.index);
      this.#end("ok", value);
    } else if (result instanceof ConditionFailed && result.key.startsWith(draftKeyPrefix)) {
      // The pieces are another's by now, or gone.
      this.#tryAgain(operation, result);
    } else if (result instanceof ConditionFailed) {
      this.#note(operation.key, (result.found as Value | undefined) ?? null, result.index);
      // Asked under this id for the first time and nothing on its way: it certainly was refused.
      this.#end(operation.isOpen ? "info" : "fail", undefined, !operation.isOpen);
    } else if (result instanceof OutcomeForgotten) {
      this.#end(operation.isOpen ? "info" : "fail");
    } else {
      this.#tryAgain(operation, result);
    }
  }

  #tryAgain(operation: Operation, error: Error): void {
    if (error instanceof OutcomeUnknown || error instanceof ReplicaStopped) operation.isOpen = true;
    const leader = error instanceof NotLeader ? error.leaderId : undefined;
    if (leader === undefined) this.#goElsewhere();
    else this.#host = this.#surroundings.hosts.find(({ name }) => name === nameOf(leader)) ?? this.#host;
    this.#surroundings.after(this.#random.between(10, 300), () => {
      if (this.#operation === operation) this.#attempt(operation);
    });
  }

  #note(key: string, value: Value, index: number): void {
    this.#knownIndex = Math.max(this.#knownIndex, index);
    this.#seen.set(key, value);
  }

  #goElsewhere(): void {
    this.#host = this.#random.pick(this.#surroundings.hosts);
  }

  #end(type: "ok" | "fail" | "info", value?: Value, refused = false): void {
    const { f, value: written, expected, bulk } = this.#operation!;
    if (bulk !== undefined && type !== "ok") this.#surroundings.onDraft("givenUp");
    const given = f === "cas" ? ([expected, written] as const) : f === "read" ? (value ?? null) : written;
    this.#record(type, given, refused);
    this.#operation = undefined;
    // The old one's operation may still be going on.
    if (type === "info") this.#process = this.#surroundings.newProcess();
  }

  #record(type: HistoryEvent["type"], value: HistoryEvent["value"], refused = false): void {
    const { f, key } = this.#operation!;
    const time = this.#surroundings.nowMs;
    const event = { process: this.#process, type, f, key, value, time };
    this.#surroundings.record(refused ? { ...event, refused } : event);
  }
}
