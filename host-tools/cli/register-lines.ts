/** Registers as a person reads them. */

import type {
  RegisterChanges,
  RegisterGroupStatus,
  RegisterStatus,
  RegistersStatus,
} from "../leader/api/types/registers.ts";
import { columns } from "./columns.ts";

export function registerLines({ registers, group }: RegistersStatus, nowMs: number): string[] {
  const names = Object.keys(registers);
  if (group.members.length === 0) {
    return ["This swarm has no registers; declare them in swarm.ts (docs/registers.md)."];
  }
  const rows = names.map((name) => {
    const { version, by, atMs } = registers[name]!;
    return [name, registerText(registers[name]!), `${version}`, by || "-", since(atMs, nowMs)];
  });
  return [...columns([["register", "value", "version", "by", "since"], ...rows]), "", ...groupLines(group)];
}

/** `true`, `21.5 °C`, `"calm"`. */
export function registerText({ value, unit }: Pick<RegisterStatus, "value" | "unit">): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return unit === "" ? text : `${text} ${unit}`;
}

export function changeLines({ name, changes, floor }: RegisterChanges): string[] {
  if (changes.length === 0) return [`${name} was never changed.`];
  const rows = changes.map(({ version, value, by, atMs }) => [
    `${version}`,
    registerText({ value, unit: "" }),
    by || "-",
    atMs === undefined ? "-" : new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z"),
  ]);
  const lines = columns([["version", "value", "by", "when"], ...rows]);
  const first = changes[0]!.version;
  const known = new Set(changes.map(({ version }) => version));
  const missing: number[] = [];
  for (let version = first; version < changes.at(-1)!.version; version++) {
    if (!known.has(version)) missing.push(version);
  }
  if (missing.length > 0) {
    lines.push(`Not told yet by the boards that made them: version ${missing.slice(0, 5).join(", ")}.`);
  }
  if (floor > 0) lines.push(`Those up to version ${floor} are not kept any more; covey log may have them.`);
  return lines;
}

/** Who agrees, and what stands in the way. */
function groupLines({ phase, epoch, members, majority, missing }: RegisterGroupStatus): string[] {
  const names = members.map(({ board }) => board).join(", ");
  const lines = [`${names} agree by themselves, ${majority} of them are enough (epoch ${epoch}, ${phase}).`];
  if (missing.length > 0) {
    const verb = missing.length === 1 ? "was" : "were";
    const then = phase === "none" ? "until then nothing is agreed on" : "until then it stays as it was";
    lines.push(`${missing.join(", ")} ${verb} never here: ${then}.`);
  }
  if (phase === "closing") {
    const told = members.filter(({ hasClosed }) => hasClosed).map(({ board }) => board);
    lines.push(
      `Another group is to follow; ${told.join(", ") || "nobody"} has told what it has, ${majority} have to.`,
    );
  }
  const down = members.filter(({ link }) => link === "down").map(({ board }) => board);
  if (down.length > 0) lines.push(`Not connected to a host: ${down.join(", ")}.`);
  const anew = members.filter(
    ({ isMember, board }) => !isMember && !missing.includes(board) && phase !== "none",
  );
  if (anew.length > 0) {
    const who = anew.map(({ board }) => board).join(", ");
    lines.push(`To become a member: ${who}.`);
  }
  if (phase !== "none" && members.length - anew.length < majority) {
    lines.push(
      "Too few are left who remember: nothing is agreed on until covey register recover --accept-loss (docs/registers.md).",
    );
  }
  for (const { board, lost } of members) {
    if (lost > 0) lines.push(`${board} forgot ${lost} changes before it could tell them: it keeps 16.`);
  }
  return lines;
}

function since(atMs: number | undefined, nowMs: number): string {
  if (atMs === undefined) return "-";
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
