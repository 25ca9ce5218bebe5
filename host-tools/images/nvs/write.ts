/** Items to an NVS partition, as ESP-IDF (`nvs_storage.cpp`) would have written them into an empty one, one after the other. */
import {
  EntryState,
  EntryType,
  entriesPerPage,
  entryBytes,
  entryCrc,
  firstEntryAt,
  formatVersion,
  headerCrc,
  type NvsItem,
  noChunk,
  numberTypes,
  nvsCrc,
  nvsLimits,
  PageState,
  pageBytes,
} from "./format.ts";

/** An item can't be stored; the message names it. */
export class NvsItemError extends Error {
  override readonly name = "NvsItemError";
  readonly item: string;

  constructor({ namespace, key }: Pick<NvsItem, "namespace" | "key">, problem: string) {
    super(`The value ${namespace}/${key} ${problem}.`);
    this.item = `${namespace}/${key}`;
  }
}

/**
 * A partition of `sizeBytes`, a multiple of 4,096 and at least three pages: one page stays empty, because NVS needs it to make room.
 * @throws {NvsItemError} for a name or a value that NVS can't hold, and when there is no room
 */
export function writeNvs(items: readonly NvsItem[], sizeBytes: number): Uint8Array {
  const writer = new Writer(sizeBytes);
  const namespaces = new Map<string, number>();
  const seen = new Set<string>();
  for (const item of items) {
    checkName(item, item.namespace, "namespace");
    checkName(item, item.key, "key");
    const place = `${item.namespace}/${item.key}`;
    if (seen.has(place)) throw new NvsItemError(item, "is given twice");
    seen.add(place);
    let namespace = namespaces.get(item.namespace);
    if (namespace === undefined) {
      namespace = namespaces.size + 1;
      if (namespace > nvsLimits.namespacesMax) throw new NvsItemError(item, "is in one namespace too many");
      namespaces.set(item.namespace, namespace);
      writer.number(item, 0, item.namespace, EntryType.u8, BigInt(namespace));
    }
    write(writer, item, namespace);
  }
  return writer.end();
}

function write(writer: Writer, item: NvsItem, namespace: number): void {
  if (item.type === "text") {
    if (item.value.includes("\0")) throw new NvsItemError(item, "holds a 0, which ends a text: store a blob");
    const bytes = new TextEncoder().encode(`${item.value}\0`);
    if (bytes.length > nvsLimits.textBytesMax) {
      throw new NvsItemError(
        item,
        `has ${bytes.length} bytes, and a text may have ${nvsLimits.textBytesMax}`,
      );
    }
    writer.data(item, namespace, EntryType.text, noChunk, bytes);
  } else if (item.type === "blob") {
    const { blobBytesMax } = nvsLimits;
    if (item.value.length > blobBytesMax)
      throw new NvsItemError(item, `has ${item.value.length} bytes, and a blob may have ${blobBytesMax}`);
    writer.blob(item, namespace, item.value);
  } else {
    checkRange(item);
    writer.number(item, namespace, item.key, EntryType[item.type], item.value);
  }
}

function checkName(item: NvsItem, name: string, what: string): void {
  const { length } = new TextEncoder().encode(name);
  if (length < 1 || length > nvsLimits.keyBytesMax || name.includes("\0")) {
    throw new NvsItemError(item, `has a ${what} that is not 1 to ${nvsLimits.keyBytesMax} bytes without a 0`);
  }
}

function checkRange(item: Extract<NvsItem, { value: bigint }>): void {
  const bits = BigInt((EntryType[item.type] & 0x0f) * 8);
  const isSigned = item.type.startsWith("i");
  const [min, max] = isSigned ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
  if (!numberTypes.includes(item.type) || item.value < min || item.value > max) {
    throw new NvsItemError(item, `is ${item.value}, and ${item.type} goes from ${min} to ${max}`);
  }
}

/** Bytes; a tenth of what a page holds. */
const worthBeginning = 400;

class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #pages: number;
  #page = 0;
  #used = 0;

  constructor(sizeBytes: number) {
    this.#pages = sizeBytes / pageBytes;
    if (!Number.isInteger(this.#pages) || this.#pages < 3) {
      throw new RangeError(
        `An NVS partition has a multiple of ${pageBytes} bytes, ${3 * pageBytes} at least.`,
      );
    }
    this.#bytes = new Uint8Array(sizeBytes).fill(0xff);
    this.#view = new DataView(this.#bytes.buffer);
    this.#begin();
  }

  end(): Uint8Array {
    return this.#bytes;
  }

  number(item: NvsItem, namespace: number, key: string, type: number, value: bigint): void {
    this.#room(item, 1);
    const data = new Uint8Array(8).fill(0xff);
    const number = new Uint8Array(8);
    new DataView(number.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
    data.set(number.subarray(0, type & 0x0f));
    this.#entry(namespace, type, 1, noChunk, key, data);
  }

  /** All of `bytes` on one page. */
  data(item: NvsItem, namespace: number, type: number, chunk: number, bytes: Uint8Array): void {
    const span = 1 + Math.ceil(bytes.length / entryBytes);
    this.#room(item, span);
    const data = new Uint8Array(8).fill(0xff);
    const view = new DataView(data.buffer);
    view.setUint16(0, bytes.length, true);
    view.setUint32(4, nvsCrc(bytes), true);
    this.#entry(namespace, type, span, chunk, item.key, data);
    const padded = new Uint8Array((span - 1) * entryBytes).fill(0xff);
    padded.set(bytes);
    for (let at = 0; at < padded.length; at += entryBytes) this.#raw(padded.subarray(at, at + entryBytes));
  }

  /** In chunks, each on one page, and an index behind them. */
  blob(item: NvsItem, namespace: number, bytes: Uint8Array): void {
    let chunks = 0;
    let at = 0;
    // A blob that does not fit here begins here only when it is worth it.
    if (this.#tailroom < Math.max(bytes.length, 1) && this.#tailroom < worthBeginning) this.#next(item);
    do {
      if (this.#tailroom === 0) this.#next(item);
      const length = Math.min(bytes.length - at, this.#tailroom);
      this.data(item, namespace, EntryType.blobData, chunks, bytes.subarray(at, at + length));
      at += length;
      chunks++;
    } while (at < bytes.length);
    this.#room(item, 1);
    const data = new Uint8Array(8).fill(0xff);
    new DataView(data.buffer).setUint32(0, bytes.length, true);
    data[4] = chunks;
    data[5] = 0;
    this.#entry(namespace, EntryType.blobIndex, 1, noChunk, item.key, data);
  }

  get #left(): number {
    return entriesPerPage - this.#used;
  }

  /** Bytes of data that a chunk may have on this page, behind its own entry. */
  get #tailroom(): number {
    return Math.max(0, (this.#left - 1) * entryBytes);
  }

  #room(item: NvsItem, entries: number): void {
    if (entries > this.#left) this.#next(item);
  }

  #next(item: NvsItem): void {
    if (this.#page + 2 >= this.#pages) {
      throw new NvsItemError(
        item,
        `does not fit: ${this.#pages - 1} of ${this.#pages} pages are full, and one must stay empty`,
      );
    }
    this.#view.setUint32(this.#page * pageBytes, PageState.full, true);
    this.#page++;
    this.#used = 0;
    this.#begin();
  }

  #begin(): void {
    const at = this.#page * pageBytes;
    this.#view.setUint32(at, PageState.active, true);
    this.#view.setUint32(at + 4, this.#page, true);
    this.#bytes[at + 8] = formatVersion;
    this.#view.setUint32(at + 28, headerCrc(this.#bytes.subarray(at, at + pageBytes)), true);
  }

  #entry(namespace: number, type: number, span: number, chunk: number, key: string, data: Uint8Array): void {
    const entry = new Uint8Array(entryBytes);
    entry.set([namespace, type, span, chunk]);
    entry.set(new TextEncoder().encode(key), 8);
    entry.set(data, 24);
    new DataView(entry.buffer).setUint32(4, entryCrc(entry), true);
    this.#raw(entry);
  }

  #raw(entry: Uint8Array): void {
    const page = this.#page * pageBytes;
    this.#bytes.set(entry, page + firstEntryAt + this.#used * entryBytes);
    const mask = (EntryState.empty ^ EntryState.written) << ((this.#used & 3) * 2);
    this.#bytes[page + 32 + (this.#used >> 2)]! &= ~mask;
    this.#used++;
  }
}
