/** Sees in a board's starts what a person has to do something about, and says it once. */
import type { Reset, ResetKind } from "./reset-reason.ts";

export interface Advice {
  readonly code: "brown-out" | "watchdog" | "boot-loop" | "in-loader" | "no-program";
  readonly text: string;
}

export class BootWatch {
  #starts: { readonly atMs: number; readonly name: string }[] = [];
  readonly #said = new Map<Advice["code"], number>();

  /** @param atMs of any clock that does not go back */
  started(reset: Reset, atMs: number): Advice[] {
    if (reset.toLoader) return this.#once("in-loader", atMs);
    // Waking up is what a board that sleeps does all day.
    if (reset.kind === "sleep") return [];
    this.#starts = [
      ...this.#starts.filter((start) => atMs - start.atMs < loopMs),
      { atMs, name: reset.name },
    ];
    const same = this.#starts.filter(({ name }) => name === reset.name);
    const advice: Advice[] = [];
    const ofKind = adviceOf[reset.kind];
    if (ofKind !== undefined) advice.push(...this.#once(ofKind, atMs));
    if (same.length >= loopStarts) advice.push(...this.#once("boot-loop", atMs));
    return advice;
  }

  /** A line of the console that is no start. */
  line(text: string, atMs: number): Advice[] {
    return /^invalid header: 0xffffffff|No bootable app partitions|flash read err, 1000/.test(text)
      ? this.#once("no-program", atMs)
      : [];
  }

  #once(code: Advice["code"], atMs: number): Advice[] {
    const before = this.#said.get(code);
    if (before !== undefined && atMs - before < sayAgainMs) return [];
    this.#said.set(code, atMs);
    return [{ code, text: sentences[code] }];
  }
}

/** So many starts for one reason within this time are a loop. */
const loopStarts = 3;
const loopMs = 60_000;
const sayAgainMs = 600_000;

const adviceOf: Readonly<Partial<Record<ResetKind, Advice["code"]>>> = {
  "brown-out": "brown-out",
  watchdog: "watchdog",
};

const sentences: Readonly<Record<Advice["code"], string>> = {
  "brown-out":
    "Its supply gives way under load: use a shorter cable, another USB socket or a supply of its own, and a capacitor of 100 µF or more beside what draws in bursts.",
  watchdog:
    "A watchdog restarted it, so something took too long or waited for ever: the lines before this one tell what ran last; --elf decodes a dump.",
  "boot-loop":
    "It started three times within a minute for the same reason: the lines before each start tell why; covey flash writes a firmware that works, and covey flash --erase makes it empty first.",
  "in-loader":
    "It is in its loader and does not run its program: press RESET without holding BOOT, or attach with --reset.",
  "no-program": "Its flash holds no program that it can start: write one with covey flash.",
};
