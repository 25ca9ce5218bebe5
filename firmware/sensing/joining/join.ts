import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { JoinOperation } from "../../../protocols/pipeline/joined-use.ts";
import { absoluteHumidity, dewPoint, heatIndex, vapourDeficit } from "./humid-air.ts";
import type { RowWork } from "./row-work.ts";

/** One value of each row. */
export class Join implements RowWork {
  readonly #operation: JoinOperation;

  constructor(operation: JoinOperation) {
    this.#operation = operation;
  }

  take(row: Float64Array): number {
    const x = row[0]!;
    const y = row[1]!;
    switch (this.#operation) {
      case "difference":
        return x - y;
      case "ratio":
        return x / y;
      case "dew-point":
        return dewPoint(x, y);
      case "absolute-humidity":
        return absoluteHumidity(x, y);
      case "vapour-deficit":
        return vapourDeficit(x, y);
      case "heat-index":
        return heatIndex(x, y);
      default:
        return this.fold(row);
    }
  }

  save(): CborValue {
    return null;
  }

  restore(): void {}

  private fold(row: Float64Array): number {
    const { length } = row;
    let folded = row[0]!;
    for (let i = 1; i < length; i++) {
      const value = row[i]!;
      if (this.#operation === "product") folded *= value;
      else if (this.#operation === "min") folded = Math.min(folded, value);
      else if (this.#operation === "max") folded = Math.max(folded, value);
      else folded += value;
    }
    return this.#operation === "mean" ? folded / length : folded;
  }
}
