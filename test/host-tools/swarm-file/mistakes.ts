/** Mistakes that a person makes in `swarm.ts`, and what each is told. */
export interface Mistake {
  readonly what: string;
  readonly source: string;
  /** Each begins with its line; the file's name goes in front. FOLDER stands for where the file is. */
  readonly says: readonly string[];
}

const words =
  'import { alert, at, board, correlation, every, groupBy, join, model, output, register, regression, replay, sense, setting, silent, swarm, when } from "covey";';

/** A swarm of one board, `door`; `lines` begin on line 9. */
function onBoard(lines: string, model = "esp32c3-devkit"): string {
  return `${words}
const settings = {
  "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }),
  "fan.on-above": setting.number({ unit: "°F", min: 0, max: 100, initial: 20 }),
  "lamp.on": setting.boolean({ initial: false }),
  note: setting.text({ initial: "" }),
};
export default swarm("house", { settings, boards: { door: board("${model}", {
${lines}
}) } });
`;
}

/** A swarm with these parts; `lines` begin on line 3. */
function inSwarm(lines: string, name = '"house"'): string {
  return `${words}
export default swarm(${name}, {
${lines}
});
`;
}

/** A swarm whose registers are on lines 3 and 4, and its boards from line 6 on. */
function inRegisters(boards: string, names: string, given: Readonly<Record<string, string>> = {}): string {
  const all = { a: "sense: []", b: "sense: []", c: "sense: []", ...given };
  const lines = Object.entries(all).map(([name, parts]) => `${name}: board("esp32-devkit", { ${parts} }),`);
  return inSwarm(
    `registers: { boards: ${boards}, names: {\n${names}\n} }, settings: { heat: setting.number({ unit: "°C", min: 0, max: 50, initial: 20 }) },\nboards: {\n${lines.join("\n")}\n},`,
  );
}

const door = 'boards: { door: board("esp32-devkit", { sense: [] }) },';
/** Quoted. */
const longNames = Array.from({ length: 9 }, (_, i) => `"a-board-with-a-long-name-${i}"`);
/** Stands for the other two features of `machine.cvm`. */
const machineFrom = '{ "temperature.slope": "cpu.load", "temperature.min": "cpu.load" }';
const usable = "0, 1, 2, 3, 4, 5, 6, 7 or 10";

export const mistakes: readonly Mistake[] = [
  // What is kept for queries.
  {
    what: "keeps too little, and what is sampled too often for so long",
    source: onBoard(
      '  sense: [\n    sense("temperature", { every: "1s" }).keep("5s"),\n    sense("cpu.load", { every: "10ms" }).keep("3h"),\n  ],',
    ),
    says: [
      "10: keep is 5s; it must be from 12s to 24h.",
      "11: of a sample each 10ms at most 131m can be kept; keep less, or sample less often.",
    ],
  },
  {
    what: "keeps on a board that sleeps",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).keep("1h")],\n  sleep: { awake: "10s", every: "10m" },',
    ),
    says: [
      '10: "door" sleeps, and what "temperature" keeps for queries is lost each time; take keep away, or its sleep.',
    ],
  },
  // Alerts.
  ...alerts([
    [
      "that is a rule",
      "hot: when('cpu.load').above(3)",
      '"hot" is no alert; write alert(when("temperature").above(30)) or alert(silent("5m")).',
    ],
    [
      "of no name",
      "Hot: alert(when('cpu.load').above(3))",
      '"Hot" cannot name an alert: use lower-case letters, digits and "-", at most 32, a letter first.',
    ],
    [
      "whose name is too long with its board",
      `"${"h".repeat(31)}": alert(silent("5m"), { boards: ["door"] })`,
      `"${"h".repeat(31)}" and the board "door" have more than 34 characters together; shorten one.`,
    ],
    [
      "of a metric that no board has",
      'hot: alert(when("temperature").above(3))',
      'no board has a metric "temperature"; use "cpu.load".',
    ],
    [
      "on a board that there is not",
      'hot: alert(when("cpu.load").above(3), { boards: ["dor"] })',
      '"dor" is not a board of this swarm; did you mean "door"?',
    ],
    [
      "on a board without the metric",
      'hot: alert(when("cpu.load").above(3), { boards: ["shed"] })',
      '"shed" has no metric "cpu.load"; take it from boards.',
    ],
    [
      "above a text",
      'hot: alert(when("cpu.load").above("note"))',
      'a threshold is a number, and "note" is a text.',
    ],
    [
      "with hysteresis the wrong way",
      'hot: alert(when("cpu.load").above(3, { hysteresis: -1 }))',
      "hysteresis must be a number, 0 or more, not -1.",
    ],
    [
      "for no time",
      'hot: alert(when("cpu.load").above(3, { for: "5x" }))',
      '"5x" is not a duration; write for as "500ms", "5s", "2m" or "1h".',
    ],
    [
      "of a silence that is none",
      'quiet: alert(silent("1s"), { boards: ["door"] })',
      "silent is 1s; it must be from 5s to 24h.",
    ],
    [
      "of a board that sleeps for longer",
      'quiet: alert(silent("1m"))',
      '"shed" sleeps, and is silent for 600s at a time; name other boards, or a longer time.',
    ],
  ]),
  {
    what: "has webhooks that are none, and too many",
    source: inSwarm(
      `  webhooks: ["example.com", "https://anna:pw@example.com/", "https://a.example/", "https://a.example/"],\n  alerts: { quiet: alert(silent("5m")) },\n  ${door}`,
    ),
    says: [
      "3: 4 webhooks are too many for one swarm; 3 are the most.",
      '3: "example.com" is no address of a webhook; write https://example.com/covey.',
      '3: "https://anna:pw@example.com/" has a password in it; a webhook is signed instead.',
      '3: "https://a.example/" is twice in webhooks; remove one.',
    ],
  },
  {
    what: "has webhooks and no alerts",
    source: inSwarm(`  webhooks: ["https://a.example/"],\n  ${door}`),
    says: ["3: webhooks are told of alerts, and this swarm has none; add alerts: {...}."],
  },
  // The file as a whole.
  {
    what: "does not parse",
    source: `${words}\nexport default swarm("house", {\n  boards: { door: }\n});\n`,
    says: ['3: Unexpected "}".'],
  },
  {
    what: "exports nothing",
    source: `${words}\nswarm("house", { ${door} });\n`,
    says: [' there is no swarm here; end the file with export default swarm("name", {...}).'],
  },
  {
    what: "imports a word that there is not",
    source: 'import {\n  swarm,\n  sensor,\n} from "covey";\nexport default swarm("a", sensor);\n',
    says: ["3: The requested module 'covey' does not provide an export named 'sensor'."],
  },
  {
    what: "imports a file that there is not",
    source: `${words}\nimport { garden } from "./garden.ts";\nexport default garden;\n`,
    says: ['2: there is no module "./garden.ts" to import.'],
  },
  {
    what: "throws",
    source: `${words}\nfunction pins() {\n  throw new RangeError("out of pins");\n}\nexport default swarm("house", pins());\n`,
    says: ["3: RangeError: out of pins."],
  },
  {
    what: "uses a name that is not defined",
    source: `${words}\n\nexport default swarm("house", { boards: bords });\n`,
    says: ["3: ReferenceError: bords is not defined."],
  },
  {
    what: "uses TypeScript that cannot be stripped",
    source: `${words}\nenum Pin { fan = 4 }\nexport default swarm("house", { ${door} });\n`,
    says: ["2: TypeScript enum is not supported in strip-only mode."],
  },

  // The swarm.
  {
    what: "has a swarm name that no topic can hold",
    source: inSwarm(`  ${door}`, '"Green House"'),
    says: [
      '2: "Green House" cannot name a swarm: use lower-case letters, digits and "-", at most 32, a letter first.',
    ],
  },
  {
    what: "names a voter that is no board",
    source: inSwarm(`  voters: ["dor"],\n  ${door}`),
    says: ['3: the voter "dor" is not a board of this swarm; did you mean "door"?'],
  },
  {
    what: "lets a voter sleep",
    source: inSwarm(
      '  voters: ["door"],\n  boards: { door: board("xiao-esp32c3", { sense: [], sleep: { awake: "10s", every: "10m" } }) },',
    ),
    says: ['3: the voter "door" sleeps, and who sleeps can\'t vote; take it from voters, or its sleep away.'],
  },
  {
    what: "has a board that never comes to its sleep",
    source: onBoard('  sense: [],\n  sleep: { awake: "10m", every: "10m" },'),
    says: ["10: a board that wakes every 10m and is awake for 10m never sleeps."],
  },
  {
    what: "has a board that hardly wakes, and misspells the rest",
    source: onBoard('  sense: [],\n  sleep: { awake: "10ms", evry: "10m" },'),
    says: [
      '8: undefined is not a duration; write every as "500ms", "5s", "2m" or "1h".',
      '10: sleep has no "evry"; did you mean "every"?',
      "10: awake is 10ms; it must be from 1s to 24h.",
    ],
  },
  {
    what: "names a voter twice",
    source: inSwarm(`  voters: [\n    "door",\n    "door",\n  ],\n  ${door}`),
    says: ['5: "door" is twice in voters; remove one.'],
  },
  {
    what: "gives a host a board's name",
    source: inSwarm(`  hosts: ["door"],\n  ${door}`),
    says: ['3: "door" names a host and a board; give one of them another name.'],
  },
  {
    what: "has no hosts",
    source: inSwarm(`  hosts: [],\n  ${door}`),
    says: ['3: a swarm needs a host; write hosts: ["main"].'],
  },
  {
    what: "has too many hosts",
    source: inSwarm(`  hosts: ["a", "b", "c", "d"],\n  ${door}`),
    says: ["3: 4 hosts are too many for one swarm; 3 are the most."],
  },
  {
    what: "has too many voters, with long names",
    source: inSwarm(`  voters: [${longNames.join(", ")}],
  boards: { ${longNames.map((name) => `${name}: board("esp32-devkit", { sense: [] })`).join(", ")} },`),
    says: [
      "3: 9 voters beside the hosts are too many; 8 are the most.",
      "3: the voters' names have 242 characters together; 128 are the most, so shorten them.",
    ],
  },
  {
    what: "has no boards",
    source: inSwarm("  boards: {},"),
    says: ['3: a swarm needs boards; write boards: { "north-1": board("esp32c3-devkit", {...}) }.'],
  },
  {
    what: "misspells a part of the swarm",
    source: inSwarm(`  voter: ["door"],\n  ${door}`),
    says: ['3: a swarm has no "voter"; did you mean "voters"?'],
  },
  {
    what: "has a board that is no board",
    source: inSwarm('  boards: {\n    door: "esp32-devkit",\n  },'),
    says: ['4: "door" is no board; write board("esp32c3-devkit", {...}).'],
  },
  {
    what: "has a board's name with a capital",
    source: inSwarm('  boards: {\n    Door: board("esp32-devkit", { sense: [] }),\n  },'),
    says: [
      '4: "Door" cannot name a board: use lower-case letters, digits and "-", at most 32, a letter first.',
    ],
  },

  {
    what: "gives a board no parts",
    source: inSwarm('  boards: { door: board("esp32-devkit") },'),
    says: ['3: a board needs its parts: board("...", { sense: [...] }).'],
  },
  {
    what: "gives values that no text can hold",
    source: inSwarm(
      '  boards: { door: board(Symbol("esp32"), {\n    sense: [sense("cpu.load", { every: 10n })],\n  }) },',
    ),
    says: [
      '3: Symbol(esp32) is not a board model; use "esp32-devkit", "esp32c3-devkit", "esp32c6-devkit", "esp32s3-devkit", "m5stack-core2" or "xiao-esp32c3".',
      '4: 10 is not a duration; write every as "500ms", "5s", "2m" or "1h".',
    ],
  },

  // Registers.
  {
    what: "lets boards agree that can't",
    source: inRegisters('["a", "b", "c"]', "emergency: register.boolean({ initial: false })", {
      b: 'sense: [], sleep: { awake: "10s", every: "10m" }',
      c: "sense: [], place: { battery: true }",
    }),
    says: [
      '3: "b" sleeps, and who sleeps can\'t agree with others; choose boards that are always awake.',
      '3: "c" runs on a battery; choose boards that are always powered.',
    ],
  },
  {
    what: "lets two boards agree, of which one is none",
    source: inRegisters('["a", "d"]', "emergency: register.boolean({ initial: false })"),
    says: [
      '3: "d" is not a board of this swarm; use "a", "b" or "c".',
      "3: 2 boards can't agree well: choose 3, 5 or 7, of which a majority has to be there.",
    ],
  },
  {
    what: "has registers that are none",
    source: inRegisters(
      '["a", "b", "c", "c"]',
      'setpoint: register.number({ unit: "°C", min: 5, max: 35, initial: 40 }),\n"no name": register.boolean({ initial: false }),\nnote: 3,\nheat: register.text({ initial: "x".repeat(33) }),',
    ),
    says: [
      '3: "c" is twice among the boards of the registers.',
      '4: initial of "setpoint" is 40; it must be from 5 to 35.',
      '5: "no name" cannot name a register: use letters, digits and . _ - and at most 32 of them.',
      '6: "note" is no register; write register.boolean({...}), register.number({...}), register.text({...}) or register.coordinator().',
      '7: "heat" is a setting and a register; hosts agree on a setting and boards on a register, so choose one or give one of them another name.',
      '7: initial of "heat" is longer than 32 bytes.',
    ],
  },
  {
    what: "has more registers than fit",
    source: inRegisters(
      `[${longNames.slice(0, 3).join(", ")}]`,
      '...Object.fromEntries(Array.from({ length: 8 }, (_, i) => ["a-register-with-a-long-name-" + i, register.text({ initial: "" })]))',
      Object.fromEntries(longNames.map((name) => [name, "sense: []"])),
    ),
    says: [
      "3: the registers and the names of their boards do not fit an entry of the log together; take fewer texts, or shorten names.",
    ],
  },
  {
    what: "has nine registers",
    source: inRegisters(
      '["a", "b", "c"]',
      '...Object.fromEntries(Array.from({ length: 9 }, (_, i) => ["r" + i, register.boolean({ initial: false })]))',
    ),
    says: ["3: 9 registers are too many; 8 are the most."],
  },
  {
    what: "writes registers as settings are",
    source: inSwarm(`  registers: { emergency: register.boolean({ initial: false }) },\n  ${door}`),
    says: [
      '3: registers say who agrees, and on what; write registers: { boards: ["a", "b", "c"], names: { emergency: register.boolean({ initial: false }) } }.',
    ],
  },
  {
    what: "proposes what no register takes",
    source: inRegisters(
      '["a", "b", "c"]',
      'setpoint: register.number({ unit: "°C", min: 5, max: 35, initial: 20 }),\nwho: register.coordinator(),',
      {
        a: `sense: [sense("cpu.load", { every: "1s" })], rules: [
when("cpu.load").above(50).propose("setpoint", 36),
when("cpu.load").above(50).propose("setpoint", true),
when("cpu.load").above(50).propose("who", "a"),
when("cpu.load").above(50).propose("heat", 30),
when("cpu.load").above(50).propose("setpont", 30),
when("cpu.load").above(50, { as: "setpoint" }).propose("setpoint", 30),
when("cpu.load").above(50, { as: "whom" }).propose("setpoint", 30),
when("cpu.load").above("who").propose("setpoint", 30)]`,
      },
    ),
    says: [
      '9: "setpoint" takes a number from 5 to 35 °C, not 36.',
      '10: "setpoint" takes a number from 5 to 35 °C, not true.',
      '11: the boards choose "who" themselves; take this proposal away.',
      '12: "heat" is a setting, which hosts change; what boards propose is a register.',
      '13: "setpont" is not a register; did you mean "setpoint"?',
      '14: as names a task, or a register that names a board, such as register.coordinator(), and "setpoint" is a number.',
      '15: "whom" is no register that names a board, and no task; did you mean "who"?',
      '16: a threshold is a number, and "who" is a coordinator.',
    ],
  },
  {
    what: "proposes on a board that does not agree",
    source: inRegisters('["a", "b", "c"]', "emergency: register.boolean({ initial: false })", {
      d: 'sense: [sense("cpu.load", { every: "1s" })], rules: [when("cpu.load").above(5).propose("emergency", true)]',
    }),
    says: [
      '10: "d" has a rule that proposes, and is not among the boards of the registers; add it there, or take the rule away.',
    ],
  },

  // Settings.
  {
    what: "has a setting in a unit that there is not",
    source: inSwarm(
      `  settings: {\n    heat: setting.number({\n      unit: "°c",\n      min: 0, max: 50, initial: 20 }),\n  },\n  ${door}`,
    ),
    says: ['5: "°c" is not a unit; did you mean "°C"?'],
  },
  {
    what: "begins a setting outside its limits",
    source: inSwarm(
      `  settings: { heat: setting.number({ unit: "°C", min: 0, max: 50, initial: 70 }) },\n  ${door}`,
    ),
    says: ['3: initial of "heat" is 70; it must be from 0 to 50.'],
  },
  {
    what: "swaps a setting's limits",
    source: inSwarm(
      `  settings: { heat: setting.number({ unit: "°C", min: 50, max: 0, initial: 20 }) },\n  ${door}`,
    ),
    says: ['3: min of "heat" is above its max; swap them.'],
  },
  {
    what: "begins a number with a text",
    source: inSwarm(
      `  settings: { heat: setting.number({ unit: "°C", min: 0, max: 50, initial: "20" }) },\n  ${door}`,
    ),
    says: ['3: initial of "heat" must be a number, not "20".'],
  },
  {
    what: "gives a setting a key with a space",
    source: inSwarm(`  settings: { "fan duty": setting.boolean({ initial: true }) },\n  ${door}`),
    says: ['3: "fan duty" cannot be a setting\'s key: use letters, digits and . _ - and at most 48 of them.'],
  },
  {
    what: "makes a text longer than it may be",
    source: inSwarm(`  settings: { note: setting.text({ lengthMax: 3, initial: "häh" }) },\n  ${door}`),
    says: ['3: initial of "note" is longer than 3 bytes.'],
  },
  {
    what: "has a plain value for a setting",
    source: inSwarm(`  settings: { heat: 20 },\n  ${door}`),
    says: [
      '3: "heat" is no setting; write setting.number({...}), setting.boolean({...}) or setting.text({...}).',
    ],
  },

  // A board and its sensing.
  {
    what: "names a board model that there is not",
    source: onBoard("  sense: []", "esp32c3-devkti"),
    says: ['8: "esp32c3-devkti" is not a board model; did you mean "esp32c3-devkit"?'],
  },
  {
    what: "names a sensor that there is not",
    source: onBoard('  sense: [sense("temprature", { every: "1s" })],'),
    says: ['9: "temprature" is not a sensor; did you mean "temperature"?'],
  },
  {
    what: "names something far from any sensor",
    source: onBoard('  sense: [sense("love", { every: "1s" })],'),
    says: [
      '9: "love" is not a sensor; use "temperature", "humidity", "pressure", "co2", "cpu.load", "memory.used", "network.received" or "network.sent".',
    ],
  },
  {
    what: "names a wrong sensor whose metric a rule uses, and is told of one mistake",
    source: onBoard(
      '  sense: [sense("temprature", { every: "1s" })],\n  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },\n  rules: [when("temperature").above(20).set("fan", 80)],',
    ),
    says: ['9: "temprature" is not a sensor; did you mean "temperature"?'],
  },
  {
    what: "writes a duration without its unit",
    source: onBoard('  sense: [sense("temperature", {\n    every: "10",\n  })],'),
    says: ['10: "10" is not a duration; write every as "500ms", "5s", "2m" or "1h".'],
  },
  {
    what: "samples too fast",
    source: onBoard('  sense: [sense("temperature", { every: "5ms" })],'),
    says: ["9: every is 5ms; it must be from 10ms to 24h."],
  },
  {
    what: "takes the median of an even number",
    source: onBoard(
      '  sense: [\n    sense("temperature", { every: "1s" })\n      .median(4)\n      .mean("5s"),\n  ],',
    ),
    says: ["11: a median is taken of an odd number of samples from 3 to 31, not of 4."],
  },
  {
    what: "has a window shorter than the sampling period",
    source: onBoard('  sense: [\n    sense("temperature", { every: "2s" })\n      .mean("1s"),\n  ],'),
    says: ["11: a window of 1s is shorter than the sampling period, 2s; most windows would be empty."],
  },
  {
    what: "has a negative deadband",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).deadband(-1)],'),
    says: ["9: a deadband is a number, 0 or more, not -1."],
  },
  // Stages of a pipeline.
  {
    what: "calibrates by nothing",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).calibrate({})],'),
    says: [
      "9: a calibration is { gain, offset }, { polynomial: [c0, c1, ...] } or { table: [[x, y], ...] }.",
    ],
  },
  {
    what: "calibrates by a table that goes back",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).calibrate({ table: [[0, 1], [5, 2], [4, 3]] })],',
    ),
    says: ["9: the points of a table go up in x, but 4 comes after 5."],
  },
  {
    what: "calibrates by words",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).calibrate({ gain: "two" })],'),
    says: ['9: coefficients must be a list of 1 to 8 numbers, not [0,"two"].'],
  },
  {
    what: "converts to what measures something else",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).convert("hPa")],'),
    says: ["9: °C measures temperature and hPa measures pressure."],
  },
  {
    what: "converts what is in no unit",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).hysteresis({ low: 1, high: 2 }).convert("K")],',
    ),
    says: ["9:  measures plain number and K measures temperature."],
  },
  {
    what: "clamps from high to low",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).clamp(5, 1)],'),
    says: ["9: a clamp goes from the lower to the higher, not from 5 to 1."],
  },
  {
    what: "has a range without its end",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).range(5)],'),
    says: ["9: max must be a number, not undefined."],
  },
  {
    what: "takes the average of one",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).average(1)],'),
    says: ["9: count must be a whole number from 2 to 128, not 1."],
  },
  {
    what: "weighs a new value with nothing",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).ewma(0)],'),
    says: ["9: the weight of a new value is above 0 and at most 1, or a time constant, not 0."],
  },
  {
    what: "gives a time constant behind a deadband",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).deadband(1).ewma("10s")],'),
    says: ["9: a time constant needs values at a steady rate; put it before the stages that leave some out."],
  },
  {
    what: "has a filter that swings up",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).biquad({ b: [1, 0, 0], a: [1, -2, 1.1] })],',
    ),
    says: ["9: a biquad with the poles of a: [1,-2,1.1] is not stable; what it gives would grow for ever."],
  },
  {
    what: "has a filter of half its coefficients",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).biquad({ b: [1, 0, 0] })],'),
    says: ["9: a biquad is { b: [b0, b1, b2], a: [a0, a1, a2] }, a0 not 0."],
  },
  {
    what: "filters beyond half the rate",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).lowpass(0.5)],'),
    says: ["9: a lowpass is for a frequency above 0 and below half the rate, 0.5 Hz, not 0.5."],
  },
  {
    what: "asks a window for what is no statistic",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).window("1m").stat("average")],'),
    says: [
      '9: "average" is no statistic; use "count", "mean", "min", "max", "variance", "slope" or "rms" or "p95" for a percentile.',
    ],
  },
  {
    what: "has a window that hops over values",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).window("1m", { every: "2m" }).stat("mean")],',
    ),
    says: ["9: a window of 1m every 2m would leave values out."],
  },
  {
    what: "mixes values and time in a window",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).window(10, { every: "5s" }).stat("mean")],',
    ),
    says: ['9: a window of values is a whole number of them, and so is its every, not "5s".'],
  },
  {
    what: "slides over too much",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).window("10m", { every: "1s" }).stat("mean")],',
    ),
    says: ["9: a window that slides holds its values, at most 256 of them, not 601; take means before it."],
  },
  {
    what: "names the metric behind its statistics",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).window("1m").stats("mean", "p95").as("t")],',
    ),
    says: ['9: name the pipeline with .as("t") before .stats(...).'],
  },
  {
    what: "follows the slope of a value that has none",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).kalman({ noise: 1, drift: 0.1, model: "level", gives: "slope" })],',
    ),
    says: ['9: a value without a trend has no slope; write model: "trend".'],
  },
  {
    what: "says no noise of a Kalman filter",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).kalman({ noise: 0, drift: 0.1 })],'),
    says: ["9: noise must be a number from 1e-9 to 1000000000, not 0."],
  },
  {
    what: "integrates per day",
    source: onBoard('  sense: [sense("network.sent", { every: "1s" }).integral({ per: "d" })],'),
    says: ['9: an integral is per "s", "min" or "h", not "d".'],
  },
  {
    what: "integrates what comes now and then",
    source: onBoard('  sense: [sense("network.sent", { every: "1s" }).deadband(1).integral()],'),
    says: ["9: values come at no steady rate here, so say over how long a gap an integral goes on: gap."],
  },
  {
    what: "integrates over a gap longer than the period",
    source: onBoard(
      '  sense: [sense("network.sent", { every: "1s" }).integral({ every: "1m", gap: "2m" })],',
    ),
    says: ["9: a gap of 2m is longer than the period, 1m; make it shorter."],
  },
  {
    what: "has a session that never ends",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).session("30s").stat("max")],'),
    says: [
      "9: a session of values at a steady rate never ends; say above, or put a stage that leaves some out before it.",
    ],
  },
  {
    what: "has sessions of one value each",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).session("1s", { above: 5 }).stat("max")],'),
    says: ["9: values come every 1s, so with a gap of 1s each is a session; make it longer."],
  },
  {
    what: "looks for a frequency that does not fit",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).goertzel(0.3, { samples: 32 })],'),
    says: ["9: 32 samples hold 9.6 waves of 0.3 Hz, and it has to be a whole number; take 30."],
  },
  {
    what: "looks for a frequency in nobody knows how many samples",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).goertzel(0.3, { samples: 3 })],'),
    says: ["9: samples must be a whole number from 4 to 4096, not 3."],
  },
  {
    what: "has a rule on a setting in a unit, of a metric in none",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).hysteresis({ low: 1, high: 2 })],\n  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },\n  rules: [when("temperature").above("fan.on-above").set("fan", 80)],',
    ),
    says: ['11: "fan.on-above" is in °F and temperature in none; give the setting none.'],
  },
  {
    what: "looks for a frequency that is too high",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).goertzel(0.5, { samples: 32 })],'),
    says: ["9: a frequency here is above 0 and below half the rate, 0.5 Hz, not 0.5."],
  },
  {
    what: "has a spectrum of a hundred samples",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).spectrum(100).stat("frequency")],'),
    says: ["9: a spectrum is of 16, 32, 64, 128 or 256 samples, not of 100."],
  },
  {
    what: "has a band between two bins",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).spectrum(16).stat("0.1-0.12hz")],'),
    says: ["9: no bin lies in the band 0.1-0.12hz: with 16 samples they are 0.0625 Hz apart."],
  },
  {
    what: "has a band above half the rate",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).spectrum(16).stat("0.1-5hz")],'),
    says: ["9: a band goes from a frequency to a higher one, at most half the rate, 0.5 Hz, not 0.1-5hz."],
  },
  {
    what: "asks a spectrum for what it has not",
    source: onBoard('  sense: [sense("cpu.load", { every: "1s" }).spectrum(16).stat("mean")],'),
    says: ['9: "mean" is nothing of a spectrum; use "frequency", "centroid" or a band such as "5-20hz".'],
  },
  {
    what: "has a spectrum of what comes now and then",
    source: onBoard(
      '  sense: [sense("cpu.load", { every: "1s" }).deadband(1).spectrum(16).stat("frequency")],',
    ),
    says: ["9: a spectrum needs values at a steady rate; put it before the stages that leave some out."],
  },
  {
    what: "sums up changes without a threshold",
    source: onBoard('  sense: [sense("temperature", { every: "1s" }).cusum({ drift: 0.5 })],'),
    says: ["9: threshold must be a number, 0 or more, not undefined."],
  },
  {
    what: "holds more than a pipeline may",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" }).window("4m", { every: "1s" }).stat("p95")],',
    ),
    says: [
      '9: the pipeline "temperature" holds 5824 bytes of state; at most 2048 are possible, so take shorter windows or fewer of them.',
    ],
  },
  {
    what: "has pipelines that hold more than a board may",
    source: onBoard(
      '  sense: Array.from({ length: 5 }, (_, i) => sense("cpu.load", { every: "1s" }).as("m" + i)\n    .window(120 + i, { every: 1 }).stat("p95")),',
    ),
    says: [
      '9: the pipelines of "door" hold 9960 bytes of state; a board has 8192, and "m4" takes most, 2024.',
    ],
  },

  {
    what: "has two pipelines for one metric",
    source: onBoard(
      '  sense: [\n    sense("cpu.load", { every: "1s" }),\n    sense("cpu.load", { every: "2s" }),\n  ],',
    ),
    says: ['11: "door" has two pipelines for "cpu.load"; name one of them with .as("...").'],
  },
  {
    what: "names a metric with a capital",
    source: onBoard('  sense: [\n    sense("cpu.load", { every: "1s" })\n      .as("Load"),\n  ],'),
    says: ['11: "Load" cannot name a metric: use lower-case letters, digits, "." and "-", at most 32.'],
  },
  {
    what: "misspells a part of a board",
    source: onBoard("  sense: [],\n  output: {},"),
    says: ['10: a board has no "output"; did you mean "outputs"?'],
  },
  {
    what: "gives sense no list",
    source: onBoard('  sense: sense("cpu.load", { every: "1s" }),'),
    says: ['9: sense must be a list: sense: [sense("temperature", { every: "1s" })].'],
  },
  {
    what: "forgets to say what a rule does",
    source: onBoard(
      '  sense: [sense("temperature", { every: "1s" })],\n  rules: [when("temperature").above(20)],',
    ),
    says: ['10: each item of rules must be a rule such as when("temperature").above(28).set("fan", 80).'],
  },

  // Outputs.
  {
    what: "drives a pin that cannot be driven",
    source: onBoard(
      "  sense: [],\n  outputs: {\n    fan: output.pwm({\n      pin: 21,\n      safe: 0 }),\n  },",
    ),
    says: [`12: pin 21 is not one that esp32c3-devkit can drive; use ${usable}.`],
  },
  {
    what: "drives the pin of a button",
    source: onBoard("  sense: [],\n  outputs: { fan: output.pwm({ pin: 9, safe: 0 }) },"),
    says: [`10: pin 9 of esp32c3-devkit is its boot button; use ${usable}.`],
  },
  {
    what: "drives one pin twice",
    source: onBoard(
      "  sense: [],\n  outputs: {\n    fan: output.pwm({ pin: 4, safe: 0 }),\n    lamp: output.digital({ pin: 4, safe: false }),\n  },",
    ),
    says: ['12: pin 4 already drives "fan".'],
  },
  {
    what: "has a safe value that the output cannot have",
    source: onBoard("  sense: [],\n  outputs: { fan: output.pwm({ pin: 4, safe: 101 }) },"),
    says: ["10: safe must be a duty cycle from 0 to 100 %, not 101."],
  },
  {
    what: "follows a setting that there is not",
    source: onBoard(
      '  sense: [],\n  outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.dutty" }) },',
    ),
    says: ['10: "fan.dutty" is not a setting; did you mean "fan.duty"?'],
  },
  {
    what: "follows a setting in the wrong unit",
    source: onBoard(
      '  sense: [],\n  outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.on-above" }) },',
    ),
    says: ['10: a PWM output follows a number in %, and "fan.on-above" is in °F.'],
  },
  {
    what: "lets a digital output follow a number",
    source: onBoard(
      '  sense: [],\n  outputs: { lamp: output.digital({ pin: 4, safe: false, follows: "fan.duty" }) },',
    ),
    says: ['10: a digital output follows a boolean setting, and "fan.duty" is a number.'],
  },

  // Rules; the rule is on line 11.
  // Models; `machine.cvm` takes temperature.mean, temperature.slope and temperature.min, `usual.cvm` is of half-spaces.
  ...models([
    [
      "that is not there",
      'model("busy", "none.cvm")',
      "FOLDER/none.cvm: there is no such model; make one with covey model train.",
    ],
    [
      "of more features than a board gathers",
      'model("busy", "wide.cvm")',
      '"wide.cvm" takes 30 features, and a board gathers 24 at most; train it on fewer with --features.',
    ],
    [
      "of a feature that the board has not",
      'model("busy", "machine.cvm", { from: { "temperature.min": "temperature.mean" } })',
      'the board has no metric "temperature.slope"; did you mean "temperature.mean"? (the model\'s feature "temperature.slope" needs a metric; say which in from.)',
    ],
    [
      "of a metric that there is not",
      'model("busy", "machine.cvm", { from: { "temperature.slope": "slope", "temperature.min": "temperature.mean" } })',
      'the board has no metric "slope"; use "temperature.mean" or "cpu.load". (the model\'s feature "temperature.slope" needs a metric; say which in from.)',
    ],
    [
      "that learns and cannot",
      `model("busy", "machine.cvm", { from: ${machineFrom}, learn: true })`,
      'only half-spaces go on learning on a board, and "machine.cvm" is a forest.',
    ],
    [
      "of a class that it has not",
      `model("busy", "machine.cvm", { from: ${machineFrom}, share: "stoped" })`,
      'the model has no class "stoped"; did you mean "stopped"?',
    ],
    [
      "of a distance that it has not",
      `model("busy", "machine.cvm", { from: ${machineFrom}, distance: true })`,
      "distance is for k-means, and this model is a forest.",
    ],
    [
      "called like a pipeline",
      `model("cpu.load", "machine.cvm", { from: ${machineFrom} })`,
      '"door" has "cpu.load" already; give the model\'s metric another name.',
    ],
    [
      "called as nothing can be",
      `model("Busy", "machine.cvm", { from: ${machineFrom} })`,
      '"Busy" cannot name a metric: use lower-case letters, digits, "." and "-", at most 32.',
    ],
    [
      "of a regression of nothing",
      'regression("x", { of: "cpu.load", from: [] })',
      "from must be a list of 1 to 8 metrics, not [].",
    ],
    [
      "of a regression from itself",
      'regression("x", { of: "cpu.load", from: ["cpu.load"] })',
      '"cpu.load" is what is to be told; it cannot be told from itself.',
    ],
    [
      "of a regression with no memory",
      'regression("x", { of: "cpu.load", from: ["temperature.mean"], memory: 3 })',
      "memory must be a whole number from 10 to 1000000, not 3.",
    ],
    [
      "of a regression that gives what there is not",
      'regression("x", { of: "cpu.load", from: ["temperature.mean"], gives: "error" })',
      'gives must be "prediction" or "residual", not "error".',
    ],
    [
      "that is no model",
      '"machine.cvm"',
      'each item of models must be a model such as model("occupied", "occupied.cvm").',
    ],
  ]),

  ...derived([
    [
      "that follows from itself",
      'join("x", "sum", ["x", "cpu.load"])',
      '"x" follows from itself; take it from something else.',
    ],
    [
      "that follows from itself by way of another",
      'join("x", "mean", ["y", "cpu.load"]), join("y", "mean", ["x", "cpu.load"])',
      '"x" follows from itself, by way of "y"; take it from something else.',
    ],
    [
      "of a metric that there is not",
      'join("x", "difference", ["cpu.load", "pressur"])',
      'the board has no metric "pressur"; did you mean "pressure"?',
    ],
    [
      "of values in two units",
      'join("x", "mean", ["temperature", "humidity"])',
      'a mean is of values in one unit, and "humidity" is in %, not in °C; convert it.',
    ],
    [
      "of three where two are joined",
      'join("x", "ratio", ["temperature", "humidity", "cpu.load"])',
      '"ratio" joins two metrics, not 3.',
    ],
    [
      "joined in no known way",
      'join("x", "dewpoint", ["temperature", "humidity"])',
      '"dewpoint" is no way to join; did you mean "dew-point"?',
    ],
    [
      "of a dew point from the wrong end",
      'join("x", "dew-point", ["humidity", "temperature"])',
      '"dew-point" takes a temperature in °C and a relative humidity in %, in this order, not "%" or "°C".',
    ],
    [
      "of what comes now and then",
      'join("x", "difference", ["cpu.load", "load.changed"])',
      '"load.changed" comes at no steady rate, so say how old it may be: within.',
    ],
    [
      "of too many rows",
      'correlation("x", ["cpu.load", "humidity"], { rows: 1000 })',
      "rows must be a whole number from 3 to 100, not 1000.",
    ],
    [
      "told less often than there are rows",
      'correlation("x", ["cpu.load", "humidity"], { rows: 10, every: 11 })',
      "every must be a whole number from 1 to 10, not 11.",
    ],
    [
      "of no group",
      'groupBy("x", { of: "temperature", by: "cpu.load", groups: {}, window: "1m", stat: "mean" })',
      "groups must be 1 to 8 names and their numbers: { closed: 0, open: 1 }.",
    ],
    [
      "of a group between two numbers",
      'groupBy("x", { of: "temperature", by: "cpu.load", groups: { low: 0.5 }, window: "1m", stat: "mean" })',
      "a group is a whole number from 0 to 255, not 0.5.",
    ],
    [
      "of a statistic that there is not",
      'groupBy("x", { of: "temperature", by: "cpu.load", groups: { low: 0 }, window: "1m", stat: "average" })',
      '"average" is no statistic; use "count", "mean", "min", "max", "variance", "slope" or "rms" or "p95" for a percentile.',
    ],
    [
      "called like a pipeline",
      'join("humidity", "difference", ["cpu.load", "humidity"])',
      '"door" has "humidity" already; give the derived metric another name.',
    ],
    [
      "that is none",
      '"dew-point"',
      'each item of derived must be a model such as join("gradient", "difference", ["top", "bottom"]).',
    ],
  ]),

  ...rules([
    [
      "on a metric that there is not",
      'when("humidity").above(20).set("fan", 80)',
      'the board has no metric "humidity"; use "temperature".',
    ],
    [
      "on a setting that there is not",
      'when("temperature").above("fan.on").set("fan", 80)',
      '"fan.on" is not a setting; use "fan.duty", "fan.on-above", "lamp.on" or "note".',
    ],
    [
      "on a setting in another unit",
      'when("temperature").above("fan.on-above").set("fan", 80)',
      '"fan.on-above" is in °F and temperature in °C; give the setting the unit °C.',
    ],
    [
      "on a setting that is no number",
      'when("temperature").above("lamp.on").set("fan", 80)',
      'a threshold is a number, and "lamp.on" is a boolean.',
    ],
    [
      "for an output that there is not",
      'when("temperature").above(20).set("fna", 80)',
      'the board has no output "fna"; did you mean "fan"?',
    ],
    [
      "with a value that the output cannot have",
      'when("temperature").above(20).set("fan", 800)',
      '"fan" must be set to a duty cycle from 0 to 100 %, not 800.',
    ],
    [
      "with a negative hysteresis",
      'when("temperature").above(20, { hysteresis: -1 }).set("fan", 80)',
      "hysteresis must be a number, 0 or more, not -1.",
    ],
    [
      "with no duration",
      'when("temperature").above(20, { for: 2 }).set("fan", 80)',
      '2 is not a duration; write for as "500ms", "5s", "2m" or "1h".',
    ],
  ]),

  // Schedules; the schedule is on line 11.
  ...schedules([
    [
      "at no time of the day",
      'every.day("24:00", { zone: "Europe/Berlin" }).set("fan", 80)',
      '"24:00" is not a time of day; write it as "06:00" or "18:30".',
    ],
    ["in no zone", 'every.day("06:00").set("fan", 80)', 'say in which time zone: { zone: "Europe/Berlin" }.'],
    [
      "in a zone that there is not",
      'every.day("06:00", { zone: "Europe/Berln" }).set("fan", 80)',
      '"Europe/Berln" is not a time zone; did you mean "Europe/Berlin"?',
    ],
    [
      "in a zone whose rule is none",
      'every.day("06:00", { zone: "CET-1CEST,M3.5.0" }).set("fan", 80)',
      '"CET-1CEST,M3.5.0" is not a time zone.',
    ],
    [
      "in a zone that follows the moon",
      'every.day("06:00", { zone: "Asia/Gaza" }).set("fan", 80)',
      'the clocks of Asia/Gaza follow no yearly rule that a board could keep; give this year\'s, such as "EET-2EEST,M3.5.0,M10.5.0/3", or "UTC".',
    ],
    [
      "on a day that there is not",
      'every.week(["monday", "firday"], "06:00", { zone: "UTC" }).set("fan", 80)',
      '"firday" is not a day of the week; did you mean "friday"?',
    ],
    [
      "on no day",
      'every.week([], "06:00", { zone: "UTC" }).set("fan", 80)',
      'the days of a week are a list such as ["monday", "friday"].',
    ],
    [
      "with no duration",
      'every("15").set("fan", 80)',
      '"15" is not a duration; write every as "500ms", "5s", "2m" or "1h".',
    ],
    ["that comes too often", 'every("500ms").set("fan", 80)', "every is 500ms; it must be from 1s to 24h."],
    [
      "that holds for too long",
      'every("15m").set("fan", 80, { for: "48h" })',
      "for is 48h; it must be from 1s to 24h.",
    ],
    [
      "at no instant",
      'at("2027-02-29T06:00Z").set("fan", 80)',
      '"2027-02-29T06:00Z" is not an instant; write it as "2027-12-24T18:00" with a zone, or as "2027-12-24T17:00Z".',
    ],
    [
      "at an instant in no zone",
      'at("2027-02-28T06:00").set("fan", 80)',
      'say in which time zone: { zone: "Europe/Berlin" }.',
    ],
    [
      "at an instant in two zones",
      'at("2027-02-28T06:00Z", { zone: "Europe/Berlin" }).set("fan", 80)',
      '"2027-02-28T06:00Z" says "Z" itself; leave zone out.',
    ],
    [
      "for an output that there is not",
      'every("15m").set("fna", 80)',
      'the board has no output "fna"; did you mean "fan"?',
    ],
    [
      "with a value that the output cannot have",
      'every("15m").set("fan", true)',
      '"fan" must be set to a duty cycle from 0 to 100 %, not true.',
    ],
    [
      "without an effect",
      'every.day("06:00", { zone: "UTC" })',
      'each item of schedules must be a schedule such as every.day("06:00", { zone: "Europe/Berlin" }).set("lamp", true, { for: "2h" }).',
    ],
  ]),
  {
    what: "has a schedule whose mistake is on its fourth line",
    source: onBoard(
      '  sense: [],\n  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },\n  schedules: [\n    every.week(\n      ["monday"],\n      "6 pm",\n      { zone: "UTC" },\n    ).set("fan", 80),\n  ],',
    ),
    says: ['14: "6 pm" is not a time of day; write it as "06:00" or "18:30".'],
  },

  // Simulated input; the replay is on line 10.
  ...replays([
    ["of a file that there is not", 'replay("serie.csv")', "FOLDER/serie.csv: there is no such file."],
    ["of a file with a bad value", 'replay("broken.csv")', 'FOLDER/broken.csv:3: "warm" is no number.'],
    [
      "in a unit that there is not",
      'replay("series.csv", { unit: "F" })',
      '"F" is not a unit; did you mean "°F"?',
    ],
    [
      "in a unit of another quantity",
      'replay("series.csv", { unit: "hPa" })',
      "a series in hPa cannot stand in for temperature, which is in °C.",
    ],
    [
      "at no speed",
      'replay("series.csv", { speed: 0 })',
      "speed must be above 0 and at most 1000000, not 0.",
    ],
    ["that is only a name", '"series.csv"', 'what stands in for "temperature" must be replay("FILE.csv").'],
  ]),
  {
    what: "simulates what it does not sense",
    source: onBoard('  sense: [],\n  simulate: { temperature: replay("series.csv") },'),
    says: ['10: "door" does not sense "temperature"; sense it or remove it from simulate.'],
  },

  // Limits, and many mistakes at once.
  {
    what: "makes a program larger than an entry",
    source: onBoard(
      '  sense: Array.from({ length: 16 }, (_, i) => sense("temperature", { every: "1s" })\n    .as("a-long-name-for-a-temperature-" + i).median(3).deadband(0.1, { atLeastEvery: "30s" }).median(5)),',
    ),
    says: [
      '8: the program of "door" takes 1168 bytes; at most 900 fit in an entry, so use fewer stages or shorter names.',
    ],
  },
  {
    what: "has more pipelines than a board holds",
    source: onBoard(
      '  sense: Array.from({ length: 17 }, (_, i) => sense("cpu.load", { every: "1s" }).as("m" + i)),',
    ),
    says: ['9: "door" has 17 pipelines; a board holds at most 16.'],
  },
  {
    what: "says the same of two boards made by one function once",
    source: `${words}
const make = () => board("esp32-devkit", {
  sense: [sense("wind", { every: "1s" })],
});
export default swarm("house", { boards: { a: make(), b: make() } });
`,
    says: [
      '3: "wind" is not a sensor; use "temperature", "humidity", "pressure", "co2", "cpu.load", "memory.used", "network.received" or "network.sent".',
    ],
  },
  {
    what: "shows ten of twelve mistakes, in the order of lines",
    source: onBoard(
      `  sense: [\n${Array.from({ length: 12 }, (_, i) => `    sense("cpu.load", { every: "1s" }).as("m${i}").median(2),`).join("\n")}\n  ],`,
    ),
    says: [
      ...Array.from({ length: 10 }, (_, i) => {
        return `${i + 10}: a median is taken of an odd number of samples from 3 to 31, not of 2.`;
      }),
      "... and 2 more.",
    ],
  },
];

type Case = [what: string, code: string, says: string];

function rules(cases: Case[]): Mistake[] {
  return cases.map(([what, code, says]) => ({
    what: `has a rule ${what}`,
    source: onBoard(
      `  sense: [sense("temperature", { every: "1s" })],\n  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },\n  rules: [${code}],`,
    ),
    says: [`11: ${says}`],
  }));
}

function derived(cases: Case[]): Mistake[] {
  const sensed = ["temperature", "humidity", "pressure", "cpu.load"].map(
    (sensor) => `sense("${sensor}", { every: "1s" })`,
  );
  return cases.map(([what, code, says]) => ({
    what: `derives a metric ${what}`,
    source: onBoard(
      `  sense: [${sensed.join(", ")}, sense("cpu.load", { every: "1s" }).deadband(5).as("load.changed")],\n  derived: [${code}],`,
    ),
    says: [`10: ${says}`],
  }));
}

function alerts(cases: Case[]): Mistake[] {
  return cases.map(([what, code, says]) => ({
    what: `has an alert ${what}`,
    source: inSwarm(`  settings: { note: setting.text({ initial: "" }) },
  alerts: { ${code} },
  boards: {
    door: board("esp32-devkit", { sense: [sense("cpu.load", { every: "1s" })] }),
    shed: board("esp32-devkit", { sense: [], sleep: { awake: "10s", every: "10m" } }),
  },`),
    says: [`4: ${says}`],
  }));
}

function models(cases: Case[]): Mistake[] {
  return cases.map(([what, code, says]) => ({
    what: `has a model ${what}`,
    source: onBoard(
      `  sense: [sense("temperature", { every: "1s" }).as("temperature.mean"), sense("cpu.load", { every: "1s" })],\n  models: [${code}],`,
    ),
    says: [`10: ${says}`],
  }));
}

function schedules(cases: Case[]): Mistake[] {
  return cases.map(([what, code, says]) => ({
    what: `has a schedule ${what}`,
    source: onBoard(
      `  sense: [],\n  outputs: { fan: output.pwm({ pin: 4, safe: 0 }) },\n  schedules: [${code}],`,
    ),
    says: [`11: ${says}`],
  }));
}

function replays(cases: Case[]): Mistake[] {
  return cases.map(([what, code, says]) => ({
    what: `simulates with a replay ${what}`,
    source: onBoard(
      `  sense: [sense("temperature", { every: "1s" })],\n  simulate: { temperature: ${code} },`,
    ),
    says: [`10: ${says}`],
  }));
}
