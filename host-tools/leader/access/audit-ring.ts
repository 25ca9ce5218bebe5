/**
 * Refusals on their way into the replicated log, and how they are kept there: a ring of `auditLimits.places` keys, `covey/audit/00` and on, each one text:
 *
 * ```
 * 2026-11-22T08:00:00Z 12x ann: write fan.duty
 * ```
 *
 * Whoever is refused a thousand times a second writes one entry in ten seconds; and whoever is refused in a thousand ways is counted as somebody.
 */

import { stateLimits } from "../../../protocols/state/command.ts";
import { utf8Length } from "../../../protocols/text/utf8.ts";
import type { AuditEntry } from "../api/types/access.ts";
import type { Audit } from "../audit.ts";
import type { Log } from "../log.ts";
import type { AgreedValue } from "../state/agreed-state.ts";

export const auditKeyPrefix = "covey/audit/";

export const auditLimits = {
  places: 32,
  /** Between two entries of one host. */
  everyMs: 10_000,
  /** Kinds of refusals that wait; all further ones are counted together. */
  waitingMax: 64,
  whoLengthMax: 48,
  whatLengthMax: 48,
} as const;

export interface AuditRingOptions {
  /** What is agreed under a key. */
  get(key: string): AgreedValue | undefined;
  /** Puts a text if what is there is still `present`; rejects when that was not agreed on. */
  put(key: string, text: string, present: string | undefined): Promise<unknown>;
  readonly log: Log;
  /** Unix milliseconds. */
  now(): number;
}

interface Waiting {
  readonly who: string;
  readonly what: string;
  /** As the host's own log says it. */
  readonly event: "refused" | "done";
  count: number;
  lastMs: number;
}

export class AuditRing implements Audit {
  readonly #options: AuditRingOptions;
  /** The one that waits longest first. */
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: AuditRingOptions) {
    this.#options = options;
  }

  refused(who: string, what: string): void {
    this.#take(who, what, "refused");
  }

  /** Something was done that everybody should be able to look up later: kept as refusals are. */
  noted(who: string, what: string): void {
    this.#take(who, what, "done");
  }

  /** What is kept, newest last. */
  entries(): AuditEntry[] {
    return readAudit(this.#options.get);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #take(who: string, what: string, event: Waiting["event"]): void {
    if (this.#isStopped) return;
    this.#count(printable(who, auditLimits.whoLengthMax), printable(what, auditLimits.whatLengthMax), event);
    // The first one at once, so that it is there for whoever looks; `count` goes on while it is on its way.
    this.#timer ??= setTimeout(() => void this.#write(), 0);
  }

  #count(who: string, what: string, event: Waiting["event"]): void {
    const isFull = this.#waiting.size >= auditLimits.waitingMax && !this.#waiting.has(`${who} ${what}`);
    const [name, done] = isFull ? ["several", "many things"] : [who, what];
    const key = `${name} ${done}`;
    const waiting = this.#waiting.get(key);
    const lastMs = this.#options.now();
    if (waiting === undefined) this.#waiting.set(key, { who: name, what: done, event, count: 1, lastMs });
    else {
      waiting.count++;
      waiting.lastMs = lastMs;
    }
  }

  async #write(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#timer = undefined;
      return;
    }
    const [key, waiting] = first;
    this.#waiting.delete(key);
    const { who, what, event, count, lastMs } = waiting;
    if (event === "refused") this.#options.log.warn(event, { who, what, count });
    else this.#options.log.info(event, { who, what, count });
    const place = oldestPlace(this.#options.get);
    try {
      await this.#options.put(place.key, textOf(waiting), place.text);
    } catch (error) {
      // Without a leader, or because another host took the place: it is told with the next one.
      this.#options.log.debug("audit-waits", { reason: (error as Error).message });
      const since = this.#waiting.get(key);
      if (since !== undefined) since.count += count;
      else if (this.#waiting.size < auditLimits.waitingMax)
        this.#waiting.set(key, { who, what, event, count, lastMs });
    }
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#write(), auditLimits.everyMs);
    this.#timer?.unref();
  }
}

/** What is kept, newest last. */
export function readAudit(get: AuditRingOptions["get"]): AuditEntry[] {
  const found = places.flatMap((key) => get(key) ?? []);
  found.sort((a, b) => a.index - b.index);
  return found.flatMap(({ value }) => (typeof value === "string" ? (entryOf(value) ?? []) : []));
}

export function isAuditKey(key: string): boolean {
  return places.includes(key);
}

const places: readonly string[] = Array.from(
  { length: auditLimits.places },
  (_, i) => auditKeyPrefix + String(i).padStart(2, "0"),
);

/** A free place, or the one that was written longest ago. */
function oldestPlace(get: AuditRingOptions["get"]): { key: string; text: string | undefined } {
  let oldest = { key: places[0]!, index: Number.POSITIVE_INFINITY, text: undefined as string | undefined };
  for (const key of places) {
    const agreed = get(key);
    if (agreed === undefined) return { key, text: undefined };
    if (agreed.index < oldest.index) oldest = { key, index: agreed.index, text: String(agreed.value) };
  }
  return oldest;
}

function textOf({ who, what, count, lastMs }: Waiting): string {
  const time = `${new Date(lastMs).toISOString().slice(0, 19)}Z`;
  const text = `${time} ${count}x ${who}: ${what}`;
  if (utf8Length(text) > stateLimits.textBytesMax) throw new Error(`An audit entry is too long: ${text}`);
  return text;
}

function entryOf(text: string): AuditEntry | undefined {
  const match = /^(\S+Z) (\d+)x (.+?): (.+)$/.exec(text);
  if (match === null) return undefined;
  const [, time, count, who, what] = match;
  return { time: time!, who: who!, what: what!, count: Number(count) };
}

/** ASCII that prints, so that a character is a byte and nothing in a terminal moves. */
function printable(text: string, lengthMax: number): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, lengthMax);
}
