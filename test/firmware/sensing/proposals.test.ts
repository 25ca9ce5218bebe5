import { beforeEach, describe, expect, test } from "vitest";
import { BlockQueue } from "../../../firmware/sensing/block-queue.ts";
import { ReadingQueue } from "../../../firmware/sensing/reading-queue.ts";
import { Sensing } from "../../../firmware/sensing/sensing.ts";
import type { Program, Proposal, Rule } from "../../../protocols/pipeline/program.ts";
import type { StateValue } from "../../../protocols/state/command.ts";

const condition = { metric: "smoke", when: "above", threshold: 50, hysteresis: 5, forMs: 1_000 } as const;
const proposal: Proposal = { ...condition, register: "emergency", value: true };
const rule: Rule = { ...condition, forMs: 0, as: "coordinator", output: "fan", value: 1 };
const program: Program = {
  pipelines: [{ metric: "smoke", sensor: "smoke", everyMs: 100, stages: [] }],
  outputs: [{ name: "fan", kind: "digital", pin: 4, safeValue: 0, setting: undefined }],
  rules: [rule],
  proposals: [proposal],
};

let values: Map<string, StateValue>;
let smoke: number;
let fan: number;
let sensing: Sensing;

function newSensing(): Sensing {
  return new Sensing({
    board: "north-1",
    sensors: { read: () => smoke },
    actuators: {
      configure: () => {},
      write: (_name, value) => {
        fan = value;
      },
      release: () => {},
    },
    settings: values,
    queue: new ReadingQueue(100),
    blocks: new BlockQueue(4),
    wallMs: () => Number.NaN,
    onOutputRefused: () => {},
    onModelRefused: () => {},
  });
}

beforeEach(() => {
  values = new Map([["coordinator", "north-1"]]);
  smoke = 10;
  fan = 0;
  sensing = newSensing();
});

function run(untilMs: number): void {
  while (sensing.dueMs <= untilMs) sensing.run(sensing.dueMs);
}
const active = () => sensing.proposals.map((one) => one.active);

describe("a proposal", () => {
  test("is active once its condition has held for its time, until it has come back", () => {
    sensing.load(program, 0);
    run(500);
    smoke = 60;
    run(1_500);
    expect(active()).toEqual([false]);
    run(1_700);
    expect(active()).toEqual([true]);
    smoke = 46;
    run(2_000);
    expect(active()).toEqual([true]);
    smoke = 44;
    run(2_200);
    expect(active()).toEqual([false]);
  });

  test("of a new program stays what it is where it is the same, and begins anew where not", () => {
    smoke = 60;
    sensing.load(program, 0);
    run(2_000);
    sensing.proposals[0]!.isSettled = true;
    sensing.load({ ...program, rules: [] }, 2_000);
    expect(sensing.proposals[0]).toMatchObject({ active: true, isSettled: true });
    sensing.load({ ...program, proposals: [{ ...proposal, value: false }] }, 2_000);
    expect(sensing.proposals[0]).toMatchObject({ active: false, isSettled: false });
    sensing.load({ ...program, proposals: [] }, 2_000);
    expect(sensing.proposals).toEqual([]);
  });

  test("goes on across a restart, and is made again: nobody knows what became of it", () => {
    smoke = 60;
    sensing.load(program, 0);
    run(2_000);
    sensing.proposals[0]!.isSettled = true;
    const parts = sensing.save(2_000);
    sensing = newSensing();
    sensing.load(program, 3_000);
    for (const part of parts) sensing.restore(part, 3_000);
    expect(sensing.proposals[0]).toMatchObject({ active: true, isSettled: false });
  });
});

describe("a rule for whoever a register names", () => {
  test("rests on every other board, and begins when the register names this one", () => {
    values.set("coordinator", "south-1");
    smoke = 60;
    sensing.load(program, 0);
    run(500);
    expect(fan).toBe(0);
    sensing.onSetting("coordinator", "north-1", 600);
    expect(fan).toBe(1);
    sensing.onSetting("coordinator", "", 700);
    expect(fan).toBe(0);
    run(2_000);
    expect(fan).toBe(0);
  });

  test("waits for its time anew on the board that is named", () => {
    values.set("coordinator", "south-1");
    smoke = 60;
    sensing.load({ ...program, rules: [{ ...rule, forMs: 1_000 }] }, 0);
    run(5_000);
    sensing.onSetting("coordinator", "north-1", 5_050);
    run(6_000);
    expect(fan).toBe(0);
    run(6_100);
    expect(fan).toBe(1);
  });

  test("is judged anew when any value may be another", () => {
    values.set("coordinator", "south-1");
    smoke = 60;
    sensing.load(program, 0);
    run(500);
    values.set("coordinator", "north-1");
    sensing.onSettings(600);
    expect(fan).toBe(1);
  });
});
