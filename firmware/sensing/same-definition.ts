import { isSameStage } from "../../protocols/pipeline/operators.ts";
import type { Batch, Condition, Output, Pipeline, Proposal, Rule } from "../../protocols/pipeline/program.ts";

/** Whether a pipeline of a new program is the one at work, so that its filters keep what they hold; how it reports is no matter. */
export function isSamePipeline(a: Pipeline, b: Pipeline): boolean {
  if (a.metric !== b.metric || a.sensor !== b.sensor || a.everyMs !== b.everyMs) return false;
  if (a.stages.length !== b.stages.length) return false;
  for (let i = 0; i < a.stages.length; i++) if (!isSameStage(a.stages[i]!, b.stages[i]!)) return false;
  return true;
}

export function isSameBatch(a: Batch | undefined, b: Batch | undefined): boolean {
  return a?.everyMs === b?.everyMs && a?.within === b?.within;
}

export function isSameRule(a: Rule, b: Rule): boolean {
  return isSameCondition(a, b) && a.output === b.output && a.value === b.value;
}

export function isSameProposal(a: Proposal, b: Proposal): boolean {
  return isSameCondition(a, b) && a.register === b.register && a.value === b.value;
}

function isSameCondition(a: Condition, b: Condition): boolean {
  return (
    a.metric === b.metric &&
    a.when === b.when &&
    a.threshold === b.threshold &&
    a.hysteresis === b.hysteresis &&
    a.forMs === b.forMs &&
    a.as === b.as
  );
}

/** Whether an output of a new program is the one at work, so that its pin is not driven to the safe value in between. */
export function isSameOutput(a: Output, b: Output): boolean {
  return (
    a.name === b.name &&
    a.kind === b.kind &&
    a.pin === b.pin &&
    a.safeValue === b.safeValue &&
    a.setting === b.setting
  );
}
