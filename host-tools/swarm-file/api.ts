/**
 * What `import { ... } from "covey"` gives: the words in which `swarm.ts` is written.
 *
 * A board senses, processes, drives outputs and follows rules; the swarm agrees on settings. Nothing here acts: each
 * function notes what was asked for and where, and `covey sim` or `covey lead` checks the whole and compiles it.
 *
 * ```ts
 * import { board, every, output, sense, setting, swarm, when } from "covey";
 *
 * export default swarm("greenhouse", {
 *   settings: { "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }) },
 *   boards: {
 *     north: board("esp32c3-devkit", {
 *       sense: [sense("temperature", { every: "1s" }).median(5).mean("5s")],
 *       outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) },
 *       rules: [when("temperature").above(28, { hysteresis: 1 }).set("fan", 80)],
 *       schedules: [every.day("06:00", { zone: "Europe/Berlin" }).set("fan", 50, { for: "2h" })],
 *     }),
 *   },
 * });
 * ```
 */
import type { BoardModel } from "./board-models.ts";
import { type CallSite, callSite } from "./call-site.ts";
import type { Duration } from "./duration.ts";
import type {
  ActionPart,
  AlertPart,
  BoardPart,
  ConditionPart,
  ModelPart,
  NumberSetting,
  OutputPart,
  PipelinePart,
  ProposalPart,
  RegisterPart,
  ReplayPart,
  RulePart,
  SchedulePart,
  SettingPart,
  SwarmPart,
  TaskPart,
} from "./parts.ts";
import { type Pipeline, pipeline } from "./pipeline-api.ts";
import type { SensorName } from "./sensors.ts";
import type { HostPlace, Place } from "./task-api.ts";
import type { Unit } from "./units.ts";

export { action, metric } from "./action-api.ts";
export { alert, silent } from "./alert-api.ts";
export { correlation, groupBy, join } from "./joined-api.ts";
export { model, regression } from "./model-api.ts";
export type { Calibration, Pipeline, StatisticName, Window } from "./pipeline-api.ts";
export { register } from "./register-api.ts";
export { type HostPlace, type Place, task } from "./task-api.ts";
export type { BoardModel, Duration, SensorName, Unit };

/** A whole swarm, for `export default`. Its name is in its topics and its state folder: lower-case letters, digits and `-`. */
export function swarm<
  const BoardName extends string,
  const Key extends string = never,
  const Register extends string = never,
  const Task extends string = never,
>(
  name: string,
  given: {
    /** Names of the computers that coordinate, or what each of them is to whoever places tasks; one, named `main`, if not said. */
    hosts?: readonly string[] | Readonly<Record<string, HostPlace>>;
    /** Boards that vote beside the hosts; the others follow. Choose a few that are always powered. */
    voters?: readonly NoInfer<BoardName>[];
    /** What the swarm agrees on and `covey set` changes. */
    settings?: Readonly<Record<Key, SettingPart>>;
    /** What a few of the boards agree on by themselves, hosts or not. A name is a setting's or a register's, never both. */
    registers?: {
      /** Three, five or seven that are always powered, on one network. */
      boards: readonly NoInfer<BoardName>[];
      names: Readonly<Record<Register, RegisterPart>>;
    };
    boards: Readonly<Record<BoardName, BoardPart<NoInfer<Key | Register | Task>>>>;
    /** What a person is told of, in the log, on the page and at the webhooks. */
    alerts?: Readonly<Record<string, AlertPart<NoInfer<BoardName>, NoInfer<Key | Register>>>>;
    /** Addresses that are told when an alert begins and when it is over, three at most. */
    webhooks?: readonly string[];
    /** Work that one board or one host at a time does, whichever holds it. */
    tasks?: Readonly<Record<Task, TaskPart>>;
    /** What several boards do together or not at all, by name: `covey act NAME`. */
    actions?: Readonly<Record<string, ActionPart<NoInfer<BoardName>>>>;
    /** How readings with `copies` are kept on boards: one that is gone for `lostAfter`, 10m if not said, is replaced by another. */
    keeping?: { lostAfter?: Duration };
  },
): SwarmPart {
  return { kind: "swarm", site: callSite(), name, given };
}

/** A setting: a value that the whole swarm agrees on, within limits that the leader keeps. */
export const setting = {
  /** A number from `min` to `max`, in `unit`. */
  number: (given: NumberSetting): SettingPart => settingPart("number", { ...given }),
  /** On or off. */
  boolean: (given: { initial: boolean }): SettingPart => settingPart("boolean", { ...given }),
  /** A short text: at most `lengthMax` bytes of UTF-8, 128 if not said. */
  text: (given: { initial: string; lengthMax?: number }): SettingPart => settingPart("text", { ...given }),
};

/** A board of a model that is in `boards/`: what it senses, drives and does by itself. */
export function board<
  const Metric extends string = never,
  const Output extends string = never,
  const Key extends string = never,
  const Modelled extends string = never,
  const Derived extends string = never,
>(
  model: BoardModel,
  given: {
    /** Pipelines; each reports its own metric. */
    sense: readonly PipelinePart<Metric>[];
    /** Metrics that follow from others: joins, correlations, groups. They are for rules, for models and for each other too. */
    derived?: readonly ModelPart<Derived, NoInfer<Metric | Modelled | Derived>>[];
    /** What it works out of several of its metrics together by what it or a host has learned: a metric each, for rules too. */
    models?: readonly ModelPart<Modelled, NoInfer<Metric | Derived | Modelled>>[];
    /** Pins that the board drives, by name. */
    outputs?: Readonly<Record<Output, OutputPart<Key>>>;
    /** What the board does by itself, leader or not; the first rule that holds for an output decides it. */
    rules?: readonly (
      | RulePart<NoInfer<Metric | Modelled | Derived>, NoInfer<Output>, Key>
      | ProposalPart<NoInfer<Metric | Modelled | Derived>, Key>
    )[];
    /** What the board does by the clock, leader or not, once it knows the time. Where a rule holds, it goes before. */
    schedules?: readonly SchedulePart<NoInfer<Output>>[];
    /**
     * For a board on a battery that does not vote: it is awake for so long, and longer until it has told all it has, then in deep sleep
     * until `every` has gone by since it woke. Filters keep what they hold; outputs are not driven meanwhile.
     */
    sleep?: { awake: Duration; every: Duration };
    /** What matters to whoever places tasks. */
    place?: Place;
    /** Recorded series that `covey sim` feeds to sensors instead of this computer's own. */
    simulate?: Partial<Record<SensorName, ReplayPart>>;
  },
): BoardPart<Key> {
  return { kind: "board", site: callSite(), model, given };
}

/** Reads a sensor of the catalogue at a fixed period, 10 ms or longer. */
export function sense<Sensor extends SensorName>(
  sensor: Sensor,
  options: { every: Duration },
): Pipeline<Sensor> {
  return pipeline({
    kind: "pipeline",
    site: callSite(),
    metric: sensor,
    metricSite: undefined,
    metricAfter: 0,
    reporting: undefined,
    sensor,
    every: options?.every,
    stages: [],
  });
}

/** A pin that the board drives. At boot, after a crash and whenever nothing else decides, it has its `safe` value. */
export const output = {
  /** A duty cycle in percent, 0 to 100; `follows` names a number setting in %. */
  pwm: <const Key extends string = never>(given: {
    pin: number;
    safe: number;
    follows?: Key;
  }): OutputPart<Key> => ({ kind: "output", site: callSite(), type: "pwm", given: { ...given } }),
  /** On or off; `follows` names a boolean setting. */
  digital: <const Key extends string = never>(given: {
    pin: number;
    safe: boolean;
    follows?: Key;
  }): OutputPart<Key> => ({ kind: "output", site: callSite(), type: "digital", given: { ...given } }),
};

export interface RuleOptions {
  /** The rule ends when the metric has come back by this much; 0 if not said. */
  hysteresis?: number;
  /** How long the metric must stay beyond the threshold before the rule begins; at once if not said. */
  for?: Duration;
  /** A register that names a board, or a task that a board holds: the rule holds on that one only. */
  as?: string;
}

/** No options: they name nothing. */
type Unsaid = Record<never, never>;
/** The register or the task that the options name. */
type NamedIn<Options extends RuleOptions> = Options extends { as: infer As extends string } ? As : never;

/** What makes an alert, or a rule once it has its effect. */
export interface Condition<Metric extends string, Key extends string> extends ConditionPart<Metric, Key> {
  /** While the condition holds, `output` has this value: percent for PWM, true or false for digital. */
  set<const Output extends string>(output: Output, value: number | boolean): RulePart<Metric, Output, Key>;
  /** When the condition begins to hold, the board has its peers agree on this value of a register, hosts or not. */
  propose<const Register extends string>(
    register: Register,
    value: number | boolean | string,
  ): ProposalPart<Metric, Key | Register>;
}

/** Begins a rule on a metric of the same board; the threshold is a number, or names a setting or a register. */
export function when<const Metric extends string>(metric: Metric) {
  const site = callSite();
  return {
    above: <const Threshold extends number | string, const Options extends RuleOptions = Unsaid>(
      threshold: Threshold,
      options?: Options,
    ) => condition(site, metric, "above", threshold, options),
    below: <const Threshold extends number | string, const Options extends RuleOptions = Unsaid>(
      threshold: Threshold,
      options?: Options,
    ) => condition(site, metric, "below", threshold, options),
  };
}

/** `06:00` to `23:59`, on a clock of 24 hours. */
export type TimeOfDay = `${number}:${number}`;
export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";

/** Whose clocks are meant: `Europe/Berlin`, `UTC`, or a rule as POSIX writes it, `CET-1CEST,M3.5.0,M10.5.0/3`. */
export interface InZone {
  zone: string;
}

/** A schedule that has its times and still needs its effect. */
export interface Firing {
  /**
   * From each of its times on, `output` has this value: `for` so long, or, if that is not said, until another schedule of the
   * output fires. Percent for PWM, true or false for digital.
   */
  set<const Output extends string>(
    output: Output,
    value: number | boolean,
    options?: { for?: Duration },
  ): SchedulePart<Output>;
}

export interface Every {
  /** At every multiple of a period since 1970, UTC, from 1s to 24h: `every("15m")` is on the quarter hour on all boards. */
  (period: Duration): Firing;
  /**
   * Each day at a time of a zone. A time that is skipped when clocks are set forward fires at that moment; one that comes twice
   * when they are set back, the first time only.
   */
  day(time: TimeOfDay, options: InZone): Firing;
  /** As `day`, on some days of the week. */
  week(days: readonly Weekday[], time: TimeOfDay, options: InZone): Firing;
}

/** Begins a schedule that comes again and again. */
export const every: Every = Object.assign((period: Duration) => firing({ kind: "every", period }), {
  day: (time: TimeOfDay, options: InZone) =>
    firing({ kind: "daily", time, days: undefined, zone: options?.zone }),
  week: (days: readonly Weekday[], time: TimeOfDay, options: InZone) =>
    firing({ kind: "daily", time, days: days ?? [], zone: options?.zone }),
});

/** Begins a schedule of one instant: `"2027-12-24T18:00"` in a zone, or `"2027-12-24T17:00Z"`. */
export function at(instant: string, options?: InZone): Firing {
  return firing({ kind: "at", instant, zone: options?.zone });
}

/** A recorded series: CSV with the columns timestamp and value; the path is relative to the folder of `swarm.ts`. */
export function replay(
  file: string,
  options: {
    /** Recorded seconds for a second of the simulation; 1 if not said. */
    speed?: number;
    /** Unit of the recorded values; the sensor's own if not said. */
    unit?: Unit;
  } = {},
): ReplayPart {
  return { kind: "replay", site: callSite(), file, speed: options?.speed ?? 1, unit: options?.unit };
}

function settingPart(type: SettingPart["type"], given: SettingPart["given"]): SettingPart {
  return { kind: "setting", site: callSite(), type, given };
}

function firing(fires: SchedulePart["fires"]): Firing {
  const site = callSite();
  return {
    set: (output, value, options) => ({
      kind: "schedule",
      site,
      fires,
      effectSite: callSite(),
      output,
      value,
      for: options?.for,
    }),
  };
}

function condition<Metric extends string, Threshold extends number | string, Options extends RuleOptions>(
  site: CallSite | undefined,
  metric: Metric,
  when: "above" | "below",
  threshold: Threshold,
  options: Options | undefined,
): Condition<Metric, Extract<Threshold, string> | NamedIn<Options>> {
  const given = {
    ...{ site, metric, when, conditionSite: callSite() },
    threshold: threshold as number | Extract<Threshold, string>,
    hysteresis: options?.hysteresis ?? 0,
    for: options?.for,
    as: options?.as as NamedIn<Options> | undefined,
  };
  return {
    kind: "condition",
    ...given,
    set: (output, value) => ({ kind: "rule", ...given, effectSite: callSite(), output, value }),
    propose: (register, value) => ({ kind: "proposal", ...given, effectSite: callSite(), register, value }),
  };
}
