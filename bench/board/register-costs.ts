/**
 * What one change of a register takes of a board, on the chip's instruction set: of an acceptor (a prepare, an accept and what was decided, as bytes; both answers, and twice what it keeps), and of
 * the proposer among three boards. Without the sessions' sealing and the flash's writing. `node bench/board/register-costs.ts` prints it.
 */
import { fileURLToPath } from "node:url";
import { joinCore } from "../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../host-tools/bundler/const-declarations.ts";
import { bytes, printTable } from "../table.ts";
import { measurePreloaded } from "./codec-costs.ts";
import type { Codec } from "./codecs.ts";
import { ampleMemory } from "./memory.ts";

async function registers(): Promise<Codec> {
  const core = await joinCore(fileURLToPath(new URL("register-core.ts", import.meta.url)));
  return {
    name: "registers",
    source: constDeclarations(core.code),
    use,
    operations: ["acceptor", "proposer", "member"],
  };
}

/** Changes that are prepared: each operation is done three times. */
const use = `
  const encoder = new codec.CborEncoder(512);
  const text = (message) => encoder.encode(codec.paxosMessageToWire(message)).slice();
  const read = (bytes) => codec.paxosMessageFromWire(codec.decodeCbor(bytes));
  const members = ["north-1.5f3a90c2", "north-2.11111111", "south-1.22222222"];
  const base = { version: 0, value: 21, by: "", request: 0, atMs: 0 };
  const group = { epoch: 3, isClosing: false, members, base: [base, base, base],
    registers: ["setpoint", "limit", "spare"].map((name) => ({ name, kind: "number", min: 0, max: 100 })) };
  const make = (memberId) => {
    const member = new codec.Member({ memberId, random: () => 0.5 }, undefined);
    member.onGroup(group, 0);
    member.onKept();
    return member;
  };
  const state = (version, by) => ({ version, value: 20 + version / 10, by, request: 0x12345678 + version, atMs: 1800000000000 + version });
  let sent = 0;
  const out = (member, output) => {
    if (output.keep !== undefined) member.onKept();
    for (const { message } of output.messages) sent += text(message).length;
    return output.outcomes.length;
  };
  const at = { epoch: 3, register: 0 };
  const asked = [1, 2, 3, 4].map((n) => [
    text({ kind: "prepare", ...at, ballot: 8 * n + 1 }),
    text({ kind: "accept", ...at, ballot: 8 * n + 1, state: state(n, "north-2") }),
    text({ kind: "decided", ...at, ballot: 8 * n + 1, state: state(n, "north-2") }),
  ]);
  const answered = [1, 2, 3, 4].map((n) => [
    text({ kind: "promise", ...at, ballot: 8 * n, accepted: n > 1 ? 8 * n - 8 : 0, isChosen: true, state: n > 1 ? state(n - 1, "north-1") : base }),
    text({ kind: "accepted", ...at, ballot: 8 * n }),
  ]);
  const acceptor = make(members[0]);
  const proposer = make(members[0]);
  let [accepted, proposed] = [0, 0];
  const kept = [];
  const operations = {
    acceptor: () => {
      for (const bytes of asked[accepted++]) out(acceptor, acceptor.take("north-2", read(bytes), 10));
      return 1;
    },
    proposer: () => {
      const { value, request, atMs } = state(proposed + 1, "north-1");
      out(proposer, proposer.propose({ register: "setpoint", request, value, ifVersion: undefined, atMs, deadlineMs: 9000 }, 10));
      let outcomes = 0;
      for (const bytes of answered[proposed++]) outcomes += out(proposer, proposer.take("south-1", read(bytes), 20));
      if (outcomes !== 1) throw new Error("it did not come to an end");
      return 2;
    },
    member: () => { kept.push(make(members[0])); return 3; },
  };`;

const costs = await measurePreloaded(await registers(), ampleMemory);
const names: Readonly<Record<string, string>> = {
  acceptor: "one change at an acceptor",
  proposer: "one change at its proposer, of three boards",
  member: "a member of a group with three registers, made",
};
printTable(
  "Registers on rv32imac, without sealing and flash",
  costs.map(({ name, instructions, allocatedBytes }) => ({
    what: names[name]!,
    figure: `${(instructions / 1e6).toFixed(2)} M instructions`,
    how: `${bytes(allocatedBytes)} allocated`,
  })),
);
