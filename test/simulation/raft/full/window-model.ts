/**
 * What the replay window must say, with nothing clever about it: a number is refused because its record was opened before, or because 64 later ones were
 * possible since, and for no other reason.
 */
import { parseRecord } from "../../../../protocols/security/record/record.ts";
import { replayWindowSize } from "../../../../protocols/security/record/replay-window.ts";
import { UnsafeStep } from "../safety.ts";

export class WindowModel {
  readonly #opened = new Set<number>();
  #highest = -1;

  /** A record was opened. Throws `UnsafeStep` when that one was opened before. */
  onOpened(number: number): void {
    if (this.#opened.has(number)) throw new UnsafeStep("replay", `record ${number} is opened twice`);
    this.#opened.add(number);
    this.#highest = Math.max(this.#highest, number);
  }

  /** One was refused as a repetition. Throws `UnsafeStep` when it can't be known to be one. */
  onRefused(record: Uint8Array): void {
    const { number } = parseRecord(record)!;
    if (this.#opened.has(number) || this.#highest - number >= replayWindowSize) return;
    throw new UnsafeStep(
      "replay window",
      `record ${number} is refused, ${this.#highest} is the highest opened`,
    );
  }
}
