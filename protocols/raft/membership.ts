/**
 * Who belongs to the group: the data of a `membership` entry, and the memory of which configuration holds.
 *
 * A configuration holds from the moment its entry is appended, committed or not, and the one before it holds again when
 * the entry is truncated (Ongaro's thesis, section 4.1). What may follow on what is in `confchange.ts`; that the one before is
 * committed first, and an entry of the leader's own term, is seen to here.
 *
 * ```
 * version 1    [voter, ...]                                                       voters alone, as nearly always
 * version 2    [[voter, ...], [outgoing, ...], [learner, ...], [learner next, ...], auto leave]
 * ```
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import type { CborValue } from "../cbor/value.ts";
import type { Configuration } from "./confchange.ts";
import { isJoint, isVoter, noConfiguration } from "./confchange.ts";
import { MembershipRefused } from "./errors.ts";
import type { Entry, MemberId, RaftLog, SnapshotPlace } from "./types.ts";
import { EntryKind, limits } from "./types.ts";

/** Version and data of the entry that makes `configuration`: the oldest version that can say it, so that older hosts read it too. */
export function configurationToEntry(configuration: Configuration): { version: number; data: Uint8Array } {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  if (!isJoint(configuration) && learners.length === 0) return { version: 1, data: encodeCbor([...voters]) };
  const lists = [voters, outgoing, learners, learnersNext].map((ids): CborValue => [...ids]);
  return { version: 2, data: encodeCbor([...lists, autoLeave]) };
}

/** Undefined for a version that is not known here, or data that hold no sound configuration of at most `limits.votersMax` in each list. */
export function configurationFromEntry(version: number, data: Uint8Array): Configuration | undefined {
  let value: CborValue;
  try {
    value = decodeCbor(data);
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    return undefined;
  }
  const isKnown = version === 1 || version === 2;
  if (!isKnown || !Array.isArray(value)) return undefined;
  const lists = version === 1 ? [value, [], [], []] : value.slice(0, 4);
  const [voters, outgoing, learners, learnersNext] = lists.map(idsFrom);
  const autoLeave = version === 2 && value[4] === true;
  if (!voters?.length || !outgoing || !learners || !learnersNext) return undefined;
  const configuration = { voters, outgoing, learners, learnersNext, autoLeave };
  const areLearners = !learners.some((id) => isVoter(configuration, id));
  const areLeaving = learnersNext.every((id) => outgoing.includes(id) && !voters.includes(id));
  return areLearners && areLeaving ? configuration : undefined;
}

function idsFrom(value: CborValue): readonly MemberId[] | undefined {
  if (!Array.isArray(value) || value.length > limits.votersMax) return undefined;
  const areIds = value.every((id) => typeof id === "string" && id.length > 0);
  return areIds && new Set(value).size === value.length ? (value as MemberId[]) : undefined;
}

export class Membership {
  readonly #log: RaftLog;
  readonly #id: MemberId;
  readonly #beginning: Configuration;
  /** Oldest first; the last one holds. All but the first may still be truncated. undefined when it must be read from the log anew. */
  #made: Made[] | undefined;

  /** What `log` says to the member `id`, which reads it; `beginning` is what holds before a log that was never compacted. */
  constructor(log: RaftLog, id: MemberId, beginning: Configuration) {
    this.#log = log;
    this.#id = id;
    this.#beginning = beginning;
  }

  get configuration(): Configuration {
    return this.#history.at(-1)!.configuration;
  }

  /** Index of the entry that made this configuration; or of the snapshot that told of it. */
  get index(): number {
    return this.#history.at(-1)!.index;
  }

  /**
   * Whether `id` votes, or did until a change that is not known to be committed: such a member may still be needed to commit it, so it campaigns,
   * though its own vote does not count (thesis, section 4.2.2).
   */
  mayLead(id: MemberId): boolean {
    return this.#history.some(({ configuration }) => isVoter(configuration, id));
  }

  /**
   * Takes note of an entry that is appended. One that cannot be read here, of a newer version say, makes a configuration in which nobody is known to
   * vote, so that this host does not campaign on a wrong idea of a majority.
   */
  append(entry: Pick<Entry, "index" | "kind" | "version" | "data">): void {
    if (entry.kind !== EntryKind.membership) return;
    const configuration = configurationFromEntry(entry.version, entry.data) ?? noConfiguration;
    this.#history.push({ index: entry.index, configuration });
  }

  /** The log lost `from` and all after it. */
  truncate(from: number): void {
    const history = this.#history;
    while (history.length > 1 && this.index >= from) history.pop();
  }

  /** What came before a committed configuration is never needed again. */
  commit(index: number): void {
    const history = this.#history;
    while (history.length > 1 && history[1]!.index <= index) history.shift();
  }

  /** The driver is about to install a snapshot: from the next input on, that and what follows it hold. */
  restart(): void {
    this.#made = undefined;
  }

  get #history(): Made[] {
    if (this.#made === undefined) {
      const { snapshot, lastIndex } = this.#log;
      const index = snapshot?.index ?? 0;
      this.#made = [{ index, configuration: this.#configurationAt(snapshot) }];
      for (let next = index + 1; next <= lastIndex; next++) this.append(this.#log.entry(next));
    }
    return this.#made;
  }

  /** A snapshot begins with the configuration in force at its end. */
  #configurationAt(snapshot: SnapshotPlace | undefined): Configuration {
    if (snapshot === undefined) return this.#beginning;
    const item = this.#log.snapshotItems(snapshot.index, this.#id, 0, 1)?.items[0];
    if (item?.kind !== EntryKind.membership) return noConfiguration;
    return configurationFromEntry(item.version, item.data) ?? noConfiguration;
  }

  /**
   * Throws `MembershipRefused` unless a leader may append another configuration now: the one before it committed, and an entry
   * of the leader's own term (without these, disjoint majorities can arise: Ongaro, raft-dev, July 2015).
   */
  checkSettled(leader: LeaderView): void {
    if (this.index > leader.commitIndex) {
      throw new MembershipRefused(
        "The change of voters before this one is not committed yet: try again then.",
      );
    }
    if (leader.commitTerm !== leader.term) {
      throw new MembershipRefused(`Nothing of term ${leader.term} is committed yet: try again when it is.`);
    }
  }
}

/** What a leader knows when it proposes. */
export interface LeaderView {
  readonly term: number;
  readonly commitIndex: number;
  /** Term of the entry at `commitIndex`. */
  readonly commitTerm: number | undefined;
}

interface Made {
  readonly index: number;
  readonly configuration: Configuration;
}
