/** A partition of a board that has worked for a while, and how it was worked on. */
import { BoardStore, type StateListener } from "../../../firmware/storage/board-store.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { FlashModel } from "./flash-model.ts";
import { append } from "./store-driver.ts";
import { sha256 } from "./store-model.ts";

export const partitionBytes = 256 * 1024;
export const sectorBytes = 4096;

const deaf: StateListener = { onStateChange() {} };

export function openStore(flash: FlashModel): BoardStore {
  return new BoardStore(
    flash,
    { swarm: "greenhouse", board: "north-1" },
    { fill: (into) => into.fill(7) },
    sha256,
  );
}

/** Commits `count` small settings one by one, as they come from a leader: `keys` of them, each set again and again. */
export function commitSettings(
  store: BoardStore,
  count: number,
  keys: number,
  afterEach: () => void = () => {},
  prefix = "setting",
): void {
  for (let i = 0; i < count; i++) {
    const index = store.lastIndex + 1;
    const data = encodeCbor([`${prefix}.${index % keys}`, (index % 1000) / 8]);
    const entry: Entry = { index, term: 3, kind: EntryKind.put, version: 1, data };
    if (!append(store, entry)) throw new Error(`There is no room for entry ${index}.`);
    store.commit(index, deaf);
    store.tidy();
    afterEach();
  }
}

/** A partition in which every sector but the reserve is in use. */
export function fullFlash(keys: number): FlashModel {
  const flash = FlashModel.blank(partitionBytes / sectorBytes, sectorBytes);
  commitSettings(openStore(flash), 8000, keys);
  return flash;
}
