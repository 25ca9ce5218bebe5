/** A stage as it was written, read against the ranges of the operators and against what comes to it. */
import { operatorOf, type Parameter } from "../../protocols/pipeline/operators.ts";
import type { Stage } from "../../protocols/pipeline/stage.ts";
import { compileDuration } from "./compile-duration.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, shown } from "./given.ts";
import type { StagePart } from "./parts.ts";

/** What goes from one stage to the next. */
export interface Signal {
  /** One of `units`, or made of one: `°C/s`. */
  readonly unit: string;
  /** Between one value and the next; the least there can be where it is not steady. */
  readonly everyMs: number;
  /** Whether a value comes each `everyMs`, but for faults; false behind a stage that leaves some out. */
  readonly isSteady: boolean;
}

export interface CompiledStage {
  readonly stage: Stage;
  readonly signal: Signal;
}

/** Reads parameters and notes mistakes in them. */
export class StageReader {
  readonly word: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly signal: Signal;
  readonly #part: StagePart;
  readonly #diagnostics: Diagnostics;

  constructor(part: StagePart, signal: Signal, diagnostics: Diagnostics) {
    this.word = part.word;
    this.given = part.given;
    this.signal = signal;
    this.#part = part;
    this.#diagnostics = diagnostics;
  }

  /** What leaves is in the same unit and as frequent. */
  keeps(stage: Stage): CompiledStage {
    return { stage, signal: this.signal };
  }

  /** What leaves is in the same unit and comes at no steady rate. */
  thins(stage: Stage): CompiledStage {
    return { stage, signal: { ...this.signal, isSteady: false } };
  }

  /** A parameter within the operator's range, given by this name or by `key`; NaN for none, with which no comparison holds. */
  number(op: Stage["op"], name: string, key: string = name): number {
    const parameter = parameterNamed(op, name);
    const value = this.given[key];
    if (parameter.kind !== "number" && parameter.kind !== "integer") return Number.NaN;
    const { min, max, kind } = parameter;
    const isWhole = kind !== "integer" || Number.isInteger(value);
    if (!isNumberWithin(value, min, max) || !isWhole) {
      this.wrong(`${key} must be ${range(parameter)}, not ${shown(value)}.`);
      return Number.NaN;
    }
    return value;
  }

  numbers(op: Stage["op"], name: string, values: unknown = this.given[name]): readonly number[] {
    const parameter = parameterNamed(op, name);
    if (parameter.kind !== "numbers") return [];
    const { countMin, countMax } = parameter;
    const isList = Array.isArray(values) && values.length >= countMin && values.length <= countMax;
    if (isList && values.every((value) => Number.isFinite(value))) return values;
    this.wrong(`${name} must be a list of ${countMin} to ${countMax} numbers, not ${shown(values)}.`);
    return [];
  }

  oddCount(op: Stage["op"], what: string): number {
    const { count } = this.given;
    const parameter = parameterNamed(op, "count");
    if (parameter.kind === "odd") {
      const { min, max } = parameter;
      if (!isNumberWithin(count, min, max) || count % 2 !== 1)
        this.wrong(`${what} of an odd number of samples from ${min} to ${max}, not of ${shown(count)}.`);
    }
    return count as number;
  }

  /** Given by this name; `called` is what a mistake calls it. */
  duration(name: string, called: string = name, minMs = 1): number {
    return compileDuration(this.given[name], minMs, called, this.#part.site, this.#diagnostics);
  }

  /** Filters that count samples, not time, mean nothing where samples are left out. */
  needsSteady(what: string): void {
    if (this.signal.isSteady) return;
    this.wrong(`${what} needs values at a steady rate; put it before the stages that leave some out.`);
  }

  wrong(text: string): void {
    this.#diagnostics.add(this.#part.site, [], text);
  }
}

function parameterNamed(op: Stage["op"], name: string): Parameter {
  return operatorOf(op).parameters.find((parameter) => parameter.name === name)!;
}

function range({ kind, min, max }: Parameter & { kind: "number" | "integer" | "odd" }): string {
  const what = kind === "integer" ? "a whole number" : "a number";
  if (max < Number.MAX_VALUE) return `${what} from ${min} to ${max}`;
  return min === 0 ? `${what}, 0 or more` : what;
}
