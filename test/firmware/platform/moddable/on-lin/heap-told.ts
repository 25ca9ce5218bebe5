/** What heap-figures.js tells, read back. */
export interface Told {
  /** 16 in an engine of 32 bits, as a chip's; 32 in one of 64. */
  readonly slotBytes: number;
  /** Held, and the most since the last time; garbage included where it was not collected before. */
  readonly chunkBytes: number;
  readonly chunkPeakBytes: number;
  readonly slots: number;
  readonly slotsPeak: number;
  /** Since a step began. */
  readonly ms?: number;
  /** The most, since the program began. */
  readonly stackSlots?: number;
}

/** By its name, in each of these lines. */
export function toldIn(lines: readonly string[]): [string, Told][] {
  return lines.flatMap((line) => {
    const found = /^heap (.*): (\{.*\})$/.exec(line);
    return found ? [[found[1]!, JSON.parse(found[2]!) as Told] as [string, Told]] : [];
  });
}

export function heldBytes({ chunkBytes, slots, slotBytes }: Told): number {
  return chunkBytes + slots * slotBytes;
}

export function peakBytes({ chunkPeakBytes, slotsPeak, slotBytes }: Told): number {
  return chunkPeakBytes + slotsPeak * slotBytes;
}

export function sentence(told: Told): string {
  const held = `holds ${heldBytes(told)} B (chunks of ${told.chunkBytes} B, ${told.slots} slots)`;
  const peak = `peaks at ${peakBytes(told)} B (${told.chunkPeakBytes} B, ${told.slotsPeak})`;
  const took = told.ms === undefined ? "" : `; ${told.ms} ms`;
  return `${held}, ${peak}${took}${told.stackSlots === undefined ? "" : `; ${told.stackSlots} slots of stack`}`;
}
