/** An alert's condition as a person reads it: `temperature above 28 °C for 5m`, `nothing heard for 5m`. */
import type { StateValue } from "../../../protocols/state/command.ts";
import type { AlertDefinition, SwarmDefinition } from "../../swarm-file/definition.ts";

export function conditionText(
  condition: AlertDefinition,
  definition: SwarmDefinition,
  agreed: (key: string) => StateValue | undefined,
): string {
  if (condition.kind === "silent") return `nothing heard for ${durationText(condition.forMs)}`;
  const { metric, when, threshold, forMs, boards } = condition;
  const unit = definition.boards[boards[0] ?? ""]?.units[metric] ?? "";
  const value = typeof threshold === "number" ? threshold : agreed(threshold);
  const name = typeof threshold === "number" ? "" : ` (${threshold})`;
  const lasting = forMs === 0 ? "" : ` for ${durationText(forMs)}`;
  return `${metric} ${when} ${value ?? "?"}${unit === "" ? "" : ` ${unit}`}${name}${lasting}`;
}

function durationText(ms: number): string {
  for (const [unit, size] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const) {
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
