/** What differs between two states, in words: settings with their values, programs by what they sense and drive, models, voters, releases. */
import { createHash } from "node:crypto";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { modelKeyPrefix } from "../../../protocols/model/model.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { programFromWire, programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix, type StateValue } from "../../../protocols/state/command.ts";
import type { StateDifference } from "../api/types/checkpoints.ts";
import { isSameValue } from "../raft/speculative-state.ts";
import { partOf, type StatePart } from "./restorable.ts";
import type { StateValues } from "./restore-plan.ts";

/** In the order of `shown`, then of keys. Covey's own bookkeeping is left out, but for releases. */
export function differences(from: StateValues, to: StateValues): StateDifference[] {
  const found: StateDifference[] = [];
  const models = new Map<string, string>();
  for (const key of [...new Set([...from.keys(), ...to.keys()])].sort()) {
    const part = partOf(key);
    const [before, after] = [from.get(key), to.get(key)];
    if (part === "own" || isSameValue(before, after)) continue;
    // A model is several keys, `model/<name>-<digest>/<part>`: one line for all of them.
    if (part === "models") models.set(modelOf(key), after === undefined ? "goes" : "comes");
    else found.push({ part, key, text: describe(part, key, before, after) });
  }
  for (const [name, what] of models) found.push({ part: "models", key: name, text: `model ${name} ${what}` });
  return found.sort((a, b) => shown.indexOf(a.part) - shown.indexOf(b.part));
}

/** Of what would be changed: whoever was shown it says so again when it is to be done. */
export function planDigest(puts: readonly { readonly key: string; readonly value: StateValue }[]): string {
  const sorted = [...puts].sort((a, b) => (a.key < b.key ? -1 : 1));
  const hash = createHash("sha256");
  for (const { key, value } of sorted) hash.update(encodeCbor([key, value]));
  return hash.digest("hex").slice(0, 16);
}

const shown: readonly StatePart[] = ["settings", "programs", "models", "voters", "releases"];

function modelOf(key: string): string {
  return key.slice(modelKeyPrefix.length).replace(/\/\d+$/, "");
}

function describe(
  part: StatePart,
  key: string,
  before: StateValue | undefined,
  after: StateValue | undefined,
): string {
  if (part === "programs") return describeProgram(key.slice(programKeyPrefix.length), before, after);
  if (part === "releases") return `${key}: another release (never restored: covey update)`;
  const name = part === "voters" ? "voters" : key;
  return `${name}: ${valueText(before)} -> ${valueText(after)}`;
}

function valueText(value: StateValue | undefined): string {
  if (value === undefined) return "nothing";
  return value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(value);
}

function describeProgram(
  board: string,
  before: StateValue | undefined,
  after: StateValue | undefined,
): string {
  const [old, next] = [programOf(before), programOf(after)];
  if (after === undefined) return `${board}: its program goes`;
  if (before === undefined) return `${board}: a program comes`;
  if (old === undefined || next === undefined) return `${board}: a program that this host cannot read`;
  const words = [
    ...listed("pipeline", old.pipelines, next.pipelines, ({ metric }) => metric),
    ...listed("output", old.outputs, next.outputs, ({ name }) => name),
    ...listed("rule", old.rules, next.rules, ({ output }) => `of ${output}`),
    ...listed("proposal", old.proposals ?? [], next.proposals ?? [], ({ register }) => `for ${register}`),
    ...listed("schedule", old.schedules ?? [], next.schedules ?? [], ({ output }) => `of ${output}`),
    ...listed("model", old.models ?? [], next.models ?? [], ({ metric }) => metric),
    ...(isSameItem(old.sleep, next.sleep) ? [] : ["how it sleeps"]),
  ];
  return `${board}: ${words.length === 0 ? "its program is written otherwise" : words.join(", ")}`;
}

function programOf(value: StateValue | undefined): Program | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    const program = programFromWire(decodeCbor(value));
    // What it was read from is what it says again, or words about it would be wrong.
    return isSameValue(encodeCbor(programToWire(program)), value) ? program : undefined;
  } catch {
    return undefined;
  }
}

/** `+pipeline humidity`, `-output fan`, `pipeline soil changed`. */
function listed<T>(
  noun: string,
  old: readonly T[],
  next: readonly T[],
  nameOf: (item: T) => string,
): string[] {
  const names = [...new Set([...old, ...next].map(nameOf))];
  return names.flatMap((name) => {
    const [before, after] = [old, next].map((items) => items.filter((item) => nameOf(item) === name));
    if (isSameItem(before, after)) return [];
    if (before!.length === 0) return [`+${noun} ${name}`];
    return after!.length === 0 ? [`-${noun} ${name}`] : [`${noun} ${name} changed`];
  });
}

function isSameItem(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
