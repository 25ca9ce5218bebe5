/**
 * What becomes of a release that was selected. On trial it has a while to catch up with the swarm; then it has proved to work, and is the floor
 * below which nothing is taken. If it does not, the firmware before it runs again, by the bootloader, and judges what happened by what is kept and by why the board started.
 *
 * ```
 *             trial noted         selected, restart           caught up
 *   fetched -------------> noted -----------------> on trial -----------> proved
 *      ^                     |                         |
 *      |  power failed       |    did not catch up in time, crashed, restarted
 *      +---------------------+-------------------------+----------------> failed
 *          at most `trialsMax` times
 * ```
 */
import { isSameBytes } from "../../protocols/security/same-bytes.ts";
import type { StartReason } from "../platform/ports.ts";
import type { UpdateParts } from "./update-parts.ts";
import { type Failure, failedMax, type UpdateRecord, writeRecord } from "./update-record.ts";

export const trialLimits = Object.freeze({
  /** From its start until a firmware on trial must have caught up with the swarm. */
  trialMs: 300_000,
  /** A power cut is not the firmware's fault: it is tried again, so often in all. */
  trialsMax: 3,
});

/** The record once a release on trial has run and caught up. */
export function proved(record: UpdateRecord): UpdateRecord {
  const { trial, fetched } = record;
  if (trial === undefined || fetched === undefined)
    return { ...record, trial: undefined, fetched: undefined };
  const { sequence, image } = trial;
  const { digest } = fetched;
  const failed = record.failed.filter((each) => each.sequence > sequence);
  return { ...record, proved: { sequence, image, digest }, failed, fetched: undefined, trial: undefined };
}

/** The record once the release with this sequence is given up. */
export function failed(record: UpdateRecord, sequence: number, why: Failure): UpdateRecord {
  const others = record.failed.filter((each) => each.sequence !== sequence);
  const latest = others.slice(-(failedMax - 1));
  return { ...record, failed: [...latest, { sequence, why }], fetched: undefined, trial: undefined };
}

/** What is kept, once it says what became of a trial, if there was one: at the start of a firmware that is not on trial. */
export function afterTrial(
  { slot, keyValue, ports, log }: Pick<UpdateParts, "slot" | "keyValue" | "ports" | "log">,
  before: UpdateRecord,
): UpdateRecord {
  if (before.trial === undefined) return before;
  const { sequence } = before.trial;
  const record = judged(before, slot.running, ports.system.startReason);
  // If there is no room for it, the next start judges again.
  writeRecord(keyValue, record);
  if (record.proved?.sequence === sequence) log.write("info", "update-proved", "sequence", sequence);
  else if (record.fetched === undefined) log.write("warn", "update-rolled-back", "sequence", sequence);
  else log.write("warn", "update-trial-cut", "sequence", sequence);
  return record;
}

/**
 * The record at the start of a firmware that is not on trial, while a trial is noted: either it is the one that was, and the power failed before that could be
 * noted; or it is the one before it.
 */
function judged(record: UpdateRecord, running: Uint8Array, started: StartReason | undefined): UpdateRecord {
  const { trial, fetched } = record;
  if (trial === undefined) return record;
  if (isSameBytes(running, trial.image)) return proved(record);
  if (started === "crash" || started === "watchdog") return failed(record, trial.sequence, "crashed");
  if (started === "restart" || started === "sleep") return failed(record, trial.sequence, "restarted");
  const mayTryAgain = fetched !== undefined && fetched.trials < trialLimits.trialsMax;
  return mayTryAgain ? { ...record, trial: undefined } : failed(record, trial.sequence, "power");
}
