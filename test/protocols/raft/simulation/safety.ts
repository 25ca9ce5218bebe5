/**
 * The safety properties of Raft (paper, figure 3) as an observer that knows everything. Each check compares one member's latest
 * step with what was ever seen, so a whole run costs little more than its steps.
 */
import type { Entry, MemberId } from "../../../../protocols/raft/types.ts";
import type { Member } from "../group/member.ts";

export class UnsafeStep extends Error {
  override readonly name = "UnsafeStep";
  readonly property: string;

  constructor(property: string, what: string) {
    super(`${property}: ${what}`);
    this.property = property;
  }
}

export class Safety {
  readonly #leaders = new Map<number, MemberId>();
  /** Every entry ever seen in any log, with the term before it: `index:term` to text. */
  readonly #entries = new Map<string, string>();
  /** Committed entries as first applied anywhere. */
  readonly #committed: string[] = [];
  readonly #checkedTo = new Map<MemberId, readonly Entry[]>();

  get committedCount(): number {
    return this.#committed.length;
  }

  get leaderCount(): number {
    return this.#leaders.size;
  }

  /** After each step of `member`. */
  check(member: Member): void {
    this.#checkLog(member);
    if (member.node?.role === "leader") this.#checkLeader(member);
  }

  /** State-machine safety: no two members apply different entries at one index. */
  applied(member: Member, entry: Entry): void {
    const text = textOf(entry);
    const first = this.#committed[entry.index - 1];
    if (first === undefined) {
      if (entry.index !== this.#committed.length + 1) {
        throw new UnsafeStep("state-machine safety", `${member.id} skips to ${entry.index}`);
      }
      this.#committed.push(text);
    } else if (first !== text) {
      throw new UnsafeStep("state-machine safety", `${member.id} applies ${text}; applied was ${first}`);
    }
  }

  /** Election safety: at most one leader a term. Leader completeness: it has all that was committed before. */
  #checkLeader(member: Member): void {
    const term = member.node!.term;
    const known = this.#leaders.get(term);
    if (known === member.id) return;
    if (known !== undefined) {
      throw new UnsafeStep("election safety", `${known} and ${member.id} both lead term ${term}`);
    }
    // A leader of an older term that is only now noticed is not possible: every step is checked.
    this.#leaders.set(term, member.id);
    this.#committed.forEach((text, at) => {
      const entry = member.disk.entries[at];
      const own = entry === undefined ? "nothing" : textOf(entry);
      if (own !== text) {
        throw new UnsafeStep(
          "leader completeness",
          `${member.id} leads term ${term} with ${own}, not ${text}`,
        );
      }
    });
  }

  /** Log matching: an index and term name one entry, and one log before it. */
  #checkLog(member: Member): void {
    const entries = member.disk.entries;
    const before = this.#checkedTo.get(member.id);
    if (before === entries) return;
    let from = 0;
    if (before !== undefined) while (from < before.length && before[from] === entries[from]) from++;
    for (let at = from; at < entries.length; at++) {
      const entry = entries[at]!;
      const key = `${entry.index}:${entry.term}`;
      const text = `${textOf(entry)} after term ${entries[at - 1]?.term ?? 0}`;
      const known = this.#entries.get(key);
      if (known !== undefined && known !== text) {
        throw new UnsafeStep("log matching", `${member.id} holds ${text}; elsewhere it is ${known}`);
      }
      this.#entries.set(key, text);
    }
    this.#checkedTo.set(member.id, entries);
  }
}

function textOf(entry: Entry): string {
  return `${entry.index}:${entry.term}:${entry.kind}:${String.fromCharCode(...entry.data)}`;
}
