/**
 * An NVS partition to its items, as ESP-IDF finds them when it starts: pages in the order of their sequence; entries that are written, with every entry that they span, and whose
 * CRC holds. What a power cut leaves behind does no harm: of a key that is there twice the later one counts, be it because the old value was not erased yet, or because
 * a page that was being freed had been copied in part.
 */
import { ImageError } from "../image-error.ts";
import { decryptNvs, type NvsKeys } from "./encryption.ts";
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
  type NvsValue,
  noChunk,
  numberTypes,
  nvsCrc,
  nvsLimits,
  PageState,
  pageBytes,
  stateOf,
} from "./format.ts";

/**
 * `keys` for an encrypted partition. Entries that are damaged are passed over, as the chip passes them over.
 * @throws {ImageError} when nothing in it is of NVS though it is not empty, and when no entry is sound, which means that the keys are wrong or missing
 */
export function readNvs(partition: Uint8Array, keys?: NvsKeys): NvsItem[] {
  const plain = keys === undefined ? partition : decryptNvs(partition, keys);
  const pages = soundPages(plain);
  if (pages.length === 0 && plain.some((byte) => byte !== 0xff)) {
    throw new ImageError(what, 0, "none of its pages has a header");
  }
  const found = new Found();
  let written = 0;
  let sound = 0;
  for (const page of pages) {
    for (let i = 0; i < entriesPerPage; ) {
      const isWritten = stateOf(page, i) === EntryState.written;
      const entry = isWritten ? entryAt(page, i) : undefined;
      if (isWritten) written++;
      if (entry !== undefined) {
        sound++;
        found.take(entry);
      }
      i += entry?.span ?? 1;
    }
  }
  if (written > 0 && sound === 0) {
    const why = keys === undefined ? "it is encrypted, or damaged" : "the keys are others, or it is damaged";
    throw new ImageError(what, firstEntryAt, `none of its ${written} entries is sound: ${why}`);
  }
  return found.items();
}

/** Whether any page has a header of NVS, to tell a partition from other files. */
export function isNvs(bytes: Uint8Array): boolean {
  return soundPages(bytes).length > 0;
}

const what = "NVS partition";

function soundPages(bytes: Uint8Array): Uint8Array[] {
  const pages: { page: Uint8Array; sequence: number }[] = [];
  for (let at = 0; at + pageBytes <= bytes.length; at += pageBytes) {
    const page = bytes.subarray(at, at + pageBytes);
    const view = new DataView(page.buffer, page.byteOffset, 32);
    const state = view.getUint32(0, true);
    const isUsed = state === PageState.active || state === PageState.full || state === PageState.freeing;
    // Version 1 (0xFF) has the same layout.
    if (!isUsed || page[8]! < formatVersion || view.getUint32(28, true) !== headerCrc(page)) continue;
    pages.push({ page, sequence: view.getUint32(4, true) });
  }
  return pages.toSorted((a, b) => a.sequence - b.sequence).map(({ page }) => page);
}

interface Entry {
  readonly namespace: number;
  readonly type: number;
  /** Entries that it takes, itself included. */
  readonly span: number;
  readonly chunk: number;
  readonly key: string;
  readonly data: DataView;
  /** Of the entries behind it. */
  readonly behind: Uint8Array;
}

function entryAt(page: Uint8Array, i: number): Entry | undefined {
  const at = firstEntryAt + i * entryBytes;
  const entry = page.subarray(at, at + entryBytes);
  const view = new DataView(entry.buffer, entry.byteOffset, entryBytes);
  const span = entry[2]!;
  if (span < 1 || i + span > entriesPerPage || view.getUint32(4, true) !== entryCrc(entry)) return undefined;
  for (let next = 1; next < span; next++) {
    if (stateOf(page, i + next) !== EntryState.written) return undefined;
  }
  const name = entry.subarray(8, 24);
  const end = name.indexOf(0);
  return {
    namespace: entry[0]!,
    type: entry[1]!,
    span,
    chunk: entry[3]!,
    key: new TextDecoder().decode(end < 0 ? name : name.subarray(0, end)),
    data: new DataView(entry.buffer, entry.byteOffset + 24, 8),
    behind: page.subarray(at + entryBytes, at + span * entryBytes),
  };
}

/** What the entries say together; a later one replaces an earlier one of the same place, unless its data is damaged. */
class Found {
  readonly #namespaces = new Map<number, string>();
  readonly #values = new Map<string, { entry: Entry; value: NvsValue | BlobIndex }>();
  readonly #chunks = new Map<string, Uint8Array>();

  take(entry: Entry): void {
    const { namespace, type, chunk, key, data } = entry;
    if (namespace === 0) {
      if (type === EntryType.u8) this.#namespaces.set(data.getUint8(0), key);
      return;
    }
    const place = `${namespace}/${key}`;
    if (type === EntryType.blobData) {
      const bytes = checkedData(entry);
      if (bytes !== undefined) this.#chunks.set(`${chunk}/${place}`, bytes);
      return;
    }
    const value = chunk === noChunk ? valueIn(entry) : undefined;
    if (value === undefined) return;
    this.#values.delete(place);
    this.#values.set(place, { entry, value });
  }

  items(): NvsItem[] {
    const items: NvsItem[] = [];
    for (const { entry, value } of this.#values.values()) {
      const namespace = this.#namespaces.get(entry.namespace);
      const whole = value.type === "blob index" ? this.#blobOf(entry, value) : value;
      if (namespace !== undefined && whole !== undefined) items.push({ namespace, key: entry.key, ...whole });
    }
    return items;
  }

  #blobOf({ namespace, key }: Entry, { lengthBytes, chunks, first }: BlobIndex): NvsValue | undefined {
    if (lengthBytes > nvsLimits.blobBytesMax) return undefined;
    const value = new Uint8Array(lengthBytes);
    let at = 0;
    for (let chunk = first; chunk < first + chunks; chunk++) {
      const bytes = this.#chunks.get(`${chunk}/${namespace}/${key}`);
      if (bytes === undefined || at + bytes.length > lengthBytes) return undefined;
      value.set(bytes, at);
      at += bytes.length;
    }
    return at === lengthBytes ? { type: "blob", value } : undefined;
  }
}

interface BlobIndex {
  readonly type: "blob index";
  readonly lengthBytes: number;
  readonly chunks: number;
  readonly first: number;
}

/** undefined for a type that is not known, and for damaged data. */
function valueIn(entry: Entry): NvsValue | BlobIndex | undefined {
  const { type, span, data } = entry;
  const number = numberTypes.find((name) => EntryType[name] === type);
  if (number !== undefined) {
    const all = data.getBigUint64(0, true);
    const bits = (type & 0x0f) * 8;
    const value = number.startsWith("i") ? BigInt.asIntN(bits, all) : BigInt.asUintN(bits, all);
    return span === 1 ? { type: number, value } : undefined;
  }
  if (type === EntryType.blobIndex) {
    const index = { chunks: data.getUint8(4), first: data.getUint8(5) };
    return { type: "blob index", lengthBytes: data.getUint32(0, true), ...index };
  }
  if (type !== EntryType.text && type !== EntryType.blobV1) return undefined;
  const bytes = checkedData(entry);
  if (bytes === undefined) return undefined;
  if (type === EntryType.blobV1) return { type: "blob", value: bytes };
  const end = bytes.indexOf(0);
  return { type: "text", value: new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)) };
}

function checkedData({ data, behind }: Entry): Uint8Array | undefined {
  const length = data.getUint16(0, true);
  if (length > behind.length) return undefined;
  const bytes = new Uint8Array(behind.subarray(0, length));
  return nvsCrc(bytes) === data.getUint32(4, true) ? bytes : undefined;
}
