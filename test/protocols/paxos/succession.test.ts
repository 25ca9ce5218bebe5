import { describe, expect, it } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import {
  groupBytesMost,
  groupFitsEntry,
  groupFromWire,
  groupToWire,
} from "../../../protocols/paxos/group.ts";
import type { ClosedReport } from "../../../protocols/paxos/report.ts";
import {
  closingGroup,
  firstGroup,
  isClosed,
  nextGroup,
  tellingsOf,
} from "../../../protocols/paxos/succession.ts";
import type { RegisterDefinition, RegisterState, RegisterValue } from "../../../protocols/paxos/types.ts";

const setpoint = declare({ name: "setpoint", kind: "number", min: 5, max: 35 }, 21);
const lead = declare({ name: "lead", kind: "coordinator", min: 0, max: 0 }, "");
const members = ["a.1", "b.1", "c.1"];
const closing = closingGroup(firstGroup(4, members, [setpoint, lead]));

describe("the next group", () => {
  it("begins with what was accepted in the highest ballot, of each register by itself", () => {
    const tellings = [tell("a.1", [17, 22], [8, "a"]), tell("c.1", [9, 23], [26, "c"])];
    const next = nextGroup(closing, tellings, ["c.1", "d.1", "e.1"], [setpoint, lead])!;
    expect(next).toMatchObject({ epoch: 5, isClosing: false, members: ["c.1", "d.1", "e.1"] });
    expect(next.base.map(({ value }) => value)).toEqual([22, "c"]);
  });

  it("waits for a majority of the members of that epoch, each by the id that it has there", () => {
    const reports = [
      tell("a.1", [17, 22], [0, ""]),
      tell("a.1", [17, 22], [0, ""]),
      tell("b.2", [17, 22], [0, ""]),
      { ...tell("c.1", [17, 22], [0, ""]), epoch: 3 },
      { ...tell("c.1", [17, 22], [0, ""]), accepted: [] },
      tell("c.1", [17, 99], [0, ""]),
    ];
    const tellings = tellingsOf(closing, reports);
    expect(tellings.map(({ member }) => member)).toEqual(["a.1"]);
    expect(isClosed(closing, tellings)).toBe(false);
    expect(nextGroup(closing, tellings, members, [setpoint, lead])).toBeUndefined();
    expect(isClosed(closing, [...tellings, tell("b.1", [0, 21], [0, ""])])).toBe(true);
  });

  it("is not to be had from a group that is open", () => {
    const open = firstGroup(4, members, [setpoint, lead]);
    expect(tellingsOf(open, [tell("a.1", [17, 22], [0, ""])])).toEqual([]);
    expect(isClosed(open, [tell("a.1", [1, 22], [0, ""]), tell("b.1", [1, 22], [0, ""])])).toBe(false);
  });

  it("sets back, as a change of its own, what does not fit any more", () => {
    const tellings = [tell("a.1", [17, 34], [8, "a"]), tell("b.1", [0, 21], [0, ""])];
    const narrower = declare({ name: "setpoint", kind: "number", min: 5, max: 30 }, 20);
    const next = nextGroup(closing, tellings, ["b.1", "c.1", "d.1"], [narrower, lead])!;
    expect(next.base).toMatchObject([
      { version: 18, value: 20, by: "" },
      { version: 9, value: "", by: "" },
    ]);
  });

  it("begins, when the loss is accepted, with the latest of what is told and the log's copies", () => {
    const copies = new Map([["setpoint", { epoch: 4, version: 30, value: 25, by: "b", atMs: 0 }]]);
    const next = nextGroup(closing, [tell("a.1", [17, 22], [8, "a"])], members, [setpoint, lead], copies)!;
    expect(next.base).toMatchObject([{ version: 30, value: 25 }, { value: "a" }]);
  });
});

describe("a group's value", () => {
  it("comes back as it was", () => {
    expect(groupFromWire(groupToWire(closing))).toEqual(closing);
  });

  it("never gets longer than is said of it", () => {
    const most = groupBytesMost(closing);
    expect(encodeCbor(groupToWire(closing)).length).toBeLessThan(most);
    const base: RegisterState[] = [34.7, "x".repeat(32)].map((value) => ({
      ...{ version: 0xffff_ffff, value, by: "a", request: 0xffff_ffff, atMs: Number.MAX_SAFE_INTEGER },
    }));
    expect(encodeCbor(groupToWire({ ...closing, epoch: 0xffff_ffff, base })).length).toBe(most);
    expect(groupFitsEntry(closing)).toBe(true);
    const long = Array.from({ length: 7 }, (_, i) => `${i}${"x".repeat(31)}.00000001`);
    const many = Array.from({ length: 8 }, (_, i) => ({ ...lead.definition, name: `${i}${"y".repeat(31)}` }));
    expect(groupFitsEntry({ members: long, registers: many })).toBe(false);
  });
});

function declare(definition: RegisterDefinition, initial: RegisterValue) {
  return { definition, initial };
}

/** Of both registers: the ballot and the value; the version is the ballot's. */
function tell(member: string, ...accepted: readonly [number, RegisterValue][]): ClosedReport {
  return {
    ...{ kind: "closed", member, epoch: 4 },
    accepted: accepted.map(([ballot, value]) => ({
      ballot,
      state: { version: ballot, value, by: "a", request: ballot, atMs: 0 },
    })),
  };
}
