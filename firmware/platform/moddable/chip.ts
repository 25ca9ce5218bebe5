/**
 * The functions of `chip-functions.c`: what the SDK has no module for. The SDK's compiler replaces a function whose body
 * is nothing but `native(NAME).call(this, ...)`, with its own parameters, by the C function itself.
 */
import type { Random, StartReason } from "../ports.ts";

/** Bytes of the JavaScript arena that are in use, garbage included. */
export function heapUsedBytes(): number {
  return heapBytes(false) as number;
}

/** The most that the chunks and the slots of the arena have held, each at its own moment. */
export function heapPeakBytes(): number {
  return heapBytes(true) as number;
}

/** The most slots of the JavaScript stack that were in use since this was first called. */
export function stackPeakSlots(this: unknown): unknown {
  return native("covey_stack_peak").call(this);
}

/** Restarts the chip; ends the process on a desktop. */
export function restart(this: unknown): unknown {
  return native("covey_restart").call(this);
}

/** Feeds the chip's watchdog, which restarts it `timeoutMs` after the last time; does nothing on a desktop. */
export function feedWatchdog(this: unknown, timeoutMs: number): unknown {
  return native("covey_feed_watchdog").call(this, timeoutMs);
}

/** Why the chip started: the place of the reason in this list. */
export const startReasons: readonly StartReason[] = Object.freeze([
  "power",
  "restart",
  "crash",
  "watchdog",
  "sleep",
] as const);

export function startReasonNumber(this: unknown): unknown {
  return native("covey_start_reason").call(this);
}

/** Checks the image in the update slot that does not run, and starts it next, on trial. Throws when it is none for this chip. */
export function selectUpdate(this: unknown): unknown {
  return native("covey_update_select").call(this);
}

export function isFirmwareOnTrial(this: unknown): unknown {
  return native("covey_update_on_trial").call(this);
}

/** Fills `into` with the SHA-256 at the end of the image that runs. */
export function runningDigest(this: unknown, into: Uint8Array): unknown {
  return native("covey_update_running").call(this, into);
}

/** The chip's hardware generator, with its noise source switched on while the radio is off. */
export class ChipRandom implements Random {
  fill(into: Uint8Array): void {
    fillRandom(into);
  }
}

function heapBytes(this: unknown, peak: boolean): unknown {
  return native("covey_heap_bytes").call(this, peak);
}

function fillRandom(this: unknown, into: Uint8Array): unknown {
  return native("covey_fill_random").call(this, into);
}
