/**
 * Three halls that look after each other, also while no host is there: whichever gets too hot has the sirens of all of them on, and one of the three coordinates.
 *
 *     npx covey sim                               runs all of it on this computer; north gets too hot after half a minute
 *     npx covey register list                     what the halls have agreed on, and by whose doing
 *     npx covey register set emergency off        ends the alarm
 *     npx covey register changes emergency        who changed it, and when
 */
import { board, output, register, replay, sense, swarm, when } from "covey";

/** `speed`: recorded seconds in one of the simulation, so that no two halls get hot together. */
const hall = (speed: number) =>
  board("esp32c3-devkit", {
    sense: [sense("temperature", { every: "250ms" }).median(5).deadband(0.1, { atLeastEvery: "5s" })],
    outputs: {
      siren: output.digital({ pin: 5, safe: false, follows: "emergency" }),
      lamp: output.digital({ pin: 6, safe: false }),
    },
    rules: [
      when("temperature").above("hot", { for: "1s", hysteresis: 1 }).propose("emergency", true),
      // Of the three lamps one is lit: that of the hall which coordinates while no host does.
      when("temperature").above(0, { as: "coordinator" }).set("lamp", true),
    ],
    simulate: { temperature: replay("../greenhouse/data/office-temperature.csv", { speed, unit: "°F" }) },
  });

export default swarm("halls", {
  registers: {
    boards: ["north", "south", "gate"],
    names: {
      emergency: register.boolean({ initial: false }),
      hot: register.number({ unit: "°C", min: 15, max: 45, initial: 27 }),
      coordinator: register.coordinator(),
    },
  },
  boards: { north: hall(3600), south: hall(600), gate: hall(60) },
});
