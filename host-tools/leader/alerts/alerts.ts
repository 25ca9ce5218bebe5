/**
 * The alerts of a swarm on one host: judged here from what boards report, agreed on with the others, told by whoever leads.
 *
 * ```
 * readings, silences --> judges (every host) --the leader proposes--> records, agreed on --the leader tells--> webhooks
 * ```
 *
 * A swarm without alerts has none of this.
 */
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { AlertStatus, AlertsAnswer, AlertTested } from "../api/types/alerts.ts";
import type { Log } from "../log.ts";
import type { AgreedValue } from "../state/agreed-state.ts";
import type { NewReading } from "../telemetry/telemetry.ts";
import { type AlertJudge, SilenceJudge, ThresholdJudge } from "./alert-judge.ts";
import {
  type AlertRecord,
  acknowledged,
  alertKey,
  alertLimits,
  firing,
  markOf,
  recordFromText,
  recordToText,
  recovered,
  told,
  untold,
} from "./alert-record.ts";
import { conditionText } from "./condition-text.ts";
import { type NoticeData, noticeOf, Webhook } from "./webhook.ts";
import { type Waiting, WebhookQueue } from "./webhook-queue.ts";

/** How often time's passing is judged and what waits is told. */
export const alertTickMs = 1_000;

export interface AlertsOptions {
  readonly definition: SwarmDefinition;
  readonly secret: Uint8Array | undefined;
  readonly log: Log;
  /** What is agreed under a key, here. */
  get(key: string): AgreedValue | undefined;
  /** Puts a text (undefined: deletes it) if what is there is still `present`. Rejects when that was not agreed on. */
  put(key: string, text: string | undefined, present: string | undefined): Promise<unknown>;
  leads(): boolean;
  /** Whether a majority says so too. */
  confirm(): Promise<boolean>;
  /** undefined for a board that was never heard of. Unix milliseconds. */
  heardOf(board: string): { readonly lastSeenMs: number | undefined; readonly isConnected: boolean };
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds that never go back. */
  monotonic(): number;
  onChange(): void;
}

/** One alert on one board. */
interface Watch {
  readonly alert: string;
  readonly board: string;
  readonly key: string;
  readonly judge: AlertJudge;
  /** A change of its record is on its way. */
  isPutting: boolean;
  /** The record that was last taken up, as text. */
  taken: string | undefined;
  /** When its board was last seen, as the registry says it. */
  seenMs: number | undefined;
}

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #watches = new Map<string, Watch>();
  readonly #queues: readonly WebhookQueue[];
  readonly #startedMs: number;
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Immediate | undefined;
  #isFull = false;
  #isStopped = false;

  constructor(options: AlertsOptions) {
    this.#options = options;
    const { definition, secret, log, monotonic } = options;
    const { alerts = {}, webhooks = [] } = definition;
    this.#startedMs = options.now();
    for (const [alert, { boards, ...condition }] of Object.entries(alerts)) {
      for (const board of boards) {
        const key = alertKey(alert, board);
        const judge =
          condition.kind === "silent"
            ? new SilenceJudge(condition.forMs, monotonic())
            : new ThresholdJudge({ ...condition, boards });
        this.#watches.set(key, {
          ...{ alert, board, key, judge, isPutting: false },
          ...{ taken: undefined, seenMs: undefined },
        });
      }
    }
    this.#queues = webhooks.map(
      (url) => new WebhookQueue(new Webhook(url, secret), log, () => options.confirm()),
    );
    if (webhooks.length > 0 && secret === undefined) log.warn("webhooks-unsigned");
    this.#timer = setInterval(() => this.#tick(), alertTickMs);
    this.#timer.unref();
  }

  /** From any board, at this host or told by another one. */
  reading({ board, metric, atMs, value, quality }: NewReading): void {
    // A reading that the sensor did not give, or that a stage refused, says nothing.
    if (quality !== 0 && quality !== 4) return;
    const { alerts = {} } = this.#options.definition;
    for (const [alert, condition] of Object.entries(alerts)) {
      if (condition.kind !== "threshold" || condition.metric !== metric) continue;
      const watch = this.#watches.get(alertKey(alert, board));
      if (watch === undefined) continue;
      const judge = watch.judge as ThresholdJudge;
      judge.threshold(this.#thresholdOf(condition.threshold), this.#options.monotonic());
      judge.reading(value, this.#options.monotonic() - Math.max(0, this.#options.now() - atMs));
      this.#consider(watch);
    }
  }

  /** Entries were applied. */
  applied(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.#tick();
    });
  }

  /** What fires and what was over last, the newest first, then what is pending. */
  list(): AlertsAnswer {
    const found = [...this.#watches.values()].flatMap((watch) => this.#statusOf(watch) ?? []);
    return {
      alerts: found.sort((a, b) => rank(a) - rank(b) || b.sinceMs - a.sinceMs),
      watched: this.#watches.size,
      webhooks: this.#queues.map(({ webhook, problem }) => ({ place: webhook.place, problem })),
    };
  }

  /** Of one board, or of all on which it fires. Rejects with `ApiFailure`. */
  async acknowledge(alert: string, board: string | undefined, who: string): Promise<AlertStatus[]> {
    const { alerts = {} } = this.#options.definition;
    if (!Object.hasOwn(alerts, alert)) {
      const known = Object.keys(alerts).join(", ");
      throw new ApiFailure("not-found", `There is no alert ${alert}; this swarm has ${known}.`);
    }
    const fires = [...this.#watches.values()].filter(
      (watch) =>
        watch.alert === alert &&
        (board === undefined || watch.board === board) &&
        this.#record(watch)?.phase === "firing",
    );
    if (fires.length === 0) {
      const where = board === undefined ? "" : ` on ${board}`;
      throw new ApiFailure("not-found", `${alert} does not fire${where}; covey alerts shows what does.`);
    }
    for (const watch of fires) {
      await this.#change(watch, (record) =>
        record.phase === "firing" && record.acknowledgedBy === undefined
          ? acknowledged(record, who)
          : undefined,
      );
    }
    return fires.flatMap((watch) => this.#statusOf(watch) ?? []);
  }

  /** Tells every webhook something that is no alert, once. */
  async test(): Promise<AlertTested[]> {
    const nowMs = this.#options.now();
    const body = { type: "alert.test", timestamp: new Date(nowMs).toISOString() };
    const data = { swarm: this.#options.definition.name };
    const notice = { id: `test_${nowMs}`, body: JSON.stringify({ ...body, data }) };
    return Promise.all(
      this.#queues.map(async ({ webhook }) => {
        const problem = await webhook.tell(notice);
        return { place: webhook.place, problem };
      }),
    );
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    clearImmediate(this.#soon);
    for (const { webhook } of this.#queues) webhook.stop();
  }

  #tick(): void {
    if (this.#isStopped) return;
    const { definition, heardOf } = this.#options;
    const nowMs = this.#options.monotonic();
    for (const watch of this.#watches.values()) {
      const { judge } = watch;
      const { lastSeenMs, isConnected } = heardOf(watch.board);
      if (judge instanceof ThresholdJudge) {
        const condition = definition.alerts![watch.alert]!;
        if (condition.kind === "threshold") judge.threshold(this.#thresholdOf(condition.threshold), nowMs);
        judge.tick(nowMs, isConnected);
      } else if (judge instanceof SilenceJudge) {
        if (lastSeenMs !== watch.seenMs) judge.heard(nowMs);
        watch.seenMs = lastSeenMs;
        judge.tick(nowMs);
      }
      this.#takeUp(watch, nowMs);
      this.#consider(watch);
    }
    this.#tell(nowMs);
  }

  /** What was agreed on since the last look: this host's judge goes on from it, and its log says so. */
  #takeUp(watch: Watch, nowMs: number): void {
    const text = this.#text(watch);
    if (text === watch.taken) return;
    const former = recordFromText(watch.taken);
    watch.taken = text;
    const record = recordFromText(text);
    watch.judge.agree(record?.phase === "firing", nowMs);
    if (record === undefined) return;
    const { alert, board } = watch;
    const isSame = former?.sinceMs === record.sinceMs;
    // What comes from the log of an earlier start is no news.
    const isNews = (atMs: number) => atMs >= this.#startedMs;
    const { log } = this.#options;
    if (!isSame && isNews(record.sinceMs)) log.warn("alert-firing", { alert, board, value: record.value });
    const isOver = record.phase === "recovered" && !(isSame && former.phase === "recovered");
    if (isOver && isNews(record.untilMs!))
      log.info("alert-recovered", { alert, board, value: record.untilValue });
    const by = record.acknowledgedBy;
    if (by !== undefined && isSame && former.acknowledgedBy === undefined) {
      log.info("alert-acknowledged", { alert, board, by });
    }
    this.#options.onChange();
  }

  /** The leader proposes what its judge found and the swarm has not agreed on yet. */
  #consider(watch: Watch): void {
    if (watch.isPutting || !this.#options.leads()) return;
    // What is agreed on and not taken up comes first.
    if (this.#text(watch) !== watch.taken) return;
    const record = this.#record(watch);
    const { state, value } = watch.judge;
    const nowMs = this.#options.now();
    if (state === "holding" && record?.phase !== "firing") {
      // Ids are made of the time: no two firings share one, even if the clock was set back.
      const sinceMs = Math.max(nowMs, (record?.untilMs ?? 0) + 1);
      const { alert, board } = watch;
      if (record !== undefined && !this.#isToldOf(record)) {
        // One firing at a time is remembered: a webhook that was away for all of the last one hears of this one.
        this.#options.log.warn("alert-notices-dropped", { alert, board, sinceMs: record.sinceMs });
      }
      if (record !== undefined || this.#makeRoom()) this.#put(watch, firing(sinceMs, finite(value)));
    } else if (state !== "holding" && record?.phase === "firing") {
      this.#put(watch, recovered(record, nowMs, finite(value)));
    }
  }

  /** Whether another record fits; if not, what was over longest ago and was told goes. */
  #makeRoom(): boolean {
    const records = [...this.#watches.values()].flatMap((watch) => {
      const record = this.#record(watch);
      return record === undefined ? [] : [{ watch, record }];
    });
    if (records.length < alertLimits.recordsMax) {
      this.#isFull = false;
      return true;
    }
    const over = records.filter(({ watch, record }) => !watch.isPutting && this.#isToldOf(record));
    const [oldest] = over.sort((a, b) => a.record.untilMs! - b.record.untilMs!);
    if (oldest !== undefined) this.#put(oldest.watch, undefined);
    else if (!this.#isFull) {
      this.#isFull = true;
      this.#options.log.error("alerts-full", { recordsMax: alertLimits.recordsMax });
    }
    return false;
  }

  #isToldOf(record: AlertRecord): boolean {
    if (record.phase !== "recovered") return false;
    return this.#queues.every(({ webhook }) => untold(record, markOf(webhook.url)).length === 0);
  }

  #put(watch: Watch, record: AlertRecord | undefined): void {
    watch.isPutting = true;
    const { log, put } = this.#options;
    put(watch.key, record === undefined ? undefined : recordToText(record), this.#text(watch))
      .catch((error: Error) => log.debug("alert-waits", { alert: watch.alert, reason: error.message }))
      .finally(() => {
        watch.isPutting = false;
        this.applied();
      });
  }

  /** Changes a record whatever else changes meanwhile; `change` gives undefined where there is nothing to change any more. */
  async #change(watch: Watch, change: (record: AlertRecord) => AlertRecord | undefined): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const present = this.#text(watch);
      const record = recordFromText(present);
      const changed = record === undefined ? undefined : change(record);
      if (changed === undefined) return;
      try {
        await this.#options.put(watch.key, recordToText(changed), present);
        return;
      } catch (error) {
        const isRace = error instanceof ApiFailure && error.code === "unexpected-value";
        if (!isRace || attempt === attemptsMax) throw error;
      }
    }
  }

  #tell(nowMs: number): void {
    if (!this.#options.leads()) return;
    for (const queue of this.#queues) {
      void queue
        .run(this.#waitingFor(queue), nowMs)
        .then((goOn) => goOn && !this.#isStopped && this.applied());
    }
  }

  #waitingFor(queue: WebhookQueue): Waiting[] {
    const mark = markOf(queue.webhook.url);
    const waiting: (Waiting & { timeMs: number })[] = [];
    for (const watch of this.#watches.values()) {
      const record = this.#record(watch);
      const [kind] = record === undefined ? [] : untold(record, mark);
      if (record === undefined || kind === undefined) continue;
      const timeMs = kind === "firing" ? record.sinceMs : record.untilMs!;
      waiting.push({
        timeMs,
        notice: noticeOf(kind, record.sinceMs, timeMs, this.#dataOf(watch, record, kind === "recovered")),
        mark: () =>
          this.#change(watch, (now) =>
            now.sinceMs === record.sinceMs ? told(now, kind, mark) : undefined,
          ).catch((error: Error) =>
            this.#options.log.debug("alert-waits", { alert: watch.alert, reason: error.message }),
          ),
      });
    }
    return waiting.sort((a, b) => a.timeMs - b.timeMs);
  }

  #dataOf({ alert, board }: Watch, record: AlertRecord, isOver: boolean): NoticeData {
    const { definition } = this.#options;
    const condition = definition.alerts![alert]!;
    const unit =
      condition.kind === "silent" ? "s" : (definition.boards[board]?.units[condition.metric] ?? "");
    const { sinceMs, value, untilMs, untilValue, acknowledgedBy } = record;
    return {
      ...{ swarm: definition.name, alert, board },
      condition: conditionText(condition, definition, (key) => this.#options.get(key)?.value),
      ...(condition.kind === "silent" ? {} : { metric: condition.metric }),
      ...{ unit, since: new Date(sinceMs).toISOString(), value },
      // A notice says the same however often it comes: who has acknowledged is said once it is over.
      ...(isOver ? { until: new Date(untilMs!).toISOString(), lastValue: untilValue! } : {}),
      ...(isOver && acknowledgedBy !== undefined ? { acknowledgedBy } : {}),
    };
  }

  #statusOf(watch: Watch): AlertStatus | undefined {
    const record = this.#record(watch);
    const isPending = record?.phase !== "firing" && watch.judge.state === "pending";
    if (record === undefined && !isPending) return undefined;
    const { alert, board } = watch;
    const { definition, get, now, monotonic } = this.#options;
    const condition = definition.alerts![alert]!;
    const about = {
      ...{ alert, board },
      condition: conditionText(condition, definition, (key) => get(key)?.value),
      unit: condition.kind === "silent" ? "s" : (definition.boards[board]?.units[condition.metric] ?? ""),
    };
    if (record === undefined || isPending) {
      const { value, sinceMs: fromMs } = watch.judge;
      const sinceMs = Math.round(now() - (monotonic() - fromMs));
      return { ...about, phase: "pending", sinceMs, value: finite(value), untoldNotices: 0 };
    }
    const { phase, sinceMs, value, untilMs, untilValue, acknowledgedBy } = record;
    const marks = this.#queues.map(({ webhook }) => markOf(webhook.url));
    return {
      ...{ ...about, phase, sinceMs, value, untilMs, untilValue, acknowledgedBy },
      untoldNotices: marks.reduce((sum, mark) => sum + untold(record, mark).length, 0),
    };
  }

  #text({ key }: Watch): string | undefined {
    const value = this.#options.get(key)?.value;
    return typeof value === "string" ? value : undefined;
  }

  #record(watch: Watch): AlertRecord | undefined {
    return recordFromText(this.#text(watch));
  }

  #thresholdOf(threshold: number | string): number {
    if (typeof threshold === "number") return threshold;
    const value = this.#options.get(threshold)?.value;
    return typeof value === "number" ? value : Number.NaN;
  }
}

/** Races with what else is agreed on about one alert: few at a time. */
const attemptsMax = 5;

function rank({ phase }: AlertStatus): number {
  return phase === "firing" ? 0 : phase === "pending" ? 1 : 2;
}

/** A record holds numbers only. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
