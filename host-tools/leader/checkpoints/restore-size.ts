/**
 * How much a restore is, and whether all of it can be agreed on at once: in one entry, or as a draft, for which there must be keys in the state and room in the
 * flash of every board. Known before anything is put.
 */
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { commandToWire } from "../../../protocols/state/codec.ts";
import { commandIdBytes, type PutCommand, stateLimits } from "../../../protocols/state/command.ts";
import { draftKey, draftLimits } from "../../../protocols/state/draft.ts";
import { putBytes, putsLimits } from "../../../protocols/state/puts.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import { piecesIn } from "../state/draft.ts";
import type { StateValues } from "./restore-plan.ts";

export interface RestoreSize {
  readonly keys: number;
  /** Of all [key, value] arrays. */
  readonly bytes: number;
  /** Of its draft; 0 where one entry holds all of it. */
  readonly pieces: number;
}

export function sizeOf(puts: readonly PutCommand[]): RestoreSize {
  const bytes = puts.reduce((sum, put) => sum + putBytes(put), 0);
  const { putsMax, bytesMax } = putsLimits;
  const isOneEntry = puts.length <= putsMax && bytes <= bytesMax;
  return { keys: puts.length, bytes, pieces: isOneEntry ? 0 : Math.ceil(bytes / stateLimits.valueBytesMax) };
}

/** Entries that agree on it: itself, and before it the pieces of its draft. */
export function entriesOf({ pieces }: RestoreSize): number {
  return pieces + 1;
}

/** Why these puts cannot be agreed on at once: a sentence. undefined: they can. `logBytes` is of the smallest board's flash for the log. */
export function sizeObjection(
  puts: readonly PutCommand[],
  present: StateValues,
  logBytes: number,
): string | undefined {
  const { keys, bytes, pieces } = sizeOf(puts);
  if (pieces === 0) return undefined;
  const { putsMax, bytesMax } = draftLimits;
  if (keys > putsMax || bytes > bytesMax) {
    return `This restore changes ${keys} keys in ${bytes} bytes, and what is agreed on at once has at most ${putsMax} keys in ${bytesMax} bytes; ${inParts}`;
  }
  const added = puts.filter(({ key }) => !present.has(key)).length;
  // The checkpoint that is made before it has a key too.
  const most = present.size + 1 + Math.max(pieces, added);
  if (most > stateLimits.keysMax) {
    return `This restore needs ${most - present.size} keys for itself, and the swarm has ${present.size} of at most ${stateLimits.keysMax}: delete checkpoints that nobody needs. Or ${inParts}`;
  }
  const [needed, room] = [flashBytes(puts, present), roomOnFlash(logBytes)];
  if (needed > room) {
    return `This restore takes ${needed} bytes of a board's flash together with what it replaces, and the smallest board has ${room}; ${inParts}`;
  }
  return undefined;
}

/** All keys, but for pieces that somebody left: they go first. */
export function presentIn(state: Pick<AgreedState, "keys" | "get">): StateValues {
  const left = new Set(piecesIn(state));
  const keys = [...state.keys()].filter((key) => !left.has(key));
  return new Map(keys.map((key) => [key, state.get(key)!.value]));
}

/**
 * Bytes for records that count, of a flash region of `logBytes`: of all sectors but two, which only cleaning uses, three quarters
 * (`firmware/storage/store-contents.ts`, `capacityBytes`), less what a board keeps for itself.
 */
export function roomOnFlash(logBytes: number): number {
  const sectors = Math.floor(logBytes / sectorBytes) - reservedSectors;
  return Math.floor(sectors * sectorRoomBytes * 0.75) - ownBytes;
}

const inParts =
  "nothing was changed. Restore it in parts: --only settings, then --only programs --boards NAME.";

const sectorBytes = 4096;
/** `firmware/storage/sector-log.ts`. */
const reservedSectors = 2;
/** Less a header, how much the next one may be longer, and the mark. */
const sectorRoomBytes = 3_700;
/** Checkpoints of pipelines, promises, registers, and a margin. */
const ownBytes = 16_384;

/**
 * What counts while it is adopted: the values that there are, the pieces, and what the adoption keeps room for (`firmware/storage/entry-log.ts`, `valuesSizeMax`):
 * the new values, and that there are no pieces any more. Entries that are applied give way.
 */
function flashBytes(puts: readonly PutCommand[], present: StateValues): number {
  const { keys, bytes, pieces } = sizeOf(puts);
  const piece = {
    key: draftKey(draftLimits.piecesMax - 1),
    value: new Uint8Array(stateLimits.valueBytesMax),
  };
  let presentBytes = 0;
  for (const [key, value] of present) presentBytes += recordBytes({ key, value });
  return presentBytes + pieces * recordBytes(piece) + bytes + keys * recordGrowthMax + pieces * absentBytes;
}

/** `firmware/storage/record.ts`: a head of 16, then the data and four bytes, up to a multiple of 16. With an id, as the entry of a put has it. */
function recordBytes(put: PutCommand): number {
  const dataBytes = encodeCbor(commandToWire({ ...put, id: new Uint8Array(commandIdBytes) })).length;
  return recordHeadBytes + Math.ceil((dataBytes + 4) / 16) * 16;
}

const recordHeadBytes = 16;
/** How much longer a record is than its data. */
const recordGrowthMax = 35;
const absentBytes = 48;
