/**
 * Which boards keep the readings of one board, as the swarm has agreed: the value of `covey/keep/<board>`, encoded.
 *
 * ```
 * shelf   [1, version, [[board, ring, whole], ...], [[board, ring], ...]]     keepers; former keepers
 * ```
 *
 * The version grows with each change, so that no two values of one key are ever the same. `ring` is the name of the keeper's ring (`messages.ts`): another ring
 * than that has nothing of what the first one had.
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { reservedKeyPrefix } from "../state/command.ts";

export interface Shelf {
  /** From 1 on. */
  readonly version: number;
  /** Each in a zone of its own. */
  readonly keepers: readonly ShelfKeeper[];
  /** Who was a keeper since all copies were whole. Where no keeper has a whole copy, none counts as whole before all of these were looked at, or have come to their end. */
  readonly former: readonly FormerKeeper[];
}

export interface FormerKeeper {
  readonly board: string;
  readonly ring: number;
}

export interface ShelfKeeper extends FormerKeeper {
  /** It has all that was kept before it became a keeper; since then it is given what is new like the others. */
  readonly isWhole: boolean;
}

export const shelfLimits = Object.freeze({
  copiesMin: 2,
  copiesMax: 4,
  formerMax: 4,
  /** UTF-8 bytes. */
  boardBytesMax: 64,
  versionMax: 0xffff_ffff,
});

export const shelfKeyPrefix = `${reservedKeyPrefix}keep/`;
export const shelfVersion = 1;

/** The part of the flash that blocks are kept in, as `boards/*.json` calls it. */
export const keepingPartition = "series";

export function shelfToWire({ version, keepers, former }: Shelf): CborValue {
  return [
    shelfVersion,
    version,
    keepers.map(({ board, ring, isWhole }) => [board, ring, isWhole]),
    former.map(({ board, ring }) => [board, ring]),
  ];
}

/** @throws {ShapeError} */
export function shelfFromWire(value: CborValue): Shelf {
  const items = new ItemReader(value, "shelf", "", 4);
  items.version(shelfVersion);
  const version = items.integer("the version", 1, shelfLimits.versionMax);
  const keepers = items.array("the keepers", shelfLimits.copiesMax).map((item) => {
    const keeper = new ItemReader(item, "shelf", "a keeper", 3);
    const { board, ring } = readFormer(keeper);
    const isWhole = keeper.any();
    if (typeof isWhole !== "boolean") throw new ShapeError("shelf", "whole", "true or false", isWhole);
    return { board, ring, isWhole };
  });
  const former = items
    .array("the former keepers", shelfLimits.formerMax)
    .map((item) => readFormer(new ItemReader(item, "shelf", "a former keeper", 2)));
  return { version, keepers, former };
}

function readFormer(items: ItemReader): FormerKeeper {
  const board = items.text("the board", shelfLimits.boardBytesMax);
  return { board, ring: items.integer("the ring", 0, 0xffff_ffff) };
}
