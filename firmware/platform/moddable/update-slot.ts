import type { UpdateSlot } from "../ports.ts";
import { isFirmwareOnTrial, runningDigest, selectUpdate } from "./chip.ts";
import { ChipFlash } from "./flash-partition.ts";

/** The SDK's name for the update slot that does not run. */
const nextSlot = "nextota";

/** The other one of the two update slots that every board's partition table has. */
export class ChipUpdateSlot implements UpdateSlot {
  readonly region: ChipFlash;

  /** Throws when the partition table has no slot to update. */
  constructor() {
    this.region = new ChipFlash(nextSlot);
  }

  get isOnTrial(): boolean {
    return isFirmwareOnTrial() as boolean;
  }

  /** The chip reads the whole image for it: some tenths of a second. */
  get running(): Uint8Array {
    const digest = new Uint8Array(32);
    runningDigest(digest);
    return digest;
  }

  select(): void {
    selectUpdate();
  }
}
