/**
 * A greenhouse: two boards in the north keep it cool by themselves, two in the south watch, one minds the door.
 *
 *     npx covey sim                        runs all of it on this computer
 *     npx covey set fan.duty 40            turns the fans to 40 %
 *     npx covey set heat.limit 26          makes the north boards act earlier
 *     npx covey set door.lamp true         lights the lamp over the door
 */
import { board, output, replay, sense, setting, swarm, when } from "covey";

/** A board with a fan, which it turns up by itself when it gets hot, whether or not a leader is there. */
const fanBoard = (speed: number) =>
  board("esp32c3-devkit", {
    sense: [
      sense("temperature", { every: "250ms" })
        .median(5)
        .mean("1s")
        .deadband(0.1, { atLeastEvery: "5s" })
        .keep("1h"),
    ],
    outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) },
    rules: [when("temperature").above("heat.limit", { hysteresis: 1, for: "1s" }).set("fan", 90)],
    simulate: { temperature: replay("data/office-temperature.csv", { speed, unit: "°F" }) },
  });

/** A board without a recording reads the computer that it is simulated on. */
const watchBoard = () =>
  board("esp32c3-devkit", {
    sense: [
      sense("cpu.load", { every: "500ms" }).median(3).deadband(2, { atLeastEvery: "5s" }),
      sense("memory.used", { every: "1s" }).mean("5s").deadband(0.5, { atLeastEvery: "30s" }),
    ],
  });

export default swarm("greenhouse", {
  voters: ["north-1", "south-1"],

  settings: {
    "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }),
    "heat.limit": setting.number({ unit: "°C", min: 15, max: 45, initial: 28 }),
    "door.lamp": setting.boolean({ initial: false }),
  },

  boards: {
    "north-1": fanBoard(3600),
    "north-2": fanBoard(2700),
    "south-1": watchBoard(),
    "south-2": watchBoard(),
    door: board("esp32c3-devkit", {
      sense: [sense("network.received", { every: "1s" }).median(3).deadband(100, { atLeastEvery: "10s" })],
      outputs: { lamp: output.digital({ pin: 5, safe: false, follows: "door.lamp" }) },
    }),
  },
});
