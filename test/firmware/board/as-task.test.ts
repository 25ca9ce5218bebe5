/** Rules that hold only while the board may run a task: by its own clock, from when it was granted the lease until the lease is over. */
import { expect, onTestFinished, test } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { leasesFromWire, leasesToWire } from "../../../protocols/tasks/lease-messages.ts";
import { type Placement, placementToWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { programBytes } from "./surroundings.ts";

const leaseMs = 4_000;
const program: Program = {
  pipelines: [{ metric: "cpu.load", sensor: "cpu", everyMs: 100, stages: [] }],
  outputs: [{ name: "siren", kind: "digital", pin: 4, safeValue: 0, setting: undefined }],
  rules: [
    {
      ...{ metric: "cpu.load", when: "above", threshold: 40, hysteresis: 0, forMs: 0, as: "warden" },
      ...{ output: "siren", value: 1 },
    },
  ],
};
const noWork = programToWire({ pipelines: [], outputs: [], rules: [] });

/** A board whose load is beyond the threshold all the time; a leader that grants what it is asked for while `grants`. */
class Warden {
  readonly here: SimulatedBoard;
  grants = true;

  constructor(here = new SimulatedBoard()) {
    this.here = here;
    here.leader.onClaim = (payload) => {
      if (this.grants)
        here.leader.sendPayload("lease", encodeCbor(leasesToWire(leasesFromWire(decodeCbor(payload)))));
    };
    onTestFinished(() => this.here.board.powerOff());
  }

  place(holder: string, token: number, mode: Placement["mode"] = "held"): void {
    const placement = { mode, holder, token, leaseMs, sinceMs: 0, program: noWork };
    this.here.leader.put(`${taskKeyPrefix}warden`, encodeCbor(placementToWire(placement)));
  }

  get siren(): number | undefined {
    return this.here.outputs.get("siren");
  }
}

function warden(): Warden {
  const found = new Warden();
  found.here.leader.put("program/north-1", programBytes(program));
  found.here.run(1_000);
  return found;
}

test("a rule as a task rests on a board that does not hold it, and holds where the lease is open", () => {
  const board = warden();
  expect(board.siren).toBe(0);
  board.place("south-1", 1);
  board.here.run(1_000);
  expect(board.siren).toBe(0);
  board.grants = false;
  board.place("north-1", 2);
  board.here.run(1_500);
  // It is placed here, and nothing is granted yet.
  expect(board.siren).toBe(0);
  board.grants = true;
  board.here.run(1_500);
  expect(board.siren).toBe(1);
  board.place("north-1", 2, "released");
  board.here.run(500);
  expect(board.siren).toBe(0);
});

test("it ends with the lease, to the moment, though nobody says so", () => {
  const board = warden();
  board.place("north-1", 1);
  board.here.run(2_000);
  expect(board.siren).toBe(1);
  board.here.leader.cut();
  board.here.leader.listening = false;
  const cutMs = board.here.nowMs;
  while (board.siren === 1 && board.here.nowMs < cutMs + 10_000) board.here.run(10);
  const heldMs = board.here.nowMs - cutMs;
  // It had asked within the last quarter of a lease.
  expect(heldMs).toBeGreaterThan((3 * leaseMs) / 4 - 100);
  expect(heldMs).toBeLessThanOrEqual(leaseMs + 50);
  board.here.run(5_000);
  expect(board.siren).toBe(0);
});

test("after a restart it rests until the lease is granted anew", () => {
  const before = warden();
  before.place("north-1", 1);
  before.here.run(2_000);
  expect(before.siren).toBe(1);
  const after = new Warden(before.here.reboot());
  after.grants = false;
  after.here.run(3_000);
  expect(after.siren).toBe(0);
  after.grants = true;
  after.here.run(3_000);
  expect(after.siren).toBe(1);
});

test("a change of the program in the middle of a lease leaves the rule as it is", () => {
  const board = warden();
  board.place("north-1", 1);
  board.here.run(2_000);
  const { rules, ...rest } = program;
  board.here.leader.put(
    "program/north-1",
    programBytes({ ...rest, rules: [{ ...rules[0]!, threshold: 45 }] }),
  );
  board.here.run(500);
  expect(board.siren).toBe(1);
  board.here.leader.put(
    "program/north-1",
    programBytes({ ...rest, rules: [{ ...rules[0]!, threshold: 90 }] }),
  );
  board.here.run(500);
  expect(board.siren).toBe(0);
});
