/**
 * Checked by `tsc`, never run: names that a swarm does not have are type errors where they are written. A
 * `@ts-expect-error` without an error fails the type check.
 */
import {
  alert,
  at,
  board,
  correlation,
  every,
  groupBy,
  join,
  model,
  output,
  register,
  regression,
  replay,
  sense,
  setting,
  silent,
  swarm,
  when,
} from "covey";

export const greenhouse = swarm("greenhouse", {
  hosts: ["a"],
  voters: ["north-1"],
  settings: {
    "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }),
    "fan.on-above": setting.number({ unit: "°C", min: 0, max: 50, initial: 26 }),
  },
  boards: {
    "north-1": board("esp32c3-devkit", {
      sense: [
        sense("temperature", { every: "1s" }).median(5).mean("5s").deadband(0.1, { atLeastEvery: "30s" }),
        sense("cpu.load", { every: "500ms" }).as("load"),
      ],
      outputs: {
        fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }),
        lamp: output.digital({ pin: 5, safe: false }),
      },
      rules: [
        when("temperature").above("fan.on-above", { hysteresis: 1, for: "2s" }).set("fan", 80),
        when("load").below(10).set("lamp", true),
      ],
      schedules: [
        every.day("06:00", { zone: "Europe/Berlin" }).set("lamp", true, { for: "2h" }),
        every.week(["monday", "friday"], "18:30", { zone: "UTC" }).set("fan", 20),
        every("15m").set("fan", 100, { for: "30s" }),
        at("2027-12-24T18:00", { zone: "Europe/Berlin" }).set("lamp", true),
      ],
      simulate: { temperature: replay("data/ambient-temperature.csv", { speed: 60, unit: "°F" }) },
    }),
    "north-2": board("esp32-devkit", { sense: [], sleep: { awake: "10s", every: "10m" } }),
  },
});

export const stages = board("esp32-devkit", {
  sense: [
    sense("temperature", { every: "1s" }).median(5).window("1m").stats("mean", "p95").deadband(0.1),
    sense("pressure", { every: "100ms" })
      .calibrate({
        table: [
          [0, 300],
          [1023, 1100],
        ],
        unit: "hPa",
      })
      .lowpass(0.5)
      .window(20, { every: 1 })
      .stat("slope")
      .as("pressure.trend"),
  ],
  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },
  rules: [when("temperature.p95").above(30).set("fan", 80), when("pressure.trend").below(-1).set("fan", 0)],
});

export const modelled = board("esp32-devkit", {
  sense: [sense("temperature", { every: "1s" }).as("heat"), sense("cpu.load", { every: "1s" })],
  models: [
    model("busy", "busy.cvm", { from: { mean: "heat" }, share: "yes" }),
    regression("beyond", { of: "cpu.load", from: ["heat"], memory: 100 }),
  ],
  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },
  rules: [when("busy").above(0.5).set("fan", 80), when("heat").above(30).set("fan", 20)],
});

export const wrongModels = board("esp32-devkit", {
  sense: [sense("temperature", { every: "1s" }).as("heat")],
  models: [
    // @ts-expect-error: there is no such metric
    regression("beyond", { of: "heat", from: ["cpu.load"] }),
  ],
});

export const derived = board("esp32-devkit", {
  sense: [
    sense("temperature", { every: "1s" }),
    sense("humidity", { every: "1s" }),
    sense("cpu.load", { every: "1s" }).hysteresis({ low: 20, high: 40 }).as("busy"),
    sense("pressure", { every: "100ms" }).spectrum(64).stats("frequency", "0.5-2hz"),
    sense("network.sent", { every: "1s" }).session("10s", { above: 1000 }).stat("duration").as("burst"),
  ],
  derived: [
    groupBy("heat", {
      of: "temperature",
      by: "busy",
      groups: { idle: 0, busy: 1 },
      window: "1h",
      stat: "p95",
    }),
    join("dew", "dew-point", ["temperature", "humidity"]),
    join("spread", "difference", ["temperature", "dew"]),
    correlation("coupled", ["temperature", "dew"], { rows: 60 }),
  ],
  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },
  rules: [
    when("spread").below(2).set("fan", 80),
    when("heat.busy").above(30).set("fan", 80),
    when("pressure.0.5-2hz").above(3).set("fan", 80),
    // @ts-expect-error: there is no such group.
    when("heat.bussy").above(30).set("fan", 80),
  ],
});

export const underived = board("esp32-devkit", {
  sense: [sense("temperature", { every: "1s" })],
  // @ts-expect-error: the board does not sense humidity.
  derived: [join("dew", "dew-point", ["temperature", "humidity"])],
});

export const misspelt = swarm("misspelt", {
  // @ts-expect-error: no such board
  voters: ["nroth"],
  settings: { "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }) },
  boards: {
    // @ts-expect-error: no such setting
    north: board("esp32c3-devkit", {
      sense: [sense("temperature", { every: "1s" })],
      outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.dutty" }) },
    }),
    // @ts-expect-error: no such setting as a threshold
    south: board("esp32c3-devkit", {
      sense: [sense("temperature", { every: "1s" })],
      outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },
      rules: [when("temperature").above("fan.on").set("fan", 80)],
    }),
  },
});

export const alerting = swarm("alerting", {
  settings: { "heat.limit": setting.number({ unit: "°C", min: 0, max: 100, initial: 20 }) },
  boards: { north: board("esp32c3-devkit", { sense: [sense("temperature", { every: "1s" })] }) },
  alerts: {
    "too-hot": alert(when("temperature").above("heat.limit", { hysteresis: 1, for: "5m" })),
    silent: alert(silent("5m"), { boards: ["north"] }),
  },
  webhooks: ["https://example.com/covey"],
});

export const alertingWrongly = swarm("alerting-wrongly", {
  settings: { "heat.limit": setting.number({ unit: "°C", min: 0, max: 100, initial: 20 }) },
  boards: { north: board("esp32c3-devkit", { sense: [sense("temperature", { every: "1s" })] }) },
  alerts: {
    // @ts-expect-error: no such setting
    "too-hot": alert(when("temperature").above("heat.limt")),
    // @ts-expect-error: no such board
    silent: alert(silent("5m"), { boards: ["nroth"] }),
    // @ts-expect-error: a rule is no alert
    lamp: when("temperature").above(5).set("lamp", true),
  },
});

export const wrong = [
  // @ts-expect-error: no duration
  silent("5 minutes"),
  // @ts-expect-error: no board model
  board(33, { sense: [] }),
  // @ts-expect-error: no such sensor
  sense("temprature", { every: "1s" }),
  // @ts-expect-error: no duration
  sense("temperature", { every: "1 second" }),
  // @ts-expect-error: no duration
  sense("temperature", { every: "1s" }).mean("5x"),
  // @ts-expect-error: no statistic
  sense("temperature", { every: "1s" }).window("1m").stat("average"),
  // @ts-expect-error: values and time
  sense("temperature", { every: "1s" }).window(10, { every: "5s" }),
  // @ts-expect-error: windows, and nothing of them
  board("esp32-devkit", { sense: [sense("temperature", { every: "1s" }).window("1m")] }),
  board("esp32-devkit", {
    sense: [sense("temperature", { every: "1s" }).window("1m").stats("mean", "max")],
    outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },
    rules: [
      // @ts-expect-error: no such statistic of the metric on this board
      when("temperature.min").above(1).set("fan", 80),
    ],
  }),
  // @ts-expect-error: no such unit
  setting.number({ unit: "degrees", min: 0, max: 1, initial: 0 }),
  board("esp32-devkit", {
    sense: [sense("temperature", { every: "1s" })],
    outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },
    rules: [
      // @ts-expect-error: no such metric on this board
      when("humidity").above(1).set("fan", 80),
      // @ts-expect-error: no such output on this board
      when("temperature").above(1).set("lamp", 80),
    ],
    schedules: [
      // @ts-expect-error: no such output on this board
      every("15m").set("lamp", true),
    ],
  }),
  swarm("house", {
    registers: { boards: ["door"], names: { emergency: register.boolean({ initial: false }) } },
    boards: {
      // @ts-expect-error: no such register
      door: board("esp32-devkit", {
        sense: [sense("temperature", { every: "1s" })],
        rules: [when("temperature").above(1, { as: "coordinator" }).propose("emergency", true)],
      }),
    },
  }),
  swarm("house", {
    // @ts-expect-error: no such board
    registers: { boards: ["gate"], names: { emergency: register.boolean({ initial: false }) } },
    boards: { door: board("esp32-devkit", { sense: [] }) },
  }),
  // @ts-expect-error: no time of day
  every.day("6 pm", { zone: "UTC" }),
  // @ts-expect-error: no zone
  every.day("06:00"),
  // @ts-expect-error: no such day
  every.week(["mon"], "06:00", { zone: "UTC" }),
  // @ts-expect-error: a digital output is on or off
  output.digital({ pin: 4, safe: 50 }),
];
