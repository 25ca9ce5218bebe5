/** Emulated boards at a port, and a job for them. */
import type { FlashJob, FlashReport, Progress } from "../../../host-tools/flasher/flash-board.ts";
import { flashBoard } from "../../../host-tools/flasher/flash-board.ts";
import type { Layout } from "../../../host-tools/images/layout.ts";
import { type ChipOptions, EmulatedChip } from "../../emulators/esp-chip.ts";

export interface AttachedBoard {
  readonly chip: EmulatedChip;
  readonly url: string;
  readonly socketUrl: string;
}

const attached: EmulatedChip[] = [];

export async function attach(options: ChipOptions): Promise<AttachedBoard> {
  const chip = new EmulatedChip(options);
  attached.push(chip);
  return { chip, ...(await chip.listen()) };
}

export async function detachAll(): Promise<void> {
  for (const chip of attached.splice(0)) await chip.close();
}

export function job(port: string, layout: Layout, given: Partial<FlashJob> = {}): FlashJob {
  return {
    port,
    baud: 921_600,
    layoutFor: () => layout,
    dryRun: false,
    eraseFirst: false,
    backup: undefined,
    signal: undefined,
    report: () => {},
    ...given,
  };
}

export interface Run extends FlashReport {
  readonly steps: readonly Progress[];
}

export async function flash(port: string, layout: Layout, given: Partial<FlashJob> = {}): Promise<Run> {
  const steps: Progress[] = [];
  const report = await flashBoard(job(port, layout, { report: (step) => steps.push(step), ...given }));
  return { ...report, steps };
}

/** Whether the flash holds the layout, to the byte. */
export function holds(chip: EmulatedChip, layout: Layout): boolean {
  return layout.pieces.every(({ offsetBytes, bytes }) => {
    return Buffer.compare(chip.flash.subarray(offsetBytes, offsetBytes + bytes.length), bytes) === 0;
  });
}
