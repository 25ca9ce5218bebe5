/**
 * An NVS partition to its items, as ESP-IDF finds them: pages in the order of their sequence, entries that are written and whose CRC holds; of a key
 * that is there twice the latest counts, which a power cut between writing the new and erasing the old leaves behind.
 */
import { ImageError } from "../image-error.ts";
import { decryptNvs, type NvsKeys, stateOf } from "./encryption.ts";
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
  numberTypes,
  nvsCrc,
  PageState,
  pageBytes,
} from "./format.ts";

/**
 * `keys` for an encrypted partition. Entries that are damaged are passed over, as the chip passes them over. @throws {ImageError} when no page is one
 * of NVS and the partition is not empty
 */
export function readNvs(partition: Uint8Array, keys?: NvsKeys): NvsItem[] {
  const plain = keys === undefined ? partition : decryptNvs(partition, keys);
  const pages = soundPages(plain);
  if (pages.length === 0 && plain.some((byte) => byte !== 0xff)) {
    throw new ImageError("NVS partition", 0, "none of its pages has a header");
  }
  const found = new Found();
  for (const page of pages) readPage(plain, page, found);
  return found.items();
}

function soundPages(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pages: { at: number; sequence: number }[] = [];
  for (let at = 0; at + pageBytes <= bytes.length; at += pageBytes) {
    const page = bytes.subarray(at, at + pageBytes);
    const state = view.getUint32(at, true);
    const isUsed = state === PageState.active || state === PageState.full || state === PageState.freeing;
    // Version 1 (0xFF) has the same layout.
    if (!isUsed || page[8]! < formatVersion || view.getUint32(at + 28, true) !== headerCrc(page)) continue;
    pages.push({ at, sequence: view.getUint32(at + 4, true) });
  }
  return pages.toSorted((a, b) => a.sequence - b.sequence).map(({ at }) => at);
}

interface Entry {
  readonly namespace: number;
  readonly type: number;
  readonly chunk: number;
  readonly key: string;
  readonly data: DataView;
  /** Of the entries behind it. */
  readonly behind: Uint8Array;
}

function readPage(bytes: Uint8Array, page: number, found: Found): void {
  for (let i = 0; i < entriesPerPage; ) {
    const entry = stateOf(bytes, page, i) === EntryState.written ? entryAt(bytes, page, i) : undefined;
    if (entry === undefined) {
      i++;
      continue;
    }
    found.take(entry);
    i += bytes[page + firstEntryAt + i * entryBytes + 2]!;
  }
}

function entryAt(bytes: Uint8Array, page: number, i: number): Entry | undefined {
  const at = page + firstEntryAt + i * entryBytes;
  const entry = bytes.subarray(at, at + entryBytes);
  const view = new DataView(entry.buffer, entry.byteOffset, entryBytes);
  const span = entry[2]!;
  if (span < 1 || i + span > entriesPerPage || view.getUint32(4, true) !== entryCrc(entry)) return undefined;
  const name = entry.subarray(8, 24);
  const end = name.indexOf(0);
  return {
    namespace: entry[0]!,
    type: entry[1]!,
    chunk: entry[3]!,
    key: new TextDecoder().decode(end < 0 ? name : name.subarray(0, end)),
    data: new DataView(entry.buffer, entry.byteOffset + 24, 8),
    behind: bytes.subarray(at + entryBytes, at + span * entryBytes),
  };
}

/** What the entries say together; a later one replaces an earlier one of the same place. */
class Found {
  readonly #namespaces = new Map<number, string>();
  readonly #entries = new Map<string, Entry>();
  readonly #chunks = new Map<string, Uint8Array>();

  take(entry: Entry): void {
    const { namespace, type, chunk, key, data } = entry;
    if (namespace === 0) {
      this.#namespaces.set(data.getUint8(0), key);
      return;
    }
    const place = `${namespace}/${key}`;
    if (type === EntryType.blobData) {
      const bytes = checkedData(entry);
      if (bytes !== undefined) this.#chunks.set(`${place}/${chunk}`, bytes);
      return;
    }
    this.#entries.delete(place);
    this.#entries.set(place, entry);
  }

  items(): NvsItem[] {
    const items: NvsItem[] = [];
    for (const entry of this.#entries.values()) {
      const namespace = this.#namespaces.get(entry.namespace);
      const value = namespace === undefined ? undefined : this.#valueOf(entry);
      if (value !== undefined) items.push({ namespace: namespace!, key: entry.key, ...value });
    }
    return items;
  }

  #valueOf(entry: Entry) {
    const { type, data } = entry;
    const number = numberTypes.find((name) => EntryType[name] === type);
    if (number !== undefined) {
      const all = data.getBigUint64(0, true);
      const bits = (type & 0x0f) * 8;
      const value = number.startsWith("i") ? BigInt.asIntN(bits, all) : BigInt.asUintN(bits, all);
      return { type: number, value };
    }
    if (type === EntryType.blobIndex) return this.#blobOf(entry);
    const bytes = checkedData(entry);
    if (bytes === undefined) return undefined;
    if (type === EntryType.blobV1) return { type: "blob" as const, value: bytes };
    if (type !== EntryType.text) return undefined;
    const end = bytes.indexOf(0);
    return {
      type: "text" as const,
      value: new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)),
    };
  }

  #blobOf({ namespace, key, data }: Entry) {
    const value = new Uint8Array(data.getUint32(0, true) <= blobBytesMax ? data.getUint32(0, true) : 0);
    let at = 0;
    for (let chunk = 0; chunk < data.getUint8(4); chunk++) {
      const bytes = this.#chunks.get(`${namespace}/${key}/${data.getUint8(5) + chunk}`);
      if (bytes === undefined || at + bytes.length > value.length) return undefined;
      value.set(bytes, at);
      at += bytes.length;
    }
    return at === value.length ? { type: "blob" as const, value } : undefined;
  }
}

/** NVS holds no longer blob. */
const blobBytesMax = 508_000;

function checkedData({ data, behind }: Entry): Uint8Array | undefined {
  const length = data.getUint16(0, true);
  if (length > behind.length) return undefined;
  const bytes = behind.slice(0, length);
  return nvsCrc(bytes) === data.getUint32(4, true) ? bytes : undefined;
}
