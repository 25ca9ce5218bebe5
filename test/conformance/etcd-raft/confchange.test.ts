import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Change, Configuration } from "../../../protocols/raft/confchange.ts";
import {
  enterJoint,
  isJoint,
  leaveJoint,
  membersOf,
  noConfiguration,
  simpleChange,
} from "../../../protocols/raft/confchange.ts";
import { MembershipRefused } from "../../../protocols/raft/errors.ts";
import { Progress } from "../../../protocols/raft/progress.ts";
import { readCases } from "../raft/case-file.ts";

describe("etcd's cases of membership changes", () => {
  const folder = join(import.meta.dirname, "confchange");
  let count = 0;

  it.each(readdirSync(folder))("%s", (file) => {
    const group = new ChangingGroup();
    for (const { line, command, expected } of readCases(join(folder, file))) {
      expect({ line, command, answer: group.run(command) }).toEqual({ line, command, answer: expected });
      count++;
    }
  });

  it("are all there", () => {
    expect(count).toBe(58);
  });
});

/** A configuration, what is known of its members, and a log that grows by an entry with each command. */
class ChangingGroup {
  #configuration: Configuration = noConfiguration;
  readonly #progress = new Map<string, Progress>();
  #lastIndex = 0;

  run(command: string): string {
    const [line = "", ...inputs] = command.split("\n");
    const changes = inputs.flatMap((input) => input.split(" ")).map(changeFrom);
    try {
      this.#configuration = this.#changed(line, changes);
      this.#follow();
      return this.#text();
    } catch (error) {
      if (!(error instanceof MembershipRefused)) throw error;
      return reasons.find(([ours]) => error.message.startsWith(ours))?.[1] ?? error.message;
    } finally {
      this.#lastIndex++;
    }
  }

  #changed(line: string, changes: readonly Change[]): Configuration {
    const [verb, argument] = line.split(" ");
    switch (verb) {
      case "simple":
        return simpleChange(this.#configuration, changes);
      case "enter-joint":
        return enterJoint(this.#configuration, argument === "autoleave=true", changes);
      case "leave-joint":
        return leaveJoint(this.#configuration);
      default:
        throw new Error(`unknown command ${line}`);
    }
  }

  #follow(): void {
    const members = membersOf(this.#configuration);
    for (const id of this.#progress.keys()) if (!members.includes(id)) this.#progress.delete(id);
    for (const id of members) {
      if (!this.#progress.has(id)) this.#progress.set(id, new Progress(Math.max(this.#lastIndex, 1)));
    }
  }

  #text(): string {
    const { voters, outgoing, learners, learnersNext, autoLeave } = this.#configuration;
    const half = isJoint(this.#configuration) ? `&&${listText(outgoing)}` : "";
    const parts = [`voters=${listText(voters)}${half}`];
    if (learners.length > 0) parts.push(`learners=${listText(learners)}`);
    if (learnersNext.length > 0) parts.push(`learners_next=${listText(learnersNext)}`);
    if (autoLeave) parts.push("autoleave");
    const lines = sorted([...this.#progress.keys()]).map((id) => {
      const { state, matchIndex, nextIndex } = this.#progress.get(id)!;
      const role = learners.includes(id) ? " learner" : "";
      return `${id}: ${states[state]} match=${matchIndex} next=${nextIndex}${role}`;
    });
    return [parts.join(" "), ...lines].join("\n");
  }
}

const states = { probe: "StateProbe", replicate: "StateReplicate", snapshot: "StateSnapshot" };

/** How our refusals begin, and etcd's words for the same. */
const reasons = [
  ["Nobody would vote any more", "removed all voters"],
  ["A simple change is of one voter", "more than one voter changed without entering joint config"],
  ["A change of several voters is under way", "can't apply simple config change in joint config"],
  ["The configuration is joint already", "config is already joint"],
  ["The configuration is not joint", "can't leave a non-joint config"],
  ["Nobody votes yet", "can't make a zero-voter config joint"],
] as const;

/** `v1`, `l1`, `r1`, `u1`; etcd's id 0 names nobody. */
function changeFrom(word: string): Change {
  const kinds = { v: "voter", l: "learner", r: "remove", u: "update" } as const;
  const kind = kinds[word[0] as keyof typeof kinds];
  if (kind === undefined) throw new Error(`unknown change ${word}`);
  return { kind, id: word === `${word[0]}0` ? "" : word.slice(1) };
}

function listText(ids: readonly string[]): string {
  return `(${sorted(ids).join(" ")})`;
}

function sorted(ids: readonly string[]): string[] {
  return ids.toSorted((a, b) => Number(a) - Number(b));
}
