/**
 * More puts than an entry holds, all at once: what must change together, changes together.
 *
 * A leader first puts a draft of them, in pieces: byte strings under `covey/draft/0`, `covey/draft/1` and so on, each a plain `put`. One after the
 * other, the pieces are a CBOR sequence: for each key the array [key, value] that a `put` of it would hold, cut wherever a piece is full. Keys rise
 * in code units, so none comes twice; nothing is deleted, and nothing put under a key of a draft.
 *
 * Then an `adoption` entry makes all that the draft says the state, and removes the pieces. Its data (version 1) is a CBOR sequence: the id of its command,
 * how many pieces there are, how many puts, and of how many bytes: what a board must know to keep room for it before it has the pieces. An adoption that
 * does not find exactly such a draft is skipped as a whole, and so is one behind which there would be more than `stateLimits.keysMax` keys.
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { concat, SequenceReader } from "../cbor/sequence.ts";
import { ShapeError } from "../cbor/shape.ts";
import { EntryKind, type SnapshotItem } from "../raft/types.ts";
import { commandFromWire, commandToWire } from "./codec.ts";
import {
  commandIdBytes,
  type PutCommand,
  reservedKeyPrefix,
  type StateValue,
  stateLimits,
} from "./command.ts";

/** A draft's pieces, by number from 0. Whoever begins to lead removes those that it finds. */
export const draftKeyPrefix = `${reservedKeyPrefix}draft/`;

const piecesMax = 64;

export const draftLimits = Object.freeze({
  piecesMax,
  /** Of all [key, value] arrays. */
  bytesMax: piecesMax * stateLimits.valueBytesMax,
  /** Keys that change: as many as there may be. */
  putsMax: stateLimits.keysMax,
});

/** What an adoption says of the draft that it is about. */
export interface Adoption {
  readonly pieces: number;
  readonly puts: number;
  /** Of all pieces. */
  readonly bytes: number;
}

export function isAdoption({ kind, version }: SnapshotItem): boolean {
  return kind === EntryKind.adoption && version === 1;
}

export function draftKey(piece: number): string {
  return `${draftKeyPrefix}${piece}`;
}

/** The pieces of a draft; `puts` in any order, of different keys. Throws `ShapeError` for what could not be adopted. */
export function draftPieces(puts: readonly PutCommand[]): Uint8Array[] {
  const sorted = puts.slice().sort((a, b) => (a.key < b.key ? -1 : 1));
  const bytes = concat(...sorted.map(({ key, value }) => encodeCbor(commandToWire({ key, value }))));
  const pieces: Uint8Array[] = [];
  const { valueBytesMax } = stateLimits;
  for (let at = 0; at < bytes.length; at += valueBytesMax) pieces.push(bytes.slice(at, at + valueBytesMax));
  const adoption = { pieces: pieces.length, puts: puts.length, bytes: bytes.length };
  checkAdoption(adoption);
  const reader = new DraftReader(adoption, (piece) => pieces[piece]);
  while (reader.next() !== undefined);
  return pieces;
}

/** The data of an entry that adopts a draft. Throws `ShapeError` for one that is beyond `draftLimits`. */
export function adoptionToData(id: Uint8Array, adoption: Adoption): Uint8Array {
  const { pieces, puts, bytes } = adoption;
  const data = concat(encodeCbor(id), encodeCbor(pieces), encodeCbor(puts), encodeCbor(bytes));
  adoptionFromData(data);
  return data;
}

/** Throws `ShapeError` or `CborError`. */
export function adoptionFromData(data: Uint8Array): Adoption {
  const items = new SequenceReader(data);
  const id = items.byteStringView();
  if (id.length !== commandIdBytes) throw new ShapeError(what, "the id", `${commandIdBytes} bytes`, id);
  const adoption = { pieces: items.integer(), puts: items.integer(), bytes: items.integer() };
  items.end();
  checkAdoption(adoption);
  return adoption;
}

/** Reads a draft put by put, and holds two pieces of it at a time. */
export class DraftReader {
  readonly #adoption: Adoption;
  readonly #pieceAt: (piece: number) => StateValue | undefined;
  /** What is left of the pieces that were read. */
  #rest: Uint8Array = noBytes;
  #pieces = 0;
  #puts = 0;
  #bytes = 0;
  #keyBefore = "";
  #data: Uint8Array = noBytes;

  /** `pieceAt` gives what stands under `draftKey(piece)`. */
  constructor(adoption: Adoption, pieceAt: (piece: number) => StateValue | undefined) {
    this.#adoption = adoption;
    this.#pieceAt = pieceAt;
  }

  /** What the draft says of the put that `next` gave last: the data of a `put` entry. */
  get data(): Uint8Array {
    return this.#data;
  }

  /** The next put, which has a value; undefined behind the last one. Throws `ShapeError` or `CborError` unless the draft is what the adoption says. */
  next(): PutCommand | undefined {
    while (this.#rest.length < putBytesMax && this.#pieces < this.#adoption.pieces) this.readPiece();
    if (this.#rest.length === 0) {
      this.demand("the puts", this.#adoption.puts, this.#puts);
      this.demand("the bytes", this.#adoption.bytes, this.#bytes);
      return undefined;
    }
    const items = new SequenceReader(this.#rest);
    this.#data = items.item();
    this.#rest = items.rest();
    const put = commandFromWire(decodeCbor(this.#data));
    const { key, value, id } = put;
    if (id !== undefined) throw new ShapeError(what, "a put", "no id of its own", id);
    if (value === undefined) throw new ShapeError(what, "a put", "a value", key);
    if (key <= this.#keyBefore) throw new ShapeError(what, "the keys", "rising keys", key);
    if (key.startsWith(draftKeyPrefix)) throw new ShapeError(what, "a key", "none of a draft", key);
    this.#keyBefore = key;
    this.#puts++;
    return put;
  }

  private readPiece(): void {
    const piece = this.#pieceAt(this.#pieces);
    if (!(piece instanceof Uint8Array)) {
      throw new ShapeError(what, draftKey(this.#pieces), "a byte string", piece);
    }
    this.#pieces++;
    this.#bytes += piece.length;
    this.#rest = this.#rest.length === 0 ? piece : concat(this.#rest, piece);
  }

  private demand(field: string, said: number, found: number): void {
    if (said !== found) throw new ShapeError(what, field, `${said}, as the adoption says`, found);
  }
}

function checkAdoption({ pieces, puts, bytes }: Adoption): void {
  const { piecesMax, putsMax, bytesMax } = draftLimits;
  demandWithin("the pieces", pieces, piecesMax);
  demandWithin("the puts", puts, putsMax);
  demandWithin("the bytes", bytes, bytesMax);
}

function demandWithin(field: string, found: number, most: number): void {
  if (found < 1 || found > most) throw new ShapeError(what, field, `1 to ${most}`, found);
}

const what = "draft";
/** CBOR: the array, the key with its head, the longest value with its own. */
const putBytesMax = 1 + 2 + stateLimits.keyLengthMax + 3 + stateLimits.valueBytesMax;
const noBytes = new Uint8Array(0);
