/** State-machine safety of a snapshot: it is the state that the committed entries up to there lead to. */
import type { SnapshotItem } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import type { Member } from "../../../protocols/raft/group/member.ts";
import { hex, type Safety, UnsafeStep } from "../safety.ts";

export class SnapshotCheck {
  readonly #safety: Safety;

  constructor(safety: Safety) {
    this.#safety = safety;
  }

  check(member: Member, items: readonly SnapshotItem[]): void {
    const { snapshot } = member.disk;
    const index = snapshot?.index ?? 0;
    if (index > this.#safety.committedCount) {
      throw new UnsafeStep(
        "state-machine safety",
        `${member.id} takes a snapshot of ${index}, which nobody committed`,
      );
    }
    const given = items.map(itemToText).join(" ");
    const right = this.#stateAt(index);
    if (given !== right) {
      throw new UnsafeStep(
        "state-machine safety",
        `${member.id} takes ${given} for the state at ${index}: it is ${right}`,
      );
    }
    if (hex(snapshot!.hash) !== this.#safety.committedHash(index)) {
      throw new UnsafeStep("hash chain", `${member.id} takes a snapshot of ${index} with another hash`);
    }
  }

  /** In the plainest way: all entries from the first on. */
  #stateAt(index: number): string {
    let configuration = "";
    const puts = new Map<string, string>();
    for (let at = 1; at <= index; at++) {
      const entry = this.#safety.committed(at);
      if (entry.kind === EntryKind.membership) configuration = itemToText(entry);
      else if (entry.kind === EntryKind.put) puts.set(keyOf(entry.data), itemToText(entry));
    }
    const sorted = [...puts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
    return [configuration, ...sorted].join(" ");
  }
}

function itemToText({ kind, version, data }: SnapshotItem): string {
  return `${kind}.${version}.${hex(data)}`;
}

function keyOf(data: Uint8Array): string {
  return Buffer.from(data).toString("latin1").split("=", 1)[0]!;
}
