/**
 * Challenges that nobody has to remember until they are answered: each proves by itself that this host made it, and when. So asking for
 * them by the million fills nothing. Remembered are only those that opened a session, until they are too old anyway.
 *
 * ```
 * time in ms (8 bytes), random (8), HMAC-SHA-256 of both under a key of this process, cut to 16
 * ```
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export const challengeLimits = {
  ageMaxMs: 60_000,
} as const;

export class LoginChallenges {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  /** Those that were used up, with the time at which they would have been too old; in the order of their use. */
  readonly #used = new Map<string, number>();

  /** @param now milliseconds that never go back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** 32 bytes as base64url. */
  make(): string {
    const head = Buffer.alloc(headBytes);
    head.writeBigUInt64BE(BigInt(Math.floor(this.#now())));
    randomBytes(headBytes - 8).copy(head, 8);
    return Buffer.concat([head, this.#tag(head)]).toString("base64url");
  }

  /** Whether this host made it lately and it opened nothing yet. */
  isFresh(challenge: string): boolean {
    const bytes = Buffer.from(challenge, "base64url");
    // One challenge has one text: otherwise a used one could come back written differently.
    if (bytes.length !== headBytes + tagBytes || bytes.toString("base64url") !== challenge) return false;
    const head = bytes.subarray(0, headBytes);
    if (!timingSafeEqual(bytes.subarray(headBytes), this.#tag(head))) return false;
    return this.#ageMs(head) <= challengeLimits.ageMaxMs && !this.#used.has(challenge);
  }

  /** A fresh one opens a session, and never again. */
  use(challenge: string): void {
    const nowMs = this.#now();
    for (const [former, endMs] of this.#used) if (endMs < nowMs) this.#used.delete(former);
    this.#used.set(challenge, nowMs + challengeLimits.ageMaxMs);
  }

  #ageMs(head: Buffer): number {
    return Math.floor(this.#now()) - Number(head.readBigUInt64BE());
  }

  #tag(head: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(head).digest().subarray(0, tagBytes);
  }
}

const headBytes = 16;
const tagBytes = 16;
