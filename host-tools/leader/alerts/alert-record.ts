/**
 * What the swarm has agreed on about one alert on one board: that it fires or is over, since when, who has seen it, and who was told.
 *
 * It lies under `covey/alerts/ALERT/BOARD` as a text that people can read in `covey log`:
 *
 * ```
 * firing 1764000000000 31.25 ack=anna told=1a2b
 * recovered 1764000000000+300000 31.25>27.9 ack=anna told=1a2b;1a2b
 * ```
 *
 * Times are Unix milliseconds; after `+` how long it lasted. After `told` stand the webhooks that were told that it fires; after `;`
 * those that were told that it is over. Whoever leads next goes on from there.
 */
import { createHash } from "node:crypto";
import { reservedKeyPrefix, stateLimits } from "../../../protocols/state/command.ts";

export const alertKeyPrefix = `${reservedKeyPrefix}alerts/`;

export const alertLimits = {
  /** Alerts in one swarm. */
  alertsMax: 32,
  /** Records in the agreed state: what fires, and what was over last. */
  recordsMax: 64,
  webhooksMax: 3,
  /** Of whoever acknowledged, in the record. */
  whoLengthMax: 24,
} as const;

export interface AlertRecord {
  readonly phase: "firing" | "recovered";
  /** Unix milliseconds. */
  readonly sinceMs: number;
  /** With which it began to fire: a reading, or the seconds of a silence; 6 digits are kept. */
  readonly value: number;
  /** Of a recovered one: when, and with which value. */
  readonly untilMs?: number | undefined;
  readonly untilValue?: number | undefined;
  readonly acknowledgedBy?: string | undefined;
  /** Marks of the webhooks that were told each. */
  readonly toldFiring: readonly string[];
  readonly toldRecovered: readonly string[];
}

export type NoticeKind = "firing" | "recovered";

export function alertKey(alert: string, board: string): string {
  return `${alertKeyPrefix}${alert}/${board}`;
}

/** undefined for a key of something else. */
export function alertOfKey(key: string): { readonly alert: string; readonly board: string } | undefined {
  if (!key.startsWith(alertKeyPrefix)) return undefined;
  const [alert, board, more] = key.slice(alertKeyPrefix.length).split("/");
  return alert && board && more === undefined ? { alert, board } : undefined;
}

/** Stands for a webhook in a record: its address may be long, and a record is short. */
export function markOf(webhook: string): string {
  return createHash("sha256").update(webhook).digest("hex").slice(0, 4);
}

export function firing(sinceMs: number, value: number): AlertRecord {
  return { phase: "firing", sinceMs, value, toldFiring: [], toldRecovered: [] };
}

export function recovered(record: AlertRecord, untilMs: number, untilValue: number): AlertRecord {
  return { ...record, phase: "recovered", untilMs: Math.max(untilMs, record.sinceMs), untilValue };
}

export function acknowledged(record: AlertRecord, who: string): AlertRecord {
  const name = who.replace(/[^\w.-]/g, "-").slice(0, alertLimits.whoLengthMax);
  return { ...record, acknowledgedBy: name };
}

export function told(record: AlertRecord, kind: NoticeKind, mark: string): AlertRecord {
  const list = kind === "firing" ? "toldFiring" : "toldRecovered";
  return record[list].includes(mark) ? record : { ...record, [list]: [...record[list], mark] };
}

/** The notices of a record that a webhook was not told yet, in their order. */
export function untold(record: AlertRecord, mark: string): NoticeKind[] {
  const kinds: NoticeKind[] = record.toldFiring.includes(mark) ? [] : ["firing"];
  if (record.phase === "recovered" && !record.toldRecovered.includes(mark)) kinds.push("recovered");
  return kinds;
}

/** At most `stateLimits.textBytesMax` bytes. */
export function recordToText(record: AlertRecord): string {
  const { phase, sinceMs, value, untilMs, untilValue, acknowledgedBy, toldFiring, toldRecovered } = record;
  const isOver = phase === "recovered";
  const time = isOver ? `${sinceMs}+${untilMs! - sinceMs}` : String(sinceMs);
  const values = isOver ? `${digits(value)}>${digits(untilValue!)}` : digits(value);
  const ack = acknowledgedBy === undefined ? "" : ` ack=${acknowledgedBy}`;
  const marks = [toldFiring, toldRecovered].map((list) => list.join(",")).join(";");
  const marked = marks === ";" ? "" : ` told=${marks.endsWith(";") ? marks.slice(0, -1) : marks}`;
  const text = `${phase} ${time} ${values}${ack}${marked}`;
  if (text.length > stateLimits.textBytesMax) throw new Error(`The record of an alert is too long: ${text}`);
  return text;
}

/** undefined for what is no record: it is as if it were not there. */
export function recordFromText(text: unknown): AlertRecord | undefined {
  if (typeof text !== "string") return undefined;
  const found = recordForm.exec(text);
  if (found === null) return undefined;
  const [, phase, since, lasted, begun, ended, acknowledgedBy, marksFiring = "", marksRecovered = ""] = found;
  const isOver = phase === "recovered";
  if (isOver !== (lasted !== undefined) || isOver !== (ended !== undefined)) return undefined;
  const sinceMs = Number(since);
  if (!Number.isFinite(Number(begun)) || (isOver && !Number.isFinite(Number(ended)))) return undefined;
  const over = isOver ? { untilMs: sinceMs + Number(lasted), untilValue: Number(ended) } : {};
  return {
    phase: isOver ? "recovered" : "firing",
    ...{ sinceMs, value: Number(begun), ...over },
    ...(acknowledgedBy === undefined ? {} : { acknowledgedBy }),
    toldFiring: listOf(marksFiring),
    toldRecovered: listOf(marksRecovered),
  };
}

const number = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const marks = "[0-9a-f]{4}(?:,[0-9a-f]{4}){0,2}";
const recordForm = new RegExp(
  `^(firing|recovered) (\\d{1,14})(?:\\+(\\d{1,13}))? (${number})(?:>(${number}))?` +
    `(?: ack=([\\w.-]{1,${alertLimits.whoLengthMax}}))?(?: told=(${marks})?(?:;(${marks}))?)?$`,
);

function listOf(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

/** As short as six digits can be said. */
function digits(value: number): string {
  return String(Number(value.toPrecision(6)));
}
