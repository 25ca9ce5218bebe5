/**
 * The safety properties of Raft (paper, figure 3), of Covey's hash chain and of its commands, as an observer that knows everything. Each
 * check compares one member's latest step with what was ever seen, so a whole run costs little more than its steps.
 */
import { chainHash, emptyChain, type Sha256 } from "../../../protocols/raft/chain.ts";
import type { Entry, MemberId, RaftLog } from "../../../protocols/raft/types.ts";

export class UnsafeStep extends Error {
  override readonly name = "UnsafeStep";
  readonly property: string;

  constructor(property: string, what: string) {
    super(`${property}: ${what}`);
    this.property = property;
  }
}

/** A member as the observer sees it. */
export interface Observed {
  readonly id: MemberId;
  readonly log: RaftLog;
  readonly commitIndex: number;
  /** What lies behind this index in its log was heard from whoever may have published it: nothing is promised of it. Infinity for a log that listens to nobody. */
  readonly trustedTo: number;
  /** The term that it believes to lead. */
  readonly leads: number | undefined;
}

interface Seen {
  readonly entry: Entry;
  readonly termBefore: number;
  readonly hash: string;
  /** The only member that was ever seen with it; undefined when others were. */
  onlyHolder: MemberId | undefined;
}

export class Safety {
  readonly #sha256: Sha256;
  readonly #leaders = new Map<number, MemberId>();
  /** Every entry ever seen in any log: `index:term`. */
  readonly #seen = new Map<string, Seen>();
  readonly #committed: Seen[] = [];
  /** What was checked of a member's log: the hash at each index. */
  readonly #checked = new Map<MemberId, string[]>();
  /** The commit index that a member was last seen with. */
  readonly #commitIndexes = new Map<MemberId, number>();

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  get committedCount(): number {
    return this.#committed.length;
  }

  get leaderCount(): number {
    return this.#leaders.size;
  }

  /** The entry that is committed at `index`. */
  committed(index: number): Entry {
    return this.#committed[index - 1]!.entry;
  }

  /** The chain hash, in hexadecimal digits, after the committed entry at `index`. */
  committedHash(index: number): string {
    return index === 0 ? hex(emptyChain()) : this.#committed[index - 1]!.hash;
  }

  /** After each step of `member`. */
  check(member: Observed): void {
    this.#checkLog(member);
    this.#checkCommitted(member);
    if (member.leads !== undefined) this.#checkLeader(member, member.leads);
  }

  /** What it held may be less now. */
  crashed(id: MemberId): void {
    this.#checked.delete(id);
    this.#commitIndexes.delete(id);
  }

  /** State-machine safety: nobody applies another entry than was committed at that index. */
  applied(id: MemberId, entry: Entry): void {
    const committed = this.#committed[entry.index - 1];
    if (committed === undefined) {
      throw new UnsafeStep("state-machine safety", `${id} applies ${textOf(entry)}, which nobody committed`);
    }
    if (!isSame(committed.entry, entry)) {
      throw new UnsafeStep(
        "state-machine safety",
        `${id} applies ${textOf(entry)}; committed is ${textOf(committed.entry)}`,
      );
    }
  }

  /** Election safety: at most one leader a term. Leader completeness: it has all that was committed before. */
  #checkLeader({ id, log }: Observed, term: number): void {
    const known = this.#leaders.get(term);
    if (known === id) return;
    if (known !== undefined)
      throw new UnsafeStep("election safety", `${known} and ${id} both lead term ${term}`);
    // A leader of an older term that is only now noticed is not possible: every step is checked.
    this.#leaders.set(term, id);
    const index = this.#committed.length;
    if (index === 0) return;
    const own = log.lastIndex < index ? undefined : log.hashAt(index);
    if (own === undefined || hex(own) !== this.committedHash(index)) {
      const what = own === undefined ? `a log that ends at ${log.lastIndex}` : "another entry";
      throw new UnsafeStep(
        "leader completeness",
        `${id} leads term ${term} with ${what}; ${textOf(this.committed(index))} was committed`,
      );
    }
  }

  /** What a member believes to be committed is, for ever and for all. */
  #checkCommitted({ id, log, commitIndex }: Observed): void {
    const before = this.#commitIndexes.get(id) ?? 0;
    if (commitIndex === before) return;
    this.#commitIndexes.set(id, commitIndex);
    for (let index = this.#committed.length + 1; index <= commitIndex; index++) {
      if (index < log.firstIndex || index > log.lastIndex) {
        throw new UnsafeStep(
          "state-machine safety",
          `${id} commits ${index}, which nobody holds as committed`,
        );
      }
      this.#committed.push(this.#seen.get(`${index}:${log.termAt(index)}`)!);
    }
    const own = log.hashAt(commitIndex);
    if (commitIndex > 0 && own !== undefined && hex(own) !== this.committedHash(commitIndex)) {
      throw new UnsafeStep(
        "state-machine safety",
        `${id} commits ${commitIndex} of term ${log.termAt(commitIndex)}; committed was ${textOf(this.committed(commitIndex))}`,
      );
    }
  }

  /** Raft paper, figure 13, rule 6: whoever has a snapshot's last entry keeps what follows on it, which it may have acknowledged. */
  #checkSnapshot(
    id: MemberId,
    { snapshot, firstIndex, lastIndex }: RaftLog,
    checked: readonly string[],
  ): void {
    if (snapshot === undefined || lastIndex !== snapshot.index || firstIndex !== lastIndex + 1) return;
    if (checked.length - 1 > lastIndex && checked[lastIndex] === hex(snapshot.hash)) {
      throw new UnsafeStep(
        "acknowledged entries",
        `${id} drops ${lastIndex + 1} to ${checked.length - 1} for a snapshot of ${lastIndex}, which it had`,
      );
    }
  }

  /** Log matching: an index and term name one entry, and one log before it, whose hash is what everyone says. */
  #checkLog({ id, log, trustedTo }: Observed): void {
    let checked = this.#checked.get(id);
    if (checked === undefined) {
      checked = [];
      this.#checked.set(id, checked);
    }
    this.#checkSnapshot(id, log, checked);
    const last = Math.min(log.lastIndex, trustedTo);
    let agreed = Math.min(last, checked.length - 1);
    while (agreed >= log.firstIndex && checked[agreed] !== hex(log.hashAt(agreed)!)) agreed--;
    for (let index = Math.max(agreed + 1, log.firstIndex); index <= last; index++) {
      const before = log.hashAt(index - 1);
      const entry = log.entry(index);
      const hash = hex(log.hashAt(index)!);
      const termBefore = log.termAt(index - 1) ?? -1;
      const key = `${index}:${entry.term}`;
      const known = this.#seen.get(key);
      const isMatch =
        known !== undefined &&
        isSame(known.entry, entry) &&
        known.termBefore === termBefore &&
        known.hash === hash;
      // What a crash took from the only one that had it, never was: a lone voter may even lead the same term again.
      if (known === undefined || (!isMatch && known.onlyHolder === id && index > this.#committed.length)) {
        const right = before === undefined ? hash : hex(chainHash(before, entry, this.#sha256));
        if (right !== hash) throw new UnsafeStep("hash chain", `${id} has ${hash} at ${index}, not ${right}`);
        this.#seen.set(key, { entry, termBefore, hash, onlyHolder: id });
      } else if (!isMatch) {
        const own = `${textOf(entry)} after term ${termBefore}, hash ${hash}`;
        const other = `${textOf(known.entry)} after term ${known.termBefore}, hash ${known.hash}`;
        throw new UnsafeStep("log matching", `${id} holds ${own}; elsewhere it is ${other}`);
      }
      if (known !== undefined && isMatch && known.onlyHolder !== id) known.onlyHolder = undefined;
      checked[index] = hash;
    }
    checked.length = last + 1;
  }
}

export function textOf({ index, term, kind, data }: Entry): string {
  return `entry ${index} of term ${term} (kind ${kind}, ${data.length} bytes ${hex(data.subarray(0, 24))})`;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

function isSame(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.index !== b.index || a.term !== b.term || a.kind !== b.kind || a.version !== b.version) return false;
  return Buffer.compare(a.data, b.data) === 0;
}
