/** Which values a register takes, where they are written and where they are asked for. */
import { registerLimits } from "../../protocols/paxos/types.ts";
import type { RegisterDefinition } from "./definition.ts";
import { isNumberWithin } from "./given.ts";

/** What it takes instead, as in `takes 5 to 35 °C`; undefined for a value that it takes. */
export function registerValueProblem(declared: RegisterDefinition, value: unknown): string | undefined {
  switch (declared.type) {
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "number": {
      const { min, max, unit } = declared;
      return isNumberWithin(value, min, max)
        ? undefined
        : `a number from ${min} to ${max}${unit === "" ? "" : ` ${unit}`}`;
    }
    default: {
      const { textBytesMax } = registerLimits;
      const isText = typeof value === "string" && value.isWellFormed();
      return isText && Buffer.byteLength(value) <= textBytesMax
        ? undefined
        : `a text of at most ${textBytesMax} bytes`;
    }
  }
}
