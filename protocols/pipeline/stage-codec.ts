/** A stage between struct and CBOR value: `[operator's number, parameter, ...]`, both as `operators.ts` has them. */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { operatorNumber, operatorOf, operators, type Parameter, parameterOf } from "./operators.ts";
import type { Stage } from "./stage.ts";

export function stageToWire(stage: Stage): CborValue {
  const items: CborValue[] = [operatorNumber(stage.op)];
  for (const parameter of operatorOf(stage.op).parameters) {
    const value = parameterOf(stage, parameter);
    items.push(parameter.kind === "word" ? parameter.words.indexOf(value as string) : value);
  }
  return items;
}

/** Throws `ShapeError` for anything but a whole, valid stage; `part` says where it is: `stage 0 of pipeline 2`. */
export function stageFromWire(value: CborValue, part: string): Stage {
  const items = new ItemReader(value, "program", part, 1);
  const { op, parameters } = operators[items.integer("op", 0, operators.length - 1)]!;
  const stage: Record<string, number | string | readonly number[]> = { op };
  for (const parameter of parameters) stage[parameter.name] = parameterFrom(items, parameter, part);
  items.end();
  const checked = stage as unknown as Stage;
  check(checked, part);
  return checked;
}

function parameterFrom(items: ItemReader, parameter: Parameter, part: string) {
  const { name } = parameter;
  switch (parameter.kind) {
    case "number":
      return items.number(name, parameter.min, parameter.max);
    case "integer":
      return items.integer(name, parameter.min, parameter.max);
    case "odd": {
      const value = items.integer(name, parameter.min, parameter.max);
      if (value % 2 === 0) throw new ShapeError("program", `${name} of ${part}`, "odd", value);
      return value;
    }
    case "word":
      return parameter.words[items.integer(name, 0, parameter.words.length - 1)]!;
    case "numbers":
      return numbersFrom(items, parameter, part);
  }
}

function numbersFrom(items: ItemReader, parameter: Parameter & { kind: "numbers" }, part: string): number[] {
  const { name, countMin, countMax } = parameter;
  const each = new ItemReader(items.array(name, countMax), "program", `${name} of ${part}`, countMin);
  const values: number[] = [];
  for (let i = each.length; i > 0; i--) {
    values.push(each.number(`number ${values.length}`, -Number.MAX_VALUE, Number.MAX_VALUE));
  }
  return values;
}

/** What the parameters of one stage must be to each other. */
function check(stage: Stage, part: string): void {
  switch (stage.op) {
    case "clamp":
    case "range":
      if (stage.min > stage.max) refuse(`max of ${part}`, `${stage.min} or more`, stage.max);
      break;
    case "hysteresis":
      if (stage.low > stage.high) refuse(`high of ${part}`, `${stage.low} or more`, stage.high);
      break;
    case "table": {
      const { xs, ys } = stage;
      if (xs.length !== ys.length) refuse(`ys of ${part}`, `${xs.length} numbers`, ys);
      for (let i = 1; i < xs.length; i++) {
        if (xs[i - 1]! >= xs[i]!) refuse(`number ${i} of xs of ${part}`, "above the one before", xs[i]);
      }
      break;
    }
    case "sliding":
      if (stage.hop > stage.length) refuse(`hop of ${part}`, `at most ${stage.length}`, stage.hop);
      if (stage.by === "count" && stage.samples !== stage.length) {
        refuse(`samples of ${part}`, `${stage.length}`, stage.samples);
      }
      break;
    case "kalman":
      if (stage.gives === "slope" && stage.model === "level") refuse(`gives of ${part}`, "the value", 1);
      break;
    case "integral":
      // So that a gap that counts has at most one period's end in it.
      if (stage.everyMs !== 0 && stage.gapMs > stage.everyMs) {
        refuse(`gapMs of ${part}`, `at most ${stage.everyMs}`, stage.gapMs);
      }
      break;
    case "goertzel":
      if (2 * stage.bin >= stage.count) refuse(`bin of ${part}`, `below ${stage.count / 2}`, stage.bin);
      break;
    case "spectrum": {
      const { count, low, high } = stage;
      if ((count & (count - 1)) !== 0) refuse(`count of ${part}`, "a power of two", count);
      if (2 * high > count) refuse(`high of ${part}`, `at most ${count / 2}`, high);
      if (low > high) refuse(`low of ${part}`, `at most ${high}`, low);
    }
  }
}

function refuse(item: string, expected: string, found: CborValue | undefined): never {
  throw new ShapeError("program", item, expected, found);
}
