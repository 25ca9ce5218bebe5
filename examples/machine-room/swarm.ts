/**
 * A machine room: a board tells from the temperature of a machine whether it stands still, by a model that was trained on another stop, two months later. A second one
 * learns by itself what is usual, and a third how the memory of this computer goes with its load.
 *
 *     npx covey sim examples/machine-room     the machine stops after a quarter of a minute, and a lamp goes on
 *     npx covey model info examples/machine-room/machine.cvm
 *
 * `data/README.md` says where the recordings come from and how the models were made.
 */
import { board, model, output, regression, replay, sense, swarm, when } from "covey";

/** Five minutes of the recording every quarter of a second. */
const machine = { temperature: replay("data/december.csv", { speed: 1200 }) };

/** What the models were trained on: `data/features.ts` works out the same. */
const temperature = () =>
  sense("temperature", { every: "250ms" }).window(6, { every: 3 }).stats("mean", "slope", "min");

export default swarm("machine-room", {
  voters: ["press"],
  boards: {
    press: board("esp32c3-devkit", {
      sense: [temperature()],
      models: [model("machine.stopped", "machine.cvm", { share: "stopped" })],
      outputs: { lamp: output.digital({ pin: 5, safe: false }) },
      rules: [when("machine.stopped").above(0.5, { for: "1500ms" }).set("lamp", true)],
      simulate: machine,
    }),
    "press-spare": board("esp32c3-devkit", {
      sense: [temperature()],
      models: [model("temperature.unusual", "usual.cvm", { learn: true })],
      simulate: machine,
    }),
    office: board("esp32c3-devkit", {
      sense: [
        sense("cpu.load", { every: "500ms" }).mean("2s"),
        sense("memory.used", { every: "500ms" }).mean("2s"),
      ],
      models: [regression("memory.unexplained", { of: "memory.used", from: ["cpu.load"], memory: 300 })],
    }),
  },
});
