/**
 * The parts that the API's functions give back and `swarm` takes: what the user wrote and where, not yet checked.
 *
 * Type parameters carry names (settings, metrics, outputs) from where they are declared to where they are used, so that
 * a misspelt one is a type error in the editor; they leave nothing at run time. Whoever ignores the types is caught by `compile`.
 */
import type { CallSite } from "./call-site.ts";
import type { SensorName } from "./sensors.ts";
import type { Unit } from "./units.ts";

/** What every part knows of itself. */
export interface Part<Kind extends string> {
  readonly kind: Kind;
  readonly site: CallSite | undefined;
}

export interface NumberSetting {
  unit: Unit;
  min: number;
  max: number;
  initial: number;
}

export interface SettingPart extends Part<"setting"> {
  readonly type: "number" | "boolean" | "text";
  readonly given: Readonly<Record<string, unknown>>;
}

export interface RegisterPart extends Part<"register"> {
  readonly type: "number" | "boolean" | "text" | "coordinator";
  readonly given: Readonly<Record<string, unknown>>;
}

/** A pipeline: a sensor, and the stages that its samples go through, in the order written. */
export interface PipelinePart<Metric extends string = string> extends Part<"pipeline"> {
  readonly metric: Metric;
  /** Where it was named with `as`, and after how many stages. */
  readonly metricSite: CallSite | undefined;
  readonly metricAfter: number;
  readonly sensor: string;
  readonly every: unknown;
  readonly stages: readonly StagePart[];
  /** How it reports, where that is said. */
  readonly reporting: StagePart | undefined;
  /** What it keeps for queries, where that is said. */
  readonly keeping?: StagePart | undefined;
}

/** A stage by the word that it was written with (`calibrate`, `window`) and what that was given. */
export interface StagePart {
  readonly site: CallSite | undefined;
  readonly word: string;
  readonly given: Readonly<Record<string, unknown>>;
}

export interface OutputPart<Key extends string = string> extends Part<"output"> {
  readonly type: "digital" | "pwm";
  readonly given: {
    readonly pin: unknown;
    readonly safe: unknown;
    readonly follows?: Key | undefined;
  };
}

/** What a metric has to do, for a rule or an alert; `site` is where `when` was called. */
export interface ConditionPart<Metric extends string = string, Key extends string = string>
  extends Part<"condition"> {
  readonly metric: Metric;
  readonly when: "above" | "below";
  /** Where `above` or `below` was called. */
  readonly conditionSite: CallSite | undefined;
  readonly threshold: number | Key;
  readonly hysteresis: unknown;
  readonly for: unknown;
  /** Name of the register that names the board on which it holds; undefined for all. */
  readonly as: Key | undefined;
}

export interface SilentPart extends Part<"silent"> {
  readonly for: unknown;
}

export interface AlertPart<BoardName extends string = string, Key extends string = string>
  extends Part<"alert"> {
  readonly condition: ConditionPart<string, Key> | SilentPart;
  /** undefined: every board that it can be about. */
  readonly boards: readonly BoardName[] | undefined;
}

/** A condition with its effect: `site` is where `when` was called. */
interface EffectPart<Kind extends string, Metric extends string, Key extends string>
  extends Part<Kind>,
    Omit<ConditionPart<Metric, Key>, "kind"> {
  /** Where `set` or `propose` was called. */
  readonly effectSite: CallSite | undefined;
  readonly value: unknown;
}

export interface RulePart<
  Metric extends string = string,
  Output extends string = string,
  Key extends string = string,
> extends EffectPart<"rule", Metric, Key> {
  readonly output: Output;
}

export interface ProposalPart<Metric extends string = string, Key extends string = string>
  extends EffectPart<"proposal", Metric, Key> {
  readonly register: Key;
}

export interface SchedulePart<Output extends string = string> extends Part<"schedule"> {
  /** `site` is where `at` or `every` was called. */
  readonly fires:
    | { readonly kind: "at"; readonly instant: unknown; readonly zone: unknown }
    | { readonly kind: "every"; readonly period: unknown }
    /** `days` undefined: all of them. */
    | { readonly kind: "daily"; readonly time: unknown; readonly days: unknown; readonly zone: unknown };
  /** Where `set` was called. */
  readonly effectSite: CallSite | undefined;
  readonly output: Output;
  readonly value: unknown;
  readonly for: unknown;
}

/** What is worked out of several metrics together; `Metric` are those that it needs. */
export interface ModelPart<Name extends string = string, Metric extends string = string>
  extends Part<"model"> {
  readonly type: "trained" | "regression" | "join" | "correlation" | "group";
  readonly metric: Name;
  readonly given: {
    /** Of a join, a correlation, a group: `joined-api.ts`. */
    readonly joins?: readonly Metric[];
    readonly operation?: unknown;
    readonly within?: unknown;
    readonly rows?: unknown;
    readonly every?: unknown;
    readonly groups?: Readonly<Record<string, number>>;
    readonly window?: unknown;
    readonly statistic?: unknown;
    readonly file?: unknown;
    readonly from?: Readonly<Record<string, Metric>> | readonly Metric[];
    readonly of?: Metric;
    readonly share?: unknown;
    readonly distance?: unknown;
    readonly learn?: unknown;
    readonly gives?: unknown;
    readonly memory?: unknown;
  };
}

/** What several boards do together or not at all. */
export interface ActionPart<BoardName extends string = string> extends Part<"action"> {
  readonly given: {
    readonly boards?: readonly BoardName[];
    readonly set?: unknown;
    readonly require?: unknown;
    readonly for?: unknown;
    readonly safety?: unknown;
  };
}

/** What a reading must be for a board to take part. */
export interface RequirementPart extends Part<"requirement"> {
  readonly metric: string;
  readonly min: unknown;
  readonly max: unknown;
  readonly within: unknown;
}

export interface ReplayPart extends Part<"replay"> {
  readonly file: string;
  readonly speed: unknown;
  /** undefined: the sensor's own. */
  readonly unit: unknown;
}

/** Work that whichever board or host holds it does. */
export interface TaskPart extends Part<"task"> {
  readonly given: {
    readonly on?: unknown;
    readonly role?: unknown;
    readonly aggregate?: unknown;
    readonly sense?: unknown;
    readonly strategy?: unknown;
    readonly lease?: unknown;
    readonly requires?: unknown;
  };
}

export interface BoardPart<Key extends string = string> extends Part<"board"> {
  readonly model: string;
  readonly given: {
    readonly sense: readonly PipelinePart[];
    readonly models?: readonly ModelPart[];
    readonly derived?: readonly ModelPart[];
    readonly outputs?: Readonly<Record<string, OutputPart<Key>>>;
    readonly rules?: readonly (RulePart<string, string, Key> | ProposalPart<string, Key>)[];
    readonly schedules?: readonly SchedulePart[];
    readonly simulate?: Partial<Record<SensorName, ReplayPart>>;
    readonly place?: unknown;
  };
}

export interface SwarmPart extends Part<"swarm"> {
  readonly name: string;
  readonly given: {
    readonly hosts?: unknown;
    readonly voters?: readonly string[];
    readonly settings?: Readonly<Record<string, SettingPart>>;
    readonly registers?: {
      readonly boards: readonly string[];
      readonly names: Readonly<Record<string, RegisterPart>>;
    };
    readonly alerts?: Readonly<Record<string, AlertPart>>;
    readonly webhooks?: readonly string[];
    readonly boards: Readonly<Record<string, BoardPart>>;
    readonly tasks?: Readonly<Record<string, TaskPart>>;
    readonly actions?: Readonly<Record<string, ActionPart>>;
    readonly keeping?: unknown;
  };
}
