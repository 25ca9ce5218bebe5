/**
 * What clients ask of this host while it leads: commands, reads and changes of who votes, each answered once.
 *
 * A command is applied once although it may be retried: a leader appends none whose id its own log holds already, so no log ever does twice. And it is the leader
 * that decides a compare-and-set, on the state as it will be at the end of its log; what goes into the log is a plain put.
 */
import type { Change } from "../../../protocols/raft/confchange.ts";
import { NotLeader } from "../../../protocols/raft/errors.ts";
import type { Node } from "../../../protocols/raft/node.ts";
import type { Proposal } from "../../../protocols/raft/node-options.ts";
import type { Entry, RaftOutput } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { commandFromWire, commandToWire } from "../../../protocols/state/codec.ts";
import type { PutCommand, StateValue } from "../../../protocols/state/command.ts";
import { stateLimits } from "../../../protocols/state/command.ts";
import { adoptionToData, draftKey, draftPieces } from "../../../protocols/state/draft.ts";
import { putsToData } from "../../../protocols/state/puts.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { AppliedState } from "./applied-state.ts";
import type { CommandId } from "./command-id.ts";
import type { CommandTable } from "./command-table.ts";
import type { HostLog } from "./host-log.ts";
import type { ExpectedPut, ProposeAllRequest, ProposeRequest } from "./host-member-types.ts";
import type { Committed, Done } from "./outcomes.ts";
import { ConditionFailed, OutcomeForgotten, ReplicaStopped, StateFull, TooManyReads } from "./outcomes.ts";
import { Proposals } from "./proposals.ts";
import { Reads, readsMax } from "./reads.ts";
import { isSameValue, SpeculativeState } from "./speculative-state.ts";

/** What of its host it needs. */
export interface LeadingHost {
  readonly node: Node;
  readonly log: HostLog;
  readonly applied: AppliedState;
  readonly commands: CommandTable;
  perform(output: RaftOutput): void;
}

export class ClientRequests {
  readonly #host: LeadingHost;
  readonly #proposals = new Proposals();
  readonly #reads = new Reads();
  /** The term that this host leads, or led last. */
  #term = 0;
  /** Made when it is first needed in that term. */
  #speculative: SpeculativeState | undefined;
  #isStopped = false;

  constructor(host: LeadingHost) {
    this.#host = host;
  }

  /** See `HostMember.propose`. */
  propose(request: ProposeRequest, nowMs: number, done: Done<Committed>): void {
    const { key, value, id } = request;
    const command = id === undefined ? { key, value } : { key, value, id: id.random };
    this.#proposeOnce(id, [request], nowMs, done, (node) => node.propose(EntryKind.put, encodePut(command)));
  }

  /** See `HostMember.proposeAll`. */
  proposeAll({ puts, id }: ProposeAllRequest, nowMs: number, done: Done<Committed>): void {
    this.#proposeOnce(id, puts, nowMs, done, (node) =>
      node.propose(EntryKind.puts, putsToData(id.random, puts)),
    );
  }

  /** See `HostMember.adopt`. */
  adopt({ puts, id }: ProposeAllRequest, nowMs: number, done: Done<Committed>): void {
    let pieces: Uint8Array[];
    try {
      pieces = draftPieces(puts);
    } catch (error) {
      done(error as Error);
      return;
    }
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    const data = adoptionToData(id.random, { pieces: pieces.length, puts: puts.length, bytes });
    const removals = pieces.map((value, i) => ({ key: draftKey(i), value: undefined, expected: { value } }));
    this.#proposeOnce(id, [...puts, ...removals], nowMs, done, (node) =>
      node.propose(EntryKind.adoption, data),
    );
  }

  /** Appends what `propose` says, unless the log has it already, it may not be, or a condition does not hold. */
  #proposeOnce(
    id: CommandId | undefined,
    puts: readonly ExpectedPut[],
    nowMs: number,
    done: Done<Committed>,
    propose: (node: Node) => Proposal,
  ): void {
    this.#noteTerm();
    const { log, applied, commands, node } = this.#host;
    const index = id === undefined || !this.#isLeading ? undefined : commands.find(id.random);
    if (index !== undefined && index <= applied.index) {
      done({ index, term: log.termAt(index) });
      return;
    }
    if (index !== undefined) {
      this.#proposals.add(index, log.termAt(index)!, done);
      return;
    }
    const refusal = this.#refusalOf(id, puts);
    if (refusal !== undefined) {
      done(refusal);
      return;
    }
    for (const { key, expected } of puts) {
      if (expected === undefined) continue;
      const found = this.#speculate().get(key);
      if (isSameValue(found, expected.value)) continue;
      this.#failCondition(key, found, nowMs, done);
      return;
    }
    this.#append(() => propose(node), done);
  }

  /** See `HostMember.change`. */
  change(changes: readonly Change[], done: Done<Committed>): void {
    this.#noteTerm();
    if (this.#isStopped) done(new ReplicaStopped());
    else this.#append(() => this.#host.node.change(changes), done);
  }

  /** See `HostMember.read`; the index is at least `atLeast`. */
  read(atLeast: number, nowMs: number, done: Done<number>): void {
    if (!this.#isLeading) {
      done(this.#notLeading());
    } else if (this.#reads.isFull) {
      done(new TooManyReads(readsMax));
    } else {
      const { term, round, index, output } = this.#host.node.read(nowMs);
      this.#reads.add({ term, round, index: Math.max(index, atLeast), done });
      this.#host.perform(output);
    }
  }

  /** The log lost `from` and all after it. */
  truncated(from: number): void {
    this.#speculative = undefined;
    this.#proposals.supersede(from);
  }

  /** These entries are applied. */
  applied(entries: readonly Entry[]): void {
    this.#speculative?.forget(entries.at(-1)!.index);
    for (const { index, term } of entries) this.#proposals.settle(index, term);
  }

  /** Answers whom it can, after every output of the core. */
  settle(): void {
    this.#noteTerm();
    this.#reads.settle(this.#host.node, this.#host.applied.index);
  }

  stop(): void {
    this.#isStopped = true;
    const stopped = new ReplicaStopped();
    this.#proposals.rejectAll(stopped);
    this.#reads.rejectAll(stopped);
  }

  get #isLeading(): boolean {
    return !this.#isStopped && this.#host.node.role === "leader";
  }

  /** What was proposed in a term that this host leads no more is left to whoever leads now. */
  #noteTerm(): void {
    const { role, term } = this.#host.node;
    if (role === "leader" && term === this.#term) return;
    this.#term = term;
    this.#speculative = undefined;
    this.#proposals.leaveOpen();
  }

  #notLeading(): Error {
    return this.#isStopped ? new ReplicaStopped() : new NotLeader(this.#host.node.leaderId);
  }

  /** Why the command is not taken; a condition apart. */
  #refusalOf(id: CommandId | undefined, puts: readonly ExpectedPut[]): Error | undefined {
    if (!this.#isLeading) return this.#notLeading();
    const { applied, commands } = this.#host;
    if (id !== undefined && id.after < commands.floor) return new OutcomeForgotten(id.after, commands.floor);
    if (puts.every(({ key, value }) => value === undefined || applied.state.has(key))) return undefined;
    const state = this.#speculate();
    const { keysMax } = stateLimits;
    const added = puts.filter(({ key, value }) => value !== undefined && !state.has(key));
    const removed = puts.filter(({ key, value }) => value === undefined && state.has(key));
    const isRoom = added.length === 0 || state.size + added.length - removed.length <= keysMax;
    return isRoom ? undefined : new StateFull(added.at(-1)!.key, keysMax);
  }

  #append(propose: () => Proposal, done: Done<Committed>): void {
    let proposal: Proposal;
    try {
      proposal = propose();
    } catch (error) {
      // The core throws before it changes anything.
      done(error as Error);
      return;
    }
    const { index, term, output } = proposal;
    for (const entry of output.entries) this.#speculative?.append(entry);
    this.#proposals.add(index, term, done);
    this.#host.perform(output);
  }

  /** The value that made the condition fail counts once all that this log holds now is committed, and this host still leads. */
  #failCondition(key: string, found: StateValue | undefined, nowMs: number, done: Done<Committed>): void {
    this.read(this.#host.log.lastIndex, nowMs, (outcome) => {
      done(outcome instanceof Error ? outcome : new ConditionFailed(key, found, outcome));
    });
  }

  #speculate(): SpeculativeState {
    const { applied, log } = this.#host;
    this.#speculative ??= new SpeculativeState(
      applied.state,
      log.entries(applied.index + 1, Number.MAX_SAFE_INTEGER),
    );
    return this.#speculative;
  }
}

/** Throws `ShapeError` for what would be skipped when it is applied. */
function encodePut(command: PutCommand): Uint8Array {
  const wire = commandToWire(command);
  commandFromWire(wire);
  return encodeCbor(wire);
}
