/**
 * How often somebody may try to log in. Nobody guesses a signature; the gate is there so that trying costs the host little and the log stays
 * readable. An address that failed waits, twice as long after each failure; and all addresses together have so many attempts a second.
 */
import { isIPv4 } from "node:net";

export const gateLimits = {
  /** Failures of one address before it waits. */
  freeFailures: 3,
  waitFirstMs: 1_000,
  waitMostMs: 300_000,
  /** Since an address last failed, after which it is forgotten. */
  forgetMs: 3_600_000,
  /** Addresses remembered; the one that failed longest ago leaves first. */
  addressesMax: 1_024,
  /** Of all addresses together: attempts at once, and how often one more comes. */
  burst: 40,
  refillMs: 50,
} as const;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

export class LoginGate {
  readonly #now: () => number;
  /** By address; the latest failure last. */
  readonly #failures = new Map<string, Failures>();
  #attempts: number = gateLimits.burst;
  #refilledMs: number;

  /** @param now milliseconds that never go back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#refilledMs = now();
  }

  /** Milliseconds for which this address has to wait; 0 when it may try now, which then counts as an attempt. */
  waitMs(address: string): number {
    const nowMs = this.#now();
    const failures = this.#failures.get(networkOf(address));
    if (failures !== undefined) {
      const left = failures.lastMs + pauseMs(failures.count) - nowMs;
      if (left > 0) return left;
    }
    this.#refill(nowMs);
    if (this.#attempts < 1) return gateLimits.refillMs;
    this.#attempts--;
    return 0;
  }

  failed(address: string): void {
    const nowMs = this.#now();
    const network = networkOf(address);
    const former = this.#failures.get(network);
    const isForgotten = former === undefined || nowMs - former.lastMs > gateLimits.forgetMs;
    this.#failures.delete(network);
    if (this.#failures.size >= gateLimits.addressesMax) {
      this.#failures.delete(this.#failures.keys().next().value!);
    }
    this.#failures.set(network, { count: isForgotten ? 1 : former.count + 1, lastMs: nowMs });
  }

  succeeded(address: string): void {
    this.#failures.delete(networkOf(address));
  }

  #refill(nowMs: number): void {
    const more = Math.floor((nowMs - this.#refilledMs) / gateLimits.refillMs);
    if (more <= 0) return;
    this.#attempts = Math.min(gateLimits.burst, this.#attempts + more);
    this.#refilledMs += more * gateLimits.refillMs;
  }
}

function pauseMs(failures: number): number {
  const beyond = failures - gateLimits.freeFailures;
  if (beyond < 0) return 0;
  return Math.min(gateLimits.waitMostMs, gateLimits.waitFirstMs * 2 ** beyond);
}

/** What one attacker has: an IPv4 address, or the first 64 bits of IPv6 ones. */
function networkOf(address: string): string {
  const mapped = address.startsWith("::ffff:") ? address.slice(7) : address;
  if (isIPv4(mapped)) return mapped;
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? 0 : tail.split(":").length;
    for (let missing = 8 - groups.length - after; missing > 0; missing--) groups.push("0");
  }
  return groups.slice(0, 4).join(":");
}
