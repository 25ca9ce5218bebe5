/** An alert's condition as a person reads it: `temperature above 28 °C for 5m`, `nothing heard for 5m`. */
import type { StateValue } from "../../../protocols/state/command.ts";
import type { AlertDefinition, SwarmDefinition } from "../../swarm-file/definition.ts";
import { durationText } from "../../swarm-file/duration.ts";

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
