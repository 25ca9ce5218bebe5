/**
 * What is worth telling between one status of the leader and the next: who came and went, elections, settings, registers, and
 * outputs that moved. Readings change all the time and are for looking at, not for telling.
 */
import type { BoardFirmware, BoardStatus, HostStatus, Status } from "../../leader/api/types/status.ts";
import { boardSummary, formatOutput, formatValue } from "./format.ts";
import type { SwarmEvent } from "./swarm-event.ts";

export type Change = Pick<SwarmEvent, "level" | "source" | "text">;

/** Changes in the order: the leader, its settings, registers, then the boards. `before` is undefined for the first status ever seen. */
export function statusChanges(before: Status | undefined, after: Status): Change[] {
  const events: Change[] = [];
  const tell = (source: string, text: string, level: SwarmEvent["level"] = "info") =>
    events.push({ source, level, text });

  const { leader } = after;
  // A host that knows of no leader answers for itself, which is no news of it.
  const isLed = leader.role === "leader";
  const wasLed = before?.leader.role === "leader";
  if (isLed && (!wasLed || before.leader.term !== leader.term || before.leader.id !== leader.id)) {
    tell("leader", `${leader.id} leads in term ${leader.term}`);
  } else if (!isLed && (wasLed || before === undefined)) {
    tell("leader", "nobody leads", before === undefined ? "info" : "warn");
  }
  for (const host of after.hosts)
    tellHost(
      before?.hosts.find(({ name }) => name === host.name),
      host,
      tell,
    );
  const voters = leader.voters.join(", ");
  if (before?.leader.voters.join(", ") !== voters && voters !== "") tell("leader", `voters: ${voters}`);
  for (const [key, setting] of Object.entries(after.settings)) {
    if (before !== undefined && before.settings[key]?.index !== setting.index) {
      tell("leader", `${key} = ${formatValue(setting.value, setting.unit)} (entry ${setting.index})`);
    }
  }
  for (const [name, { value, unit, version, by }] of Object.entries(after.registers ?? {})) {
    const known = before?.registers?.[name];
    if (known === undefined || known.version === version) continue;
    tell(by || "leader", `${name} = ${formatValue(value, unit)} (register, version ${version})`);
  }
  for (const violation of after.violations) {
    if (!before?.violations.includes(violation)) tell("leader", violation, "error");
  }
  const known = new Map(before?.boards.map((board) => [board.id, board]));
  for (const board of after.boards) tellBoard(known.get(board.id), board, tell);
  return events;
}

function tellHost(
  before: HostStatus | undefined,
  after: HostStatus,
  tell: (source: string, text: string, level?: SwarmEvent["level"]) => void,
): void {
  if (before === undefined || before.link === after.link) return;
  if (after.link === "up") tell(after.name, "is back");
  else tell(after.name, "is gone", "warn");
}

function tellBoard(
  before: BoardStatus | undefined,
  after: BoardStatus,
  tell: (source: string, text: string, level?: SwarmEvent["level"]) => void,
): void {
  if (after.link === "up" && before?.link !== "up") tell(after.id, `joined: ${boardSummary(after)}`);
  else if (after.link === "down" && before?.link === "up") tell(after.id, "lost its link", "warn");
  else if (before !== undefined && after.link === "up" && before.role !== after.role) {
    tell(after.id, `is a ${after.role} now`);
  }
  tellFirmware(before?.firmware, after, tell);
  for (const output of after.outputs) {
    const known = before?.outputs.find(({ name }) => name === output.name);
    if (known === undefined ? output.cause === "rule" : known.value !== output.value) {
      tell(after.id, `${formatOutput(output)} (${output.cause})`);
    }
  }
}

/** Each step of an update once. */
function tellFirmware(
  before: BoardFirmware | undefined,
  { id, firmware }: BoardStatus,
  tell: (source: string, text: string, level?: SwarmEvent["level"]) => void,
): void {
  if (before === undefined || firmware === undefined) return;
  if (before.version !== firmware.version) tell(id, `runs firmware ${firmware.version}`);
  const { update } = firmware;
  if (update === undefined || before.update?.stage === update.stage) return;
  const { stage, target, reason = "" } = update;
  if (stage === "rolled-back") tell(id, `rolled back from release ${target}: ${reason}`, "warn");
  else if (stage === "refused") tell(id, `refuses its release: ${reason}`, "warn");
  else if (stage === "fetching") tell(id, `fetches release ${target}`);
  else if (stage === "ready") tell(id, `has release ${target}, and restarts into it`);
  else if (stage === "trial") tell(id, `tries release ${target}`);
}
