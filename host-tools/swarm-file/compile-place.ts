/** Checks and compiles what a board is to whoever places tasks and readings. */
import type { BoardPlace } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isName, isNumberWithin, isRecord, nameRule, shown } from "./given.ts";
import type { Part } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

const weightMax = 100;

export function compilePlace(
  { site }: Pick<Part<string>, "site">,
  given: unknown,
  diagnostics: Diagnostics,
  at: readonly string[] = ["place"],
): BoardPlace | undefined {
  if (given === undefined) return undefined;
  const wrong = (path: string, text: string) => diagnostics.add(site, [...at, path], text);
  if (!isRecord(given)) {
    diagnostics.add(site, at, 'place must be an object such as { zone: "north", has: ["modbus"] }.');
    return undefined;
  }
  const isOfHost = at[0] === "hosts";
  const known = ["zone", "has", ...(isOfHost ? [] : ["battery", "keeps"]), "weight"];
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) wrong(key, `place has no ${shown(key)}${suggestion(key, known)}`);
  }
  const { zone, has = [], battery = false, weight = 1, keeps = false } = given;
  if (zone !== undefined && !isName(zone)) wrong("zone", `${shown(zone)} cannot name a zone: ${nameRule}.`);
  if (!areNames(has)) wrong("has", `has must be a list of names such as ["modbus"]; ${nameRule}.`);
  if (typeof battery !== "boolean") wrong("battery", `battery is true or false, not ${shown(battery)}.`);
  if (!isNumberWithin(weight, 1 / weightMax, weightMax)) {
    wrong("weight", `weight must be from ${1 / weightMax} to ${weightMax}, not ${shown(weight)}.`);
  }
  if (typeof keeps !== "boolean") wrong("keeps", `keeps is true or false, not ${shown(keeps)}.`);
  if (keeps === true && zone === undefined) {
    wrong(
      "keeps",
      'who keeps readings needs a zone, because copies lie in different ones; write zone: "north".',
    );
  }
  return {
    zone: isName(zone) ? zone : undefined,
    has: areNames(has) ? has : [],
    onBattery: battery === true,
    weight: isNumberWithin(weight, 1 / weightMax, weightMax) ? weight : 1,
    ...(keeps === true ? { keeps } : {}),
  };
}

export function areNames(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every(isName);
}
