/**
 * A swarm as `swarm.ts` defines it, checked and compiled to plain data: what the CLI hands to the leader and to the
 * simulator (as JSON), so that neither runs the user's file.
 */
import type { Strategy, Work } from "../../protocols/balancing/types.ts";
import type { Pipeline, Program } from "../../protocols/pipeline/program.ts";
import type { OutputValue, Requirement } from "../../protocols/two-phase-commit/action.ts";

export interface SwarmDefinition {
  readonly name: string;
  /** Absolute path of the file that it came from; relative file names in it are relative to its folder. */
  readonly file: string;
  readonly hosts: readonly string[];
  /** Absent for hosts of which `swarm.ts` gives only the names. */
  readonly hostPlaces?: Readonly<Record<string, BoardPlace>>;
  /** Names of the boards that vote, beside the hosts. */
  readonly voters: readonly string[];
  readonly settings: Readonly<Record<string, SettingDefinition>>;
  /** What a few of the boards agree on by themselves; absent for nothing. */
  readonly registers?: RegistersDefinition;
  readonly boards: Readonly<Record<string, BoardDefinition>>;
  /** What a person is told of, by name; absent for nothing. */
  readonly alerts?: Readonly<Record<string, AlertDefinition>>;
  /** Where; absent for nowhere but the log, the page and `covey alerts`. */
  readonly webhooks?: readonly string[];
  /** Work that whichever board holds it does; absent for none. */
  readonly tasks?: Readonly<Record<string, TaskDefinition>>;
  /** How readings are kept on boards; absent where nothing is. */
  readonly keeping?: KeepingDefinition;
  /** What several boards do together, by name; absent for nothing. */
  readonly actions?: Readonly<Record<string, ActionDefinition>>;
}

/** What an action asks of each of its boards and does there. */
export interface ActionDefinition {
  /** Undefined: all that have the outputs and the metrics. */
  readonly boards?: readonly string[] | undefined;
  readonly set: readonly OutputValue[];
  readonly require: readonly Requirement[];
  /** 0: until another action. */
  readonly forMs: number;
  /** 0: it waits for the decision for ever. */
  readonly safetyMs: number;
}

export interface TaskDefinition {
  /** Who holds it. */
  readonly on: "boards" | "hosts";
  readonly strategy: Strategy;
  readonly leaseMs: number;
  readonly requires: Pick<Work, "needs" | "zones" | "mains" | "apartFrom">;
  /** What its board runs; none of a role, and of a task on hosts. */
  readonly pipelines: readonly Pipeline[];
  /** What its host works out; absent for a role. */
  readonly aggregate?: AggregateDefinition;
  /** Metric to unit, for showing and exporting. */
  readonly units: Readonly<Record<string, string>>;
}

/** What a host asks boards for, at every full `everyMs` of the wall's time. */
export interface AggregateDefinition {
  /** Its outcome's name: the task's. */
  readonly metric: string;
  readonly unit: string;
  /** As `query-text.ts` reads it, over `everyMs`. */
  readonly query: string;
  readonly everyMs: number;
  readonly boards: readonly string[];
}

/** What a board or a host is to those who place tasks. */
export interface BoardPlace {
  readonly zone: string | undefined;
  readonly has: readonly string[];
  readonly onBattery: boolean;
  readonly weight: number;
  /** It keeps other boards' readings. */
  readonly keeps?: boolean;
}

export interface KeepingDefinition {
  /** A keeper that has been gone for so long is replaced. */
  readonly lostAfterMs: number;
}

/** Which of a board's metrics are kept on how many other boards, each in a zone of its own. */
export interface KeptDefinition {
  readonly copies: number;
  readonly metrics: readonly string[];
}

/** When a person is to be told, and of which boards. */
export type AlertDefinition =
  | {
      readonly kind: "threshold";
      readonly metric: string;
      readonly when: "above" | "below";
      /** A number in the metric's unit, or the key of a setting that is one. */
      readonly threshold: number | string;
      readonly hysteresis: number;
      readonly forMs: number;
      readonly boards: readonly string[];
    }
  | { readonly kind: "silent"; readonly forMs: number; readonly boards: readonly string[] };

/** A setting and its limits; the leader refuses a value outside them before it is proposed. */
export type SettingDefinition =
  | {
      readonly type: "number";
      readonly unit: string;
      readonly min: number;
      readonly max: number;
      readonly initial: number;
    }
  | { readonly type: "boolean"; readonly initial: boolean }
  | { readonly type: "text"; readonly lengthMax: number; readonly initial: string };

/** Who agrees, and on what. */
export interface RegistersDefinition {
  /** Three, five or seven, in the order of `swarm.ts`. */
  readonly boards: readonly string[];
  readonly names: Readonly<Record<string, RegisterDefinition>>;
}

/** A register and its limits: hosts refuse a value outside them before it is sent, boards before it is proposed. */
export type RegisterDefinition =
  | Exclude<SettingDefinition, { type: "text" }>
  | { readonly type: "text"; readonly initial: string }
  /** The name of one of the boards, or none; it begins with none. */
  | { readonly type: "coordinator" };

/** What an output follows and a rule compares with, by key or name. */
export type Agreed = Readonly<Record<string, SettingDefinition | RegisterDefinition>>;

export interface BoardDefinition {
  /** Name of a file in `boards/`. */
  readonly model: string;
  readonly program: Program;
  /** What the program's trained models are; absent for none. */
  readonly models?: readonly DeployedModel[];
  /** Metric to unit, for showing and exporting. */
  readonly units: Readonly<Record<string, string>>;
  /** Absent where `swarm.ts` says nothing of it. */
  readonly place?: BoardPlace;
  /** What other boards keep of this one; absent for nothing. */
  readonly kept?: KeptDefinition;
  /** What the simulator feeds to a sensor instead of this computer's own. Sensor name to series. */
  readonly simulate: Readonly<Record<string, ReplayDefinition>>;
}

/** A model as it travels beside the program, in parts. */
export interface DeployedModel {
  readonly name: string;
  /** CRC-32 of its bytes. */
  readonly crc: number;
  /** In base64. */
  readonly bytes: string;
}

export interface ReplayDefinition {
  /** CSV with the columns timestamp (ISO 8601 or `YYYY-MM-DD hh:mm:ss`, or seconds) and value; absolute path once compiled. */
  readonly file: string;
  /** Recorded seconds per second of the simulation. */
  readonly speed: number;
  /** Unit of the recorded values; converted to the sensor's own. */
  readonly unit: string;
}
