/** What registers, proposals and rules of whoever a register names compile to; mistakes in them stand in `mistakes.ts`. */
import { expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { board, output, register, sense, swarm, when } from "../../../host-tools/swarm-file/api.ts";
import { compileSwarm } from "../../../host-tools/swarm-file/compile.ts";
import { programFromWire, programToWire } from "../../../protocols/pipeline/program-codec.ts";

const temperature = sense("temperature", { every: "1s" });

test("registers, and what reads and proposes them, compile to what was said", () => {
  const a = board("esp32c3-devkit", {
    sense: [temperature],
    outputs: { siren: output.digital({ pin: 5, safe: false, follows: "emergency" }) },
    rules: [
      when("temperature").above("setpoint", { as: "coordinator" }).set("siren", true),
      when("temperature").above(40, { for: "10s", hysteresis: 2 }).propose("emergency", true),
    ],
  });
  const plain = board("esp32c3-devkit", { sense: [temperature] });
  const given = swarm("house", {
    registers: {
      boards: ["a", "b", "c"],
      names: {
        emergency: register.boolean({ initial: false }),
        setpoint: register.number({ unit: "°C", min: 5, max: 35, initial: 21 }),
        note: register.text({ initial: "calm" }),
        coordinator: register.coordinator(),
      },
    },
    boards: { a, b: plain, c: plain },
  });
  const { registers, boards } = compileSwarm(given, "/swarm.ts", loadBoards());
  expect(registers).toEqual({
    boards: ["a", "b", "c"],
    names: {
      emergency: { type: "boolean", initial: false },
      setpoint: { type: "number", unit: "°C", min: 5, max: 35, initial: 21 },
      note: { type: "text", initial: "calm" },
      coordinator: { type: "coordinator" },
    },
  });
  const { program } = boards.a!;
  const hot = { metric: "temperature", when: "above", hysteresis: 0, forMs: 0 };
  expect(program.rules).toEqual([
    { ...hot, threshold: "setpoint", as: "coordinator", output: "siren", value: 1 },
  ]);
  expect(program.proposals).toEqual([
    { ...hot, threshold: 40, hysteresis: 2, forMs: 10_000, register: "emergency", value: true },
  ]);
  expect(program.outputs).toMatchObject([{ name: "siren", setting: "emergency" }]);
  expect(programFromWire(programToWire(program))).toEqual({ ...program, sleep: undefined });
});

test("a swarm without registers has no word of them", () => {
  const plain = board("esp32c3-devkit", { sense: [temperature] });
  const { registers, boards } = compileSwarm(
    swarm("house", { boards: { plain } }),
    "/swarm.ts",
    loadBoards(),
  );
  expect(registers).toBeUndefined();
  expect(boards.plain!.program).not.toHaveProperty("proposals");
});
