/** What an action in `swarm.ts` compiles to, and what is said of mistakes in it. */
import { expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { action, board, metric, output, sense, swarm } from "../../../host-tools/swarm-file/api.ts";
import { compileSwarm } from "../../../host-tools/swarm-file/compile.ts";
import type { ActionPart } from "../../../host-tools/swarm-file/parts.ts";

const valve = () => ({
  valve: output.digital({ pin: 4, safe: false }),
  fan: output.pwm({ pin: 5, safe: 0 }),
});

function compile(actions: Record<string, ActionPart<string>>) {
  const boards = {
    north: board("esp32c3-devkit", {
      sense: [sense("pressure", { every: "1s" })],
      outputs: valve(),
    }),
    south: board("esp32c3-devkit", { sense: [], outputs: valve() }),
    bare: board("esp32c3-devkit", { sense: [] }),
  };
  return compileSwarm(swarm("waterworks", { boards, actions } as never), "/swarm.ts", loadBoards());
}

function said(given: unknown): string {
  try {
    compile({ open: action(given as never) });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

test("an action compiles to what was said, and to what is usual where nothing was", () => {
  const { actions } = compile({
    open: action({
      boards: ["south", "north"],
      set: { valve: true, fan: 40 },
      for: "10m",
      safety: "30s",
    }),
    warm: action({
      set: { valve: false },
      require: [metric("pressure").between(1, 3), metric("pressure").atLeast(1, { within: "2s" })],
    }),
  });
  expect(actions).toEqual({
    open: {
      boards: ["north", "south"],
      set: [
        { output: "valve", value: 1 },
        { output: "fan", value: 40 },
      ],
      ...{ require: [], forMs: 600_000, safetyMs: 30_000 },
    },
    warm: {
      boards: undefined,
      set: [{ output: "valve", value: 0 }],
      require: [
        { metric: "pressure", min: 1, max: 3, maxAgeMs: 10_000 },
        { metric: "pressure", min: 1, max: Number.MAX_VALUE, maxAgeMs: 2_000 },
      ],
      ...{ forMs: 0, safetyMs: 0 },
    },
  });
});

test("a swarm without actions has no word of them", () => {
  expect(compile({})).not.toHaveProperty("actions");
});

const set = { valve: true };
test.each([
  ["nothing to set", { set: {} }, '"open" must set 1 to 8 outputs'],
  ["a value that is none", { set: { valve: "open" } }, "must be set to true, false or a duty cycle in %"],
  ["more than all", { set: { fan: 101 } }, "must be set to true, false or a duty cycle in %"],
  ["a duty cycle for a switch", { set: { valve: 50 }, boards: ["north"] }, '"valve" of north must be set to'],
  ["an output that no board has", { set: { vlave: true } }, 'no board can do "open": '],
  ["an output that this board lacks", { set, boards: ["bare"] }, 'bare has no output "valve"'],
  [
    "an unknown board",
    { set, boards: ["nroth"] },
    '"nroth" is not a board of this swarm; did you mean "north"',
  ],
  ["boards that are no list", { set, boards: "north" }, "boards must be a list of names of boards"],
  ["nobody", { set, boards: [] }, "boards must be a list of names of boards"],
  ["a metric that no board has", { set, require: [metric("presure").atLeast(1)] }, 'has no metric "presure"'],
  ["a range upside down", { set, require: [metric("pressure").between(3, 1)] }, "the lower one first"],
  ["a requirement that is none", { set, require: ["pressure"] }, "require must be a list of at most"],
  ["a safety too short", { set, safety: "10ms" }, "from 1s"],
  ["a time that is none", { set, for: "soon" }, "soon"],
])("is told of %s", (_what, given, says) => {
  expect(said(given)).toContain(says);
});
