import { describe, expect, it } from "vitest";
import { hostFlow } from "../../../protocols/raft/node-options.ts";
import { boardFlow } from "../../../protocols/raft/progress.ts";
import type { AppendRequest, MemberId, Message } from "../../../protocols/raft/types.ts";
import { Group } from "./group/group.ts";

/** a leads; b, a host, and n, a board, have what was there; then commands pile up that nobody answers for. */
function pile(commands: number, valueBytes: number): ReadonlyMap<MemberId, AppendRequest[]> {
  const group = new Group({ hosts: ["a", "b"], boards: ["n"] });
  group.elect("a");
  group.pass(250);
  const appends = new Map<MemberId, AppendRequest[]>([
    ["b", []],
    ["n", []],
  ]);
  for (let i = 0; i < commands; i++) {
    group.put("a", `k${i}=${"v".repeat(valueBytes)}`);
    for (const message of group.waiting.splice(0)) note(appends, message);
  }
  return appends;
}

function note(appends: ReadonlyMap<MemberId, AppendRequest[]>, message: Message): void {
  if (message.type === "append-request" && message.entries.length > 0) appends.get(message.to)!.push(message);
}

describe("what is on the way to a member is bounded", () => {
  it("by appends: four to a board, sixteen to a host", () => {
    const appends = pile(40, 8);
    expect(appends.get("n")).toHaveLength(boardFlow.inflightAppendsMax);
    expect(appends.get("b")).toHaveLength(hostFlow.inflightAppendsMax);
  });

  it("by bytes: the append that passes the limit is the last", () => {
    const dataBytes = 1000 + "k0=".length;
    const many = { ...boardFlow, inflightAppendsMax: 100 };
    expect(pileWith({ ...many, inflightBytesMax: 3 * dataBytes })).toHaveLength(3);
    expect(pileWith({ ...many, inflightBytesMax: 3 * dataBytes + 1 })).toHaveLength(4);
  });

  it("in one append: 2,048 bytes and 16 entries to a board, 64 KiB and 256 entries to a host", () => {
    for (const [valueBytes, boardEntries, hostEntries] of [
      [8, 16, 256],
      [900, 2, 72],
    ] as const) {
      const group = new Group({ hosts: ["a", "b"], boards: ["n"] });
      group.elect("a");
      group.pass(250);
      for (let i = 0; i < 600; i++) group.put("a", `k${i}=${"v".repeat(valueBytes)}`);
      const most = new Map<MemberId, number>();
      group.deliver((message) => {
        if (message.type === "append-request") {
          most.set(message.to, Math.max(most.get(message.to) ?? 0, message.entries.length));
        }
        return false;
      });
      expect([most.get("n"), most.get("b")]).toEqual([boardEntries, hostEntries]);
      group.pass(250);
      for (const id of ["b", "n"]) {
        expect(group.member(id).disk.lastIndex).toBe(group.member("a").disk.lastIndex);
      }
    }
  });
});

/** What goes to a board with this flow before it answers. */
function pileWith(flow: typeof boardFlow): AppendRequest[] {
  const group = new Group({ hosts: ["a"], boards: ["n"], flowOf: () => flow });
  group.elect("a");
  group.pass(250);
  const appends = new Map<MemberId, AppendRequest[]>([["n", []]]);
  for (let i = 0; i < 10; i++) {
    group.put("a", `k${i}=${"v".repeat(1000)}`);
    for (const message of group.waiting.splice(0)) note(appends, message);
  }
  return appends.get("n")!;
}
