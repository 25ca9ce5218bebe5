/**
 * One address that is told of alerts: a POST of JSON, signed as Standard Webhooks says (https://www.standardwebhooks.com), so that ready-made
 * libraries check it. Its id is the same however often it comes: whoever has seen it answers 2xx and does nothing.
 *
 * ```
 * webhook-id: too-hot_north-1_1764000000000_firing
 * webhook-timestamp: 1764000001
 * webhook-signature: v1,<base64 of HMAC-SHA-256(secret, "id.timestamp.body")>
 * ```
 */
import { createHmac } from "node:crypto";
import type { NoticeKind } from "./alert-record.ts";

export const webhookLimits = {
  /** For one attempt: connection, request and answer. */
  timeoutMs: 5_000,
  /** After a failure; twice as long after each further one. */
  waitFirstMs: 1_000,
  waitMostMs: 300_000,
} as const;

/** What it is told, before it is signed. */
export interface Notice {
  readonly id: string;
  readonly body: string;
}

/** The part of a notice that is about the alert. */
export interface NoticeData {
  readonly swarm: string;
  readonly alert: string;
  readonly board: string;
  /** For a person: `temperature above 30 °C for 5m`. */
  readonly condition: string;
  /** Absent for a silence. */
  readonly metric?: string;
  readonly unit?: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly value: number;
  readonly acknowledgedBy?: string;
  /** Of one that is over. */
  readonly until?: string;
  readonly lastValue?: number;
}

export function noticeOf(kind: NoticeKind, sinceMs: number, timeMs: number, data: NoticeData): Notice {
  const timestamp = new Date(timeMs).toISOString();
  return {
    id: `${data.alert}_${data.board}_${sinceMs}_${kind}`,
    body: JSON.stringify({ type: `alert.${kind}`, timestamp, data }),
  };
}

export class Webhook {
  readonly url: string;
  readonly #secret: Uint8Array | undefined;
  /** Ends what is under way when the host stops. */
  readonly #stopped = new AbortController();

  constructor(url: string, secret: Uint8Array | undefined) {
    this.url = url;
    this.#secret = secret;
  }

  /** Its address without what may be secret in it. */
  get place(): string {
    return new URL(this.url).origin;
  }

  /** One attempt: undefined when it was taken, otherwise why not. Never rejects. */
  async tell({ id, body }: Notice): Promise<string | undefined> {
    const timestamp = String(Math.floor(Date.now() / 1000));
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          ...this.#signature(`${id}.${timestamp}.${body}`),
        },
        body,
        // Nobody is told who was not named.
        redirect: "manual",
        signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(webhookLimits.timeoutMs)]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
      if (name === "TimeoutError") return `no answer within ${webhookLimits.timeoutMs / 1000} s`;
      return cause?.code ?? cause?.message ?? message;
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  #signature(signed: string): Record<string, string> {
    if (this.#secret === undefined) return {};
    const tag = createHmac("sha256", this.#secret).update(signed).digest("base64");
    return { "webhook-signature": `v1,${tag}` };
  }
}

export function backOffMs(failures: number): number {
  return Math.min(webhookLimits.waitMostMs, webhookLimits.waitFirstMs * 2 ** (failures - 1));
}
