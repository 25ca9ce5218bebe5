/**
 * Who votes: the data of a `membership` entry, and the memory of which configuration holds.
 *
 * A configuration holds from the moment its entry is appended, committed or not, and the one before it holds again when
 * the entry is truncated (Ongaro's thesis, section 4.1). Any two configurations in a row differ by one voter, so any
 * majority of one shares a member with any majority of the other.
 */
import type { CborValue } from "../cbor/value.ts";
import { MembershipRefused } from "./errors.ts";
import type { HostLog, MemberId } from "./types.ts";
import { EntryKind, limits } from "./types.ts";

/** Version of the data of a membership entry: the CBOR array of the voters' ids. */
export const membershipVersion = 1;

/** Bytes to voters, with the host's CBOR; undefined when they hold no list of 1 to `limits.votersMax` ids. */
export type DecodeVoters = (data: Uint8Array) => readonly MemberId[] | undefined;

/** What `DecodeVoters` does after the CBOR. */
export function votersFromWire(value: CborValue): readonly MemberId[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > limits.votersMax) return undefined;
  const areIds = value.every((id) => typeof id === "string" && id.length > 0);
  return areIds && new Set(value).size === value.length ? (value as MemberId[]) : undefined;
}

export class Membership {
  readonly #decodeVoters: DecodeVoters;
  /** Oldest first; the last one holds. All but the first may still be truncated. */
  readonly #configurations: Configuration[] = [{ index: 0, voters: Object.freeze([]) }];

  constructor(log: HostLog, decodeVoters: DecodeVoters) {
    this.#decodeVoters = decodeVoters;
    for (let index = log.firstIndex; index <= log.lastIndex; index++) this.append(log.entry(index));
  }

  get voters(): readonly MemberId[] {
    return this.#configurations.at(-1)!.voters;
  }

  /** Index of the entry that made this configuration; 0 when there never was one. */
  get index(): number {
    return this.#configurations.at(-1)!.index;
  }

  /** Takes note of an appended entry; one of another kind, or that this version cannot read, changes nothing. */
  append(entry: {
    readonly index: number;
    readonly kind: number;
    readonly version: number;
    readonly data: Uint8Array;
  }): void {
    if (entry.kind !== EntryKind.membership || entry.version !== membershipVersion) return;
    const voters = this.#decodeVoters(entry.data);
    if (voters !== undefined) this.#configurations.push({ index: entry.index, voters });
  }

  /** The log lost `from` and all after it. */
  truncate(from: number): void {
    while (this.index >= from) this.#configurations.pop();
  }

  /** What came before a committed configuration is never needed again. */
  commit(index: number): void {
    while (this.#configurations.length > 1 && this.#configurations[1]!.index <= index) {
      this.#configurations.shift();
    }
  }

  /**
   * Throws `MembershipRefused` unless a leader may append `data` as the next configuration: one voter more or less, the change
   * before it committed, and an entry of the leader's own term committed (without the latter two, disjoint majorities
   * can arise: Ongaro, raft-dev, July 2015).
   */
  check(data: Uint8Array, leader: LeaderView): void {
    const voters = this.#decodeVoters(data);
    if (voters === undefined) {
      throw new MembershipRefused(
        `The voters must be a list of 1 to ${limits.votersMax} different member ids.`,
      );
    }
    if (!voters.includes(leader.id)) {
      throw new MembershipRefused(
        `${leader.id} leads and cannot remove itself: let another host lead first.`,
      );
    }
    if (this.index > leader.commitIndex) {
      throw new MembershipRefused(
        "The change of voters before this one is not committed yet: try again then.",
      );
    }
    if (leader.commitTerm !== leader.term) {
      throw new MembershipRefused(`Nothing of term ${leader.term} is committed yet: try again when it is.`);
    }
    const added = voters.filter((id) => !this.voters.includes(id)).length;
    const removed = this.voters.filter((id) => !voters.includes(id)).length;
    if (added + removed !== 1) {
      throw new MembershipRefused(
        `Voters change one at a time: this adds ${added} and removes ${removed}; split it into single changes.`,
      );
    }
  }
}

/** What a leader knows when it proposes. */
export interface LeaderView {
  readonly id: MemberId;
  readonly term: number;
  readonly commitIndex: number;
  /** Term of the entry at `commitIndex`. */
  readonly commitTerm: number | undefined;
}

interface Configuration {
  readonly index: number;
  readonly voters: readonly MemberId[];
}
