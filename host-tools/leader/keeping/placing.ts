/**
 * Who is to keep the readings of which board. A keeper stays as long as it may: nothing is copied only so that loads are even. What is missing is placed by weighted
 * rendezvous hashing within a bound (`protocols/balancing`), each copy in a zone of its own.
 */
import { choose } from "../../../protocols/balancing/choose.ts";
import { Desks } from "../../../protocols/balancing/desk.ts";
import type { Holder, Work } from "../../../protocols/balancing/types.ts";
import {
  type FormerKeeper,
  type Shelf,
  type ShelfKeeper,
  shelfLimits,
} from "../../../protocols/keeping/shelf.ts";

/** A board that `swarm.ts` has keep readings. */
export interface KeeperFacts {
  readonly zone: string;
  /** Of its present ring; undefined while it has not said. */
  readonly ring: number | undefined;
  /** How much its flash holds. */
  readonly sectors: number;
  /** It may be given more: it is connected, well, not drained. */
  readonly isUsable: boolean;
  /** It is drained, or has been gone for too long, or keeps nothing: another is to have what it has. */
  readonly isLost: boolean;
}

/** What is wanted for one board. */
export interface Wanted {
  readonly copies: number;
  /** Its metrics that are kept. */
  readonly load: number;
}

/** The next state of each shelf that is to change, by board. */
export function placeShelves(
  wanted: ReadonlyMap<string, Wanted>,
  shelves: ReadonlyMap<string, Shelf>,
  keepers: ReadonlyMap<string, KeeperFacts>,
): Map<string, Shelf> {
  const boards = [...wanted.keys()].sort();
  const desks = new Desks(
    [...keepers].filter(([, { isUsable, ring }]) => isUsable && ring !== undefined).map(holderOf),
  );
  const staying = new Map<string, ShelfKeeper[]>();
  for (const board of boards) {
    const kept = keepersThatStay(shelves.get(board), keepers);
    staying.set(board, kept);
    for (const { board: keeper } of kept) {
      const desk = desks.of(keeper);
      if (desk !== undefined) desks.give(workOf(board, wanted.get(board)!), desk);
    }
  }
  let totalLoad = 0;
  for (const { copies, load } of wanted.values()) totalLoad += copies * load;
  const changed = new Map<string, Shelf>();
  for (const board of boards) {
    const present = shelves.get(board);
    const next = fill(board, wanted.get(board)!, present, staying.get(board)!, { desks, keepers, totalLoad });
    if (next !== undefined) changed.set(board, next);
  }
  return changed;
}

/** Those that are keepers still, have not been gone for too long, and whose zone no other one has. */
function keepersThatStay(shelf: Shelf | undefined, keepers: ReadonlyMap<string, KeeperFacts>): ShelfKeeper[] {
  const zones = new Set<string>();
  return (shelf?.keepers ?? []).filter(({ board }) => {
    const facts = keepers.get(board);
    if (facts === undefined || facts.isLost || zones.has(facts.zone)) return false;
    zones.add(facts.zone);
    return true;
  });
}

interface Surroundings {
  readonly desks: Desks;
  readonly keepers: ReadonlyMap<string, KeeperFacts>;
  readonly totalLoad: number;
}

function fill(
  board: string,
  wanted: Wanted,
  present: Shelf | undefined,
  staying: readonly ShelfKeeper[],
  { desks, keepers, totalLoad }: Surroundings,
): Shelf | undefined {
  const work = workOf(board, wanted);
  // Of too many, those go first that are not whole.
  const kept = [...staying].sort((a, b) => Number(b.isWhole) - Number(a.isWhole)).slice(0, wanted.copies);
  const next = kept.map((keeper) => inPresentRing(keeper, keepers));
  const before = present?.keepers ?? [];
  while (next.length < wanted.copies) {
    const zones = new Set(next.map((keeper) => keepers.get(keeper.board)?.zone));
    const open = desks.all.filter(
      ({ holder: { name, zone } }) =>
        name !== board && !zones.has(zone) && !before.some((one) => one.board === name),
    );
    if (open.length === 0) break;
    const desk = choose("rendezvous", { work, open, desks, turn: 0, totalLoad });
    desks.give(work, desk);
    next.push({ board: desk.holder.name, ring: keepers.get(desk.holder.name)!.ring!, isWhole: false });
  }
  // Who could not be replaced stays: it may come back with what it has.
  for (const keeper of before) {
    if (next.length >= wanted.copies || next.some((one) => one.board === keeper.board)) continue;
    const zone = keepers.get(keeper.board)?.zone;
    if (zone === undefined || next.some((one) => keepers.get(one.board)?.zone === zone)) continue;
    next.push(inPresentRing(keeper, keepers));
  }
  const isWhole = next.length === wanted.copies && next.every((one) => one.isWhole);
  const former = isWhole ? [] : formerOf(present, next, keepers);
  // Of too many, those go that were first, if somebody has everything; else nobody is replaced any more.
  const excess = former.splice(0, Math.max(0, former.length - shelfLimits.formerMax));
  if (excess.length > 0 && !next.some((one) => one.isWhole)) return undefined;
  const shelf = { version: (present?.version ?? 0) + 1, keepers: next, former };
  if (next.length === 0 && present === undefined) return undefined;
  return present !== undefined && areSame(present, shelf) ? undefined : shelf;
}

/** One whose ring is another by now has nothing of what it had. */
function inPresentRing(keeper: ShelfKeeper, keepers: ReadonlyMap<string, KeeperFacts>): ShelfKeeper {
  const ring = keepers.get(keeper.board)?.ring;
  return ring === undefined || ring === keeper.ring ? keeper : { board: keeper.board, ring, isWhole: false };
}

/** Who was a keeper since all copies were whole, and may still have what it had: whoever is taken to be whole now may have been reflashed a moment ago. */
function formerOf(
  present: Shelf | undefined,
  next: readonly ShelfKeeper[],
  keepers: ReadonlyMap<string, KeeperFacts>,
): FormerKeeper[] {
  if (present === undefined) return [];
  const gone = present.keepers.filter(
    ({ board, ring }) => !next.some((one) => one.board === board && one.ring === ring),
  );
  const former = new Map([...present.former, ...gone].map(({ board, ring }) => [board, { board, ring }]));
  return [...former.values()].filter(({ board, ring }) => {
    const facts = keepers.get(board);
    const isBack = next.some((one) => one.board === board && one.ring === ring);
    return !isBack && facts !== undefined && (facts.ring === undefined || facts.ring === ring);
  });
}

function areSame(a: Shelf, b: Shelf): boolean {
  const text = ({ keepers, former }: Shelf) =>
    JSON.stringify([
      keepers.map(({ board, ring, isWhole }) => [board, ring, isWhole]).sort(),
      former.map(({ board, ring }) => [board, ring]),
    ]);
  return text(a) === text(b);
}

function holderOf([name, { zone, sectors }]: [string, KeeperFacts]): Holder {
  const room = Number.POSITIVE_INFINITY;
  return { name, zone, weight: Math.max(1, sectors), load: 0, room, has: [], onBattery: false };
}

function workOf(board: string, { load }: Wanted): Work {
  return {
    ...{ name: board, strategy: "rendezvous", load, size: 0 },
    ...{ needs: [], zones: [], mains: false, apartFrom: [] },
  };
}
