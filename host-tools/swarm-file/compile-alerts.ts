/** Checks and compiles a swarm's alerts and where they are told. */

import { stateLimits } from "../../protocols/state/command.ts";
import { alertKey, alertLimits } from "../leader/alerts/alert-record.ts";
import { compileDuration } from "./compile-duration.ts";
import { thresholdProblem } from "./compile-rule.ts";
import type { Agreed, AlertDefinition, BoardDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isName, isNumberWithin, isPart, isRecord, nameRule, shown } from "./given.ts";
import type { AlertPart, ConditionPart, SilentPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

/** Boards say how they are once in a second or so; a shorter silence is none. */
const silenceMsMin = 5_000;

export interface AlertSurroundings {
  readonly boards: Readonly<Record<string, BoardDefinition>>;
  /** Settings and registers. */
  readonly agreed: Agreed;
  readonly diagnostics: Diagnostics;
  /** A mistake in what was given to `swarm` itself. */
  wrong(path: readonly string[], text: string): void;
}

export function compileAlerts(given: unknown, swarm: AlertSurroundings): Record<string, AlertDefinition> {
  const alerts: Record<string, AlertDefinition> = {};
  if (given !== undefined && !isRecord(given)) {
    swarm.wrong(["alerts"], 'alerts must be an object: { "too-hot": alert(when("temperature").above(30)) }.');
  }
  const entries = Object.entries(isRecord(given) ? given : {});
  if (entries.length > alertLimits.alertsMax) {
    swarm.wrong(
      ["alerts"],
      `${entries.length} alerts are too many for one swarm; ${alertLimits.alertsMax} are the most.`,
    );
  }
  for (const [name, part] of entries) {
    if (!isName(name)) swarm.wrong(["alerts", name], `${shown(name)} cannot name an alert: ${nameRule}.`);
    if (!isPart<AlertPart>(part, "alert")) {
      swarm.wrong(
        ["alerts", name],
        `${shown(name)} is no alert; write alert(when("temperature").above(30)) or alert(silent("5m")).`,
      );
      continue;
    }
    const alert = compileAlert(part, swarm);
    if (alert === undefined) continue;
    const tooLong = alert.boards.find((board) => alertKey(name, board).length > stateLimits.keyLengthMax);
    if (tooLong !== undefined) {
      const most = stateLimits.keyLengthMax - alertKey("", "").length;
      swarm.wrong(
        ["alerts", name],
        `"${name}" and the board "${tooLong}" have more than ${most} characters together; shorten one.`,
      );
    }
    alerts[name] = alert;
  }
  return alerts;
}

/** Where alerts are told: addresses of HTTP. Who may know them may read `swarm.ts`; the secret that signs is not among them. */
export function compileWebhooks(given: unknown, hasAlerts: boolean, swarm: AlertSurroundings): string[] {
  if (given === undefined) return [];
  const isList = Array.isArray(given) && given.every((url) => typeof url === "string");
  if (!isList) {
    swarm.wrong(["webhooks"], 'webhooks must be a list of addresses: ["https://example.com/covey"].');
    return [];
  }
  const webhooks = given as string[];
  if (webhooks.length > alertLimits.webhooksMax) {
    swarm.wrong(
      ["webhooks"],
      `${webhooks.length} webhooks are too many for one swarm; ${alertLimits.webhooksMax} are the most.`,
    );
  }
  if (webhooks.length > 0 && !hasAlerts) {
    swarm.wrong(["webhooks"], "webhooks are told of alerts, and this swarm has none; add alerts: {...}.");
  }
  for (const [i, webhook] of webhooks.entries()) {
    const problem = webhookProblem(webhook);
    if (problem !== undefined) swarm.wrong(["webhooks", webhook], `${shown(webhook)} ${problem}.`);
    if (webhooks.indexOf(webhook) !== i)
      swarm.wrong(["webhooks", webhook], `${shown(webhook)} is twice in webhooks; remove one.`);
  }
  return webhooks;
}

function webhookProblem(webhook: string): string | undefined {
  const url = URL.canParse(webhook) ? new URL(webhook) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    return "is no address of a webhook; write https://example.com/covey";
  }
  if (url.username !== "" || url.password !== "") return "has a password in it; a webhook is signed instead";
  return undefined;
}

function compileAlert(part: AlertPart, swarm: AlertSurroundings): AlertDefinition | undefined {
  const named = namedBoards(part, swarm);
  if (isPart<SilentPart>(part.condition, "silent")) return compileSilence(part, part.condition, named, swarm);
  if (isPart<ConditionPart>(part.condition, "condition"))
    return compileThreshold(part, part.condition, named, swarm);
  swarm.diagnostics.add(
    part.site,
    [],
    'an alert needs a condition; write alert(when("temperature").above(30)) or alert(silent("5m")).',
  );
  return undefined;
}

/** undefined: all that it can be about. */
function namedBoards(part: AlertPart, { boards, diagnostics }: AlertSurroundings): string[] | undefined {
  if (part.boards === undefined) return undefined;
  const given: readonly unknown[] = Array.isArray(part.boards) ? part.boards : [];
  if (given.length === 0)
    diagnostics.add(part.site, ["boards"], "boards of an alert must be a list of names.");
  const known = Object.keys(boards);
  return given.filter((name): name is string => {
    const isKnown = typeof name === "string" && known.includes(name);
    if (!isKnown) {
      const text = `${shown(name)} is not a board of this swarm${suggestion(name, known)}`;
      diagnostics.add(part.site, [String(name)], text);
    }
    return isKnown;
  });
}

function compileSilence(
  part: AlertPart,
  silence: SilentPart,
  named: string[] | undefined,
  { boards, diagnostics }: AlertSurroundings,
): AlertDefinition {
  const forMs = compileDuration(silence.for, silenceMsMin, "silent", silence.site, diagnostics);
  const watched = named ?? Object.keys(boards);
  for (const board of watched) {
    const sleepMs = boards[board]?.program.sleep?.everyMs ?? 0;
    if (sleepMs < forMs) continue;
    const text = `"${board}" sleeps, and is silent for ${sleepMs / 1000}s at a time; name other boards, or a longer time.`;
    diagnostics.add(silence.site ?? part.site, [String(silence.for)], text);
  }
  return { kind: "silent", forMs, boards: watched };
}

function compileThreshold(
  part: AlertPart,
  condition: ConditionPart,
  named: string[] | undefined,
  { boards, agreed, diagnostics }: AlertSurroundings,
): AlertDefinition {
  const { metric, when, threshold, hysteresis } = condition;
  const having = Object.keys(boards).filter((board) => Object.hasOwn(boards[board]!.units, metric));
  const metrics = [...new Set(Object.values(boards).flatMap(({ units }) => Object.keys(units)))];
  if (having.length === 0) {
    const text = `no board has a metric ${shown(metric)}${suggestion(metric, metrics)}`;
    diagnostics.add(condition.site, [String(metric)], text);
  }
  const watched = named ?? having;
  for (const board of watched) {
    if (!having.includes(board)) {
      if (having.length > 0)
        diagnostics.add(
          part.site,
          [board],
          `"${board}" has no metric ${shown(metric)}; take it from boards.`,
        );
      continue;
    }
    const problem = thresholdProblem(condition, { metrics: boards[board]!.units, agreed });
    if (problem !== undefined) diagnostics.add(condition.conditionSite, [String(threshold)], problem);
  }
  if (condition.as !== undefined) {
    const text = "an alert is judged by the leader, for every board; take as away.";
    diagnostics.add(condition.conditionSite, ["as"], text);
  }
  if (!isNumberWithin(hysteresis, 0, Number.MAX_VALUE)) {
    const text = `hysteresis must be a number, 0 or more, not ${shown(hysteresis)}.`;
    diagnostics.add(condition.conditionSite, ["hysteresis"], text);
  }
  const forMs =
    condition.for === undefined
      ? 0
      : compileDuration(condition.for, 0, "for", condition.conditionSite, diagnostics);
  return {
    kind: "threshold",
    metric,
    when,
    threshold,
    hysteresis: hysteresis as number,
    forMs,
    boards: watched,
  };
}
