/**
 * What a host and a board that keeps blocks say to each other, on the channel `keep` within the session.
 *
 * ```
 * down   put       [1, 0, id, [block, ...]]                       keep these
 *        read      [1, 1, id, cursor, series, from, to]           those of a series whose numbers are from `from` to `to`
 *        list      [1, 2, id, cursor]                             which are there?
 * up     stored    [1, 0, id, ring, [sector, ...]]                of each block of the put, in its order; 0: it is not kept
 *        blocks    [1, 1, id, ring, next | null, [block, ...]]
 *        held      [1, 2, id, ring, next | null, [[series, sector, first, last], ...]]
 *        refused   [1, 3, id, reason]                             see `Refusal`
 * ring   [name, oldest, newest, sectors, damaged]
 * ```
 *
 * A board answers each question once, at once, and remembers nothing of it: who hears nothing asks again. What is too much for one answer goes on at `next`,
 * which is the cursor of the question after it; 0 begins with what was written first. A question that finds little may be answered with nothing and a `next`, because a
 * board looks through no more than a part of its flash at a time.
 *
 * Blocks lie in a ring of sectors, in the order in which they were put. A full ring forgets its oldest sector, so that a block that is said to be in sector
 * s is there as long as the ring's name is the same and its `oldest` is s at most. Flash may forget as well: what a `list` does not say is not there.
 * A block that is put twice may be there twice.
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { type KeptBlock, keepingLimits, keptBlockFromWire, keptBlockToWire } from "./block.ts";

/** What a host asks. */
export type KeepRequest = PutRequest | ReadRequest | ListRequest;

export interface PutRequest {
  readonly kind: "put";
  readonly id: number;
  /** 1 to `keepingLimits.blocksMax`. */
  readonly blocks: readonly KeptBlock[];
}

export interface ReadRequest {
  readonly kind: "read";
  readonly id: number;
  /** 0 at first, then the `next` of the answer before. */
  readonly cursor: number;
  readonly series: string;
  /** Numbers, both included. */
  readonly from: number;
  readonly to: number;
}

export interface ListRequest {
  readonly kind: "list";
  readonly id: number;
  readonly cursor: number;
}

/** What a board answers, each under the id of its question. */
export type KeepAnswer = StoredAnswer | BlocksAnswer | HeldAnswer | RefusedAnswer;

export interface StoredAnswer {
  readonly kind: "stored";
  readonly id: number;
  /** After the put. */
  readonly ring: RingState;
  /** Of each block in the put, in its order: the sector that it is in, durably; 0: it is not kept. */
  readonly sectors: readonly number[];
}

export interface BlocksAnswer {
  readonly kind: "blocks";
  readonly id: number;
  readonly ring: RingState;
  /** undefined: that was all. */
  readonly next: number | undefined;
  /** In the order in which they were put; each whole, by the check that was written with it. */
  readonly blocks: readonly KeptBlock[];
}

export interface HeldAnswer {
  readonly kind: "held";
  readonly id: number;
  readonly ring: RingState;
  /** undefined: that was all. */
  readonly next: number | undefined;
  /** In the order in which they were put. */
  readonly runs: readonly HeldRun[];
}

/** Blocks of one series in one sector, whose numbers follow one another. */
export interface HeldRun {
  readonly series: string;
  readonly sector: number;
  readonly first: number;
  readonly last: number;
}

export interface RefusedAnswer {
  readonly kind: "refused";
  readonly id: number;
  readonly reason: Refusal;
}

/** `no-room`: the board's flash has no part for blocks. `sleeps`: it sleeps between its readings, so it keeps nothing. `flash`: its flash fails. */
export type Refusal = "no-room" | "sleeps" | "flash";

export interface RingState {
  /** Drawn when the ring began: another one means that nothing of before is there. */
  readonly name: number;
  /** The first sector of those that are there, from 1 on. Sectors are numbered for ever. */
  readonly oldest: number;
  /** The last one, which is being filled; `oldest` - 1 while there is none. */
  readonly newest: number;
  /** How many there may be, of 4,096 bytes each: about 15 blocks of 200 bytes. */
  readonly sectors: number;
  /** Places in what the board looked through for this answer where bits have changed: a block that is gone, or the head of a sector. A `list` looks at all. */
  readonly damaged: number;
}

export const keepVersion = 1;

export function keepRequestToWire(request: KeepRequest): CborValue {
  const { kind, id } = request;
  if (kind === "put") return [keepVersion, 0, id, request.blocks.map(keptBlockToWire)];
  if (kind === "list") return [keepVersion, 2, id, request.cursor];
  return [keepVersion, 1, id, request.cursor, request.series, request.from, request.to];
}

/** @throws {ShapeError} */
export function keepRequestFromWire(value: CborValue): KeepRequest {
  const items = new ItemReader(value, "keep request", "", 4);
  items.version(keepVersion);
  const kind = items.integer("the kind", 0, 2);
  const id = items.integer("the id", 0, keepingLimits.idMax);
  if (kind === 0) return { kind: "put", id, blocks: blocksFromWire(items, "keep request", 1) };
  const cursor = items.integer("the cursor", 0, Number.MAX_SAFE_INTEGER);
  if (kind === 2) return { kind: "list", id, cursor };
  const series = items.text("the series", keepingLimits.seriesBytesMax);
  const from = items.integer("from", 0, keepingLimits.numberMax);
  return { kind: "read", id, cursor, series, from, to: items.integer("to", 0, keepingLimits.numberMax) };
}

export function keepAnswerToWire(answer: KeepAnswer): CborValue {
  const { kind, id } = answer;
  if (kind === "refused") return [keepVersion, 3, id, refusals.indexOf(answer.reason)];
  const { name, oldest, newest, sectors, damaged } = answer.ring;
  const ring = [name, oldest, newest, sectors, damaged];
  if (kind === "stored") return [keepVersion, 0, id, ring, answer.sectors];
  const next = answer.next ?? null;
  if (kind === "blocks") return [keepVersion, 1, id, ring, next, answer.blocks.map(keptBlockToWire)];
  const runs = answer.runs.map(({ series, sector, first, last }) => [series, sector, first, last]);
  return [keepVersion, 2, id, ring, next, runs];
}

/** @throws {ShapeError} */
export function keepAnswerFromWire(value: CborValue): KeepAnswer {
  const items = new ItemReader(value, "keep answer", "", 4);
  items.version(keepVersion);
  const kind = items.integer("the kind", 0, 3);
  const id = items.integer("the id", 0, keepingLimits.idMax);
  if (kind === 3) {
    return { kind: "refused", id, reason: refusals[items.integer("the reason", 0, refusals.length - 1)]! };
  }
  const ring = ringFromWire(items.any());
  if (kind === 0) return { kind: "stored", id, ring, sectors: sectorsFromWire(items) };
  const next = items.integerOrNone("next", 1, Number.MAX_SAFE_INTEGER);
  if (kind === 1) return { kind: "blocks", id, ring, next, blocks: blocksFromWire(items, "keep answer", 0) };
  return { kind: "held", id, ring, next, runs: runsFromWire(items) };
}

/** The place of a reason is its number on the wire. */
const refusals: readonly Refusal[] = Object.freeze(["no-room", "sleeps", "flash"] as const);

/** Sectors are numbered from 1 on. */
const sectorMax = 0xffff_ffff;

function blocksFromWire(items: ItemReader, format: string, countMin: number): KeptBlock[] {
  const blocks: KeptBlock[] = [];
  for (const block of items.array("the blocks", keepingLimits.blocksMax)) {
    blocks.push(keptBlockFromWire(block, `block ${blocks.length}`));
  }
  if (blocks.length < countMin) throw new ShapeError(format, "the blocks", "at least one", 0);
  return blocks;
}

function ringFromWire(value: CborValue): RingState {
  const items = new ItemReader(value, "keep answer", "the ring", 5);
  const name = items.integer("the name", 0, 0xffff_ffff);
  const oldest = items.integer("oldest", 1, sectorMax);
  const newest = items.integer("newest", oldest - 1, sectorMax);
  const sectors = items.integer("the sectors", 1, 0xffff);
  return { name, oldest, newest, sectors, damaged: items.integer("damaged", 0, 0xffff_ffff) };
}

function sectorsFromWire(items: ItemReader): number[] {
  const sectors: number[] = [];
  for (const sector of items.array("the sectors", keepingLimits.blocksMax)) {
    if (typeof sector !== "number" || !Number.isInteger(sector) || sector < 0 || sector > sectorMax) {
      throw new ShapeError("keep answer", "a sector", `an integer from 0 to ${sectorMax}`, sector);
    }
    sectors.push(sector);
  }
  return sectors;
}

function runsFromWire(items: ItemReader): HeldRun[] {
  const runs: HeldRun[] = [];
  for (const item of items.array("the runs", keepingLimits.runsMax)) {
    const run = new ItemReader(item, "keep answer", `run ${runs.length}`, 4);
    const series = run.text("the series", keepingLimits.seriesBytesMax);
    const sector = run.integer("the sector", 1, sectorMax);
    const first = run.integer("first", 1, keepingLimits.numberMax);
    runs.push({ series, sector, first, last: run.integer("last", first, keepingLimits.numberMax) });
  }
  return runs;
}
