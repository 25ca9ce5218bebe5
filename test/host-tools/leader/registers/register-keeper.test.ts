/** Groups and their succession, and what is written down of what boards choose: the leader's rules over the boards' own core. */
import { beforeEach, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import type { RegistersDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { copyKey } from "../../../../protocols/paxos/copy.ts";
import { groupFromWire, groupToWire } from "../../../../protocols/paxos/group.ts";
import { groupKey } from "../../../../protocols/paxos/types.ts";
import { AgreeingBoards } from "./agreeing-boards.ts";

const declared: RegistersDefinition = {
  boards: ["north", "south", "gate"],
  names: {
    emergency: { type: "boolean", initial: false },
    setpoint: { type: "number", unit: "°C", min: 5, max: 35, initial: 21 },
    coordinator: { type: "coordinator" },
  },
};

let swarm: AgreeingBoards;

beforeEach(async () => {
  swarm = new AgreeingBoards(declared);
  for (const name of declared.boards) swarm.add(name, "1");
  await swarm.settle();
});

function versions(register: string): number[] {
  return swarm
    .agreed()
    .history(register)!
    .said.changes.map(({ version }) => version);
}

test("the first group waits until every board was here once, and then has the initial values", async () => {
  const late = new AgreeingBoards(declared);
  late.add("north", "1");
  late.add("south", "1");
  await late.settle();
  expect(late.values.has(groupKey)).toBe(false);
  expect(late.keeper.missing).toEqual(["gate"]);
  late.add("gate", "1");
  await late.settle();
  expect(late.group).toMatchObject({ epoch: 1, isClosing: false, members: ["gate.1", "north.1", "south.1"] });
  expect(late.copy("setpoint")).toEqual({ value: 21, version: 0 });
});

test("nothing goes on in the log while nothing changes", async () => {
  const { entries } = swarm;
  await swarm.settle(60_000);
  expect(swarm.entries).toBe(entries);
});

test("what boards chose while no host was there is written down once each, whoever tells it first", async () => {
  for (const name of declared.boards) swarm.connect(name, false);
  swarm.propose("north", "emergency", true);
  swarm.propose("south", "emergency", false);
  swarm.propose("gate", "emergency", true);
  await swarm.settle();
  expect(swarm.copy("emergency")).toEqual({ value: false, version: 0 });
  swarm.lead();
  swarm.connect("gate", true);
  await swarm.settle();
  for (const name of declared.boards) swarm.connect(name, true);
  await swarm.settle();
  expect(swarm.copy("emergency")).toEqual({ value: true, version: 3 });
  expect(versions("emergency")).toEqual([1, 2, 3]);
  for (const { member } of swarm.boards.values()) expect(member.untold).toEqual([]);
});

test("what is told late goes into the history, and the latest stays the copy", async () => {
  const tell = (version: number, value: boolean) => {
    const state = { version, value, by: "north", request: version, atMs: 0 };
    swarm.keeper.onChosen("north", {
      kind: "chosen",
      chosen: [{ register: "emergency", epoch: 1, state }],
      lost: 0,
    });
  };
  tell(3, true);
  await swarm.settle();
  tell(1, false);
  tell(3, true);
  await swarm.settle();
  expect(swarm.copy("emergency")).toEqual({ value: true, version: 3 });
  expect(versions("emergency")).toEqual([1, 3]);
});

test("a leader whose entry was not agreed on tries again, and leaves no half", async () => {
  swarm.refusesNext = true;
  swarm.propose("north", "setpoint", 30);
  await swarm.settle();
  expect(swarm.copy("setpoint")).toEqual({ value: 30, version: 1 });
  expect(versions("setpoint")).toEqual([1]);
});

test("who does not lead writes nothing down", async () => {
  const { entries } = swarm;
  swarm.isLeader = false;
  swarm.propose("north", "emergency", true);
  await swarm.settle();
  expect(swarm.entries).toBe(entries);
});

test("a board that lost its memory becomes another member, and what was chosen stays", async () => {
  swarm.propose("north", "emergency", true);
  swarm.propose("north", "coordinator", "gate");
  swarm.add("north", "2");
  await swarm.settle();
  expect(swarm.group).toMatchObject({
    epoch: 2,
    isClosing: false,
    members: ["gate.1", "north.2", "south.1"],
  });
  expect(swarm.copy("emergency")).toEqual({ value: true, version: 1 });
  swarm.propose("north", "emergency", false);
  await swarm.settle();
  expect(swarm.copy("emergency")).toEqual({ value: false, version: 2 });
});

test("a change that nobody but two boards knew of is not lost by closing", async () => {
  for (const name of declared.boards) swarm.connect(name, false);
  swarm.kill("gate");
  swarm.propose("north", "setpoint", 12);
  swarm.kill("north");
  swarm.connect("south", true);
  swarm.add("gate", "2");
  swarm.lead();
  await swarm.settle();
  // One of three old members is there: it must not begin without a majority.
  expect(swarm.group.epoch).toBe(1);
  swarm.boards.get("north")!.isDead = false;
  swarm.connect("north", true);
  await swarm.settle();
  expect(swarm.group).toMatchObject({ epoch: 2, members: ["gate.2", "north.1", "south.1"] });
  expect(swarm.copy("setpoint")).toEqual({ value: 12, version: 1 });
});

test("a group is closed only where a majority of it is there to open the next one", async () => {
  swarm.connect("south", false);
  swarm.add("gate", "2");
  await swarm.settle();
  expect(swarm.group).toMatchObject({ epoch: 1, isClosing: false });
  swarm.propose("north", "emergency", true);
  await swarm.settle();
  expect(swarm.copy("emergency")).toEqual({ value: true, version: 1 });
});

test("registers that are declared, changed and taken out follow swarm.ts", async () => {
  swarm.propose("north", "emergency", true);
  swarm.propose("north", "setpoint", 33);
  await swarm.settle();
  const { emergency, coordinator } = declared.names;
  swarm.declared = {
    boards: declared.boards,
    names: {
      emergency: emergency!,
      coordinator: coordinator!,
      setpoint: { type: "number", unit: "°C", min: 5, max: 30, initial: 20 },
      note: { type: "text", initial: "calm" },
    },
  };
  swarm.lead();
  await swarm.settle();
  expect(swarm.group.epoch).toBe(2);
  expect(swarm.copy("emergency")).toEqual({ value: true, version: 1 });
  expect(swarm.copy("setpoint")).toEqual({ value: 20, version: 2 });
  expect(swarm.copy("note")).toEqual({ value: "calm", version: 0 });
  swarm.declared = { boards: declared.boards, names: { emergency: emergency! } };
  swarm.lead();
  await swarm.settle();
  expect(swarm.group.registers.map(({ name }) => name)).toEqual(["emergency"]);
  expect([...swarm.values.keys()].filter((key) => key.includes("setpoint") || key.includes("note"))).toEqual(
    [],
  );
});

test("a register that is declared anew begins anew, whatever is told of its former life", async () => {
  swarm.connect("north", false);
  swarm.propose("north", "setpoint", 33);
  const { emergency, setpoint } = declared.names;
  swarm.declared = { boards: declared.boards, names: { emergency: emergency! } };
  swarm.lead();
  await swarm.settle();
  swarm.declared = { boards: declared.boards, names: { emergency: emergency!, setpoint: setpoint! } };
  swarm.lead();
  await swarm.settle();
  swarm.connect("north", true);
  await swarm.settle();
  expect(swarm.copy("setpoint")).toEqual({ value: 21, version: 0 });
  expect(swarm.boards.get("north")!.member.untold).toEqual([]);
});

test("a coordinator that is no member any more is nobody's", async () => {
  swarm.propose("gate", "coordinator", "gate");
  await swarm.settle();
  swarm.declared = { ...declared, boards: ["north", "south", "door"] };
  swarm.add("door", "1");
  swarm.lead();
  await swarm.settle();
  expect(swarm.group.members).toEqual(["door.1", "north.1", "south.1"]);
  expect(swarm.copy("coordinator")).toEqual({ value: "", version: 2 });
});

test("the order in which swarm.ts names boards and registers is no difference", async () => {
  const { emergency, setpoint, coordinator } = declared.names;
  swarm.declared = {
    boards: ["gate", "south", "north"],
    names: { coordinator: coordinator!, setpoint: setpoint!, emergency: emergency! },
  };
  swarm.lead();
  await swarm.settle(30_000);
  expect(swarm.group.epoch).toBe(1);
});

test("registers that are declared no longer end; those declared again are of a later epoch", async () => {
  swarm.propose("north", "emergency", true);
  await swarm.settle();
  swarm.declared = undefined;
  swarm.lead();
  await swarm.settle();
  expect(swarm.group).toMatchObject({ epoch: 2, registers: [] });
  expect(swarm.values.has(copyKey("emergency"))).toBe(false);
  swarm.declared = declared;
  swarm.lead();
  await swarm.settle();
  expect(swarm.group.epoch).toBe(3);
  expect(swarm.copy("emergency")).toEqual({ value: false, version: 0 });
});

test("a group whose majority is gone for good begins anew from what is left", async () => {
  swarm.kill("gate");
  swarm.propose("north", "emergency", true);
  await swarm.settle();
  swarm.kill("north");
  swarm.kill("south");
  // The one that is left never heard of the change, but the log did.
  swarm.boards.get("gate")!.isDead = false;
  swarm.connect("gate", true);
  swarm.add("north", "2");
  swarm.add("south", "2");
  await swarm.settle();
  expect(swarm.group.epoch).toBe(1);
  const recovered = swarm.keeper.recover(10);
  await swarm.settle(1_000);
  await recovered;
  await swarm.settle();
  expect(swarm.group).toMatchObject({
    epoch: 2,
    isClosing: false,
    members: ["gate.1", "north.2", "south.2"],
  });
  expect(swarm.copy("emergency")).toEqual({ value: true, version: 1 });
  swarm.propose("south", "emergency", false);
  await swarm.settle();
  expect(swarm.copy("emergency")).toEqual({ value: false, version: 2 });
});

test("a board cannot close for another one", async () => {
  const closing = { ...groupFromWire(decodeCbor(swarm.values.get(groupKey) as Uint8Array)), isClosing: true };
  for (const name of declared.boards) swarm.connect(name, false);
  swarm.values.set(groupKey, encodeCbor(groupToWire(closing)));
  swarm.lead();
  const accepted = closing.base.map((state) => ({ ballot: 9, state: { ...state, version: 9 } }));
  for (const member of closing.members) {
    swarm.keeper.onClosed("gate", { kind: "closed", member, epoch: 1, accepted });
  }
  expect(swarm.keeper.closed).toEqual(["gate.1"]);
});
