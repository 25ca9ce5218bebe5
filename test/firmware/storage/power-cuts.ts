import type { BoardStore } from "../../../firmware/storage/board-store.ts";
import { HeadReader, RecordKind, recordAlignBytes } from "../../../firmware/storage/record.ts";
import { FlashModel, PowerCut } from "./flash-model.ts";
import { contentsOf, StoreModel } from "./store-model.ts";
import { open, type Step, sectorBytes, Workload } from "./store-workload.ts";

/**
 * Works on a flash of `sectors` sectors; then, in each step of `present`, lets the power fail at every byte of every write and at
 * every point of every erase. What is there afterwards must be what the model holds before the step, or after a part of it that
 * comes whole or not at all. Gives the number of cuts; throws when one loses something.
 */
export function losePowerEverywhere(
  sectors: number,
  past: readonly Step[],
  present: readonly Step[],
): PowerCuts {
  const flash = FlashModel.blank(sectors, sectorBytes);
  const steps = new Workload();
  const store = open(flash);
  const model = new StoreModel(store.memberId);
  let cuts = 0;
  let adopting = 0;
  let installed = 0;
  let refused = 0;
  for (const [at, asked] of [...past, ...present].entries()) {
    const before = at < past.length ? undefined : flash.reboot();
    const task = steps.task(asked, store);
    const allowed = [model.contents];
    const isDone = task.perform(store);
    if (!isDone) refused++;
    const { snapshots } = model;
    if (isDone) task.model(model, () => allowed.push(model.contents));
    same(contentsOf(store), model.contents, `after ${asked.do}, step ${at}`);
    model.check(store);
    if (before === undefined) continue;
    installed += model.snapshots - snapshots;
    same(contentsOf(reopen(flash)), model.contents, `after ${asked.do}, step ${at}, and a restart`);
    for (let power = 0; ; power++) {
      const cut = before.reboot();
      const victim = open(cut);
      cut.power = power;
      try {
        task.perform(victim);
        break;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
      }
      cuts++;
      const survivor = reopen(cut);
      const contents = contentsOf(survivor);
      if (!allowed.includes(contents))
        same(contents, allowed.at(-1)!, `${asked.do}, step ${at}, cut at ${power}`);
      const next = survivor.appliedIndex + 1;
      if (model.adopted.has(next) && hasValueOf(cut, next)) adopting++;
    }
  }
  return { cuts, adopting, installed, refused, erases: flash.erases };
}

export interface PowerCuts {
  readonly cuts: number;
  /** Those between the first record of an adopted draft and the commit that makes it count. */
  readonly adopting: number;
  /** Snapshots that became the state in steps that were cut. */
  readonly installed: number;
  /** Steps for which the flash had no room. */
  readonly refused: number;
  readonly erases: number;
}

/** What a board finds that starts with this flash. */
function reopen(flash: FlashModel): BoardStore {
  const store = open(flash.reboot(), 99);
  if (store.recovery.kind !== "recovered") throw new Error(JSON.stringify(store.recovery));
  return store;
}

/** Whether what `index` says of a key, or that there is none, is anywhere in the flash. */
function hasValueOf({ bytes }: FlashModel, index: number): boolean {
  const view = new DataView(bytes.buffer);
  const head = new HeadReader();
  for (let at = 0; at < bytes.length; at += recordAlignBytes) {
    if (view.getUint32(at, true) !== index || !head.read(view, at)) continue;
    if (head.kind === RecordKind.value || head.kind === RecordKind.absent) return true;
  }
  return false;
}

function same(found: string, wanted: string, when: string): void {
  if (found !== wanted) throw new Error(`${when}:\nfound  ${found}\nwanted ${wanted}`);
}
