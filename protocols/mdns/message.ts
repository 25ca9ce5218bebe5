/**
 * DNS messages as multicast DNS uses them (RFC 1035, section 4; RFC 6762, section 18), as far as finding a service takes: a question, and
 * the records PTR, SRV, TXT and A of the answer. Names may be compressed in what is read, and are not in what is written.
 *
 * ```
 * 0 id | 2 flags | 4 questions | 6 answers | 8 authorities | 10 additionals | 12 ...
 * question   name, type, class                                name   1 byte length, label, ... 0; or 0xc0 and a place before
 * record     name, type, class, 4 bytes time to live, length, data
 * ```
 */
export const mdnsPort = 5353;
/** RFC 6762, section 3. */
export const mdnsAddress = "224.0.0.251";

export const mdnsLimits = Object.freeze({
  /** Of all sections together, and questions. */
  recordsMax: 32,
  /** RFC 1035, section 2.3.4. */
  nameBytesMax: 255,
  labelBytesMax: 63,
  /** Of all TXT strings of a record. */
  textBytesMax: 512,
});

export const recordType = Object.freeze({ a: 1, ptr: 12, txt: 16, srv: 33 });

export type MdnsFault = "truncated" | "not-an-answer" | "name" | "record" | "too-many";

/** Bytes that are no answer in DNS. */
export class MdnsError extends Error {
  readonly fault: MdnsFault;
  readonly offset: number;

  constructor(fault: MdnsFault, offset: number) {
    super(`DNS at byte ${offset}: ${sentences[fault]}`);
    this.fault = fault;
    this.offset = offset;
  }

  override get name(): string {
    return "MdnsError";
  }
}

/** Names are in small letters, with dots between their labels; bytes beyond ASCII stand for themselves as one character each. */
export type MdnsRecord =
  | { readonly type: "a"; readonly name: string; readonly address: string }
  | { readonly type: "ptr"; readonly name: string; readonly target: string }
  | { readonly type: "srv"; readonly name: string; readonly target: string; readonly port: number }
  | { readonly type: "txt"; readonly name: string; readonly texts: readonly string[] };

export interface MdnsAnswer {
  /** That of the question, for one that was asked from another port than 5353 (RFC 6762, section 6.7). */
  readonly id: number;
  /** Of the kinds above, from all sections. */
  readonly records: readonly MdnsRecord[];
}

/** Asks for all instances of a service, such as `_covey._tcp.local`. @param id 16 random bits */
export function encodeMdnsQuestion(id: number, service: string): Uint8Array {
  const labels = service.split(".");
  const nameBytes = labels.reduce((sum, label) => sum + 1 + label.length, 1);
  const message = new Uint8Array(headerBytes + nameBytes + 4);
  writeTwo(message, 0, id);
  writeTwo(message, 4, 1);
  let at = headerBytes;
  for (const label of labels) {
    message[at++] = label.length;
    for (let i = 0; i < label.length; i++) message[at++] = label.charCodeAt(i);
  }
  writeTwo(message, at + 1, recordType.ptr);
  writeTwo(message, at + 3, internet);
  return message;
}

/** @throws {MdnsError} */
export function decodeMdnsAnswer(message: Uint8Array): MdnsAnswer {
  const reader = new Message(message);
  const id = reader.two();
  const flags = reader.two();
  // A response to a standard query, whole, without an error.
  if ((flags & 0x8000) === 0 || (flags & 0x7a0f) !== 0) throw new MdnsError("not-an-answer", 2);
  const questions = reader.two();
  const count = reader.two() + reader.two() + reader.two();
  if (questions + count > mdnsLimits.recordsMax) throw new MdnsError("too-many", 4);
  for (let i = 0; i < questions; i++) {
    reader.nameText();
    reader.skip(4);
  }
  const records: MdnsRecord[] = [];
  for (let i = 0; i < count; i++) {
    const record = readOne(reader);
    if (record !== undefined) records.push(record);
  }
  return { id, records };
}

const headerBytes = 12;
const internet = 1;
/** In answers the highest bit of the class says that earlier records are to be forgotten (RFC 6762, section 10.2). */
const classMask = 0x7fff;

/** undefined for one of another kind. */
function readOne(reader: Message): MdnsRecord | undefined {
  const name = reader.nameText();
  const type = reader.two();
  const isInternet = (reader.two() & classMask) === internet;
  reader.skip(4);
  const length = reader.two();
  const end = reader.at + length;
  reader.need(length);
  const record = isInternet ? readData(reader, name, type, end) : undefined;
  if (record === undefined) reader.at = end;
  if (reader.at !== end) throw new MdnsError("record", end);
  return record;
}

function readData(reader: Message, name: string, type: number, end: number): MdnsRecord | undefined {
  switch (type) {
    case recordType.a: {
      const address = `${reader.one()}.${reader.one()}.${reader.one()}.${reader.one()}`;
      return { type: "a", name, address };
    }
    case recordType.ptr:
      return { type: "ptr", name, target: reader.nameText() };
    case recordType.srv: {
      // Priority and weight: every host is as good as another.
      reader.skip(4);
      const port = reader.two();
      return { type: "srv", name, target: reader.nameText(), port };
    }
    case recordType.txt:
      return { type: "txt", name, texts: reader.texts(end) };
    default:
      return undefined;
  }
}

class Message {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  need(count: number): void {
    if (this.at + count > this.#bytes.length) throw new MdnsError("truncated", this.#bytes.length);
  }

  skip(count: number): void {
    this.need(count);
    this.at += count;
  }

  one(): number {
    this.need(1);
    return this.#bytes[this.at++]!;
  }

  two(): number {
    return (this.one() << 8) | this.one();
  }

  /** A pointer leads further back each time, so that none leads in a circle (RFC 1035, section 4.1.4: to a prior name). */
  nameText(): string {
    let text = "";
    let after = -1;
    let before = this.at;
    for (let bytes = 1; ; ) {
      const length = this.one();
      if (length === 0) break;
      if (length >= pointer) {
        const to = ((length & 0x3f) << 8) | this.one();
        if (to >= before) throw new MdnsError("name", this.at - 2);
        if (after < 0) after = this.at;
        before = to;
        this.at = to;
        continue;
      }
      bytes += 1 + length;
      if (length > mdnsLimits.labelBytesMax || bytes > mdnsLimits.nameBytesMax) {
        throw new MdnsError("name", this.at - 1);
      }
      text += `${text === "" ? "" : "."}${this.characters(length)}`;
    }
    if (after >= 0) this.at = after;
    return text.toLowerCase();
  }

  /** RFC 6763, section 6.1. */
  texts(end: number): string[] {
    if (end - this.at > mdnsLimits.textBytesMax) throw new MdnsError("record", this.at);
    const texts: string[] = [];
    while (this.at < end) {
      const length = this.one();
      if (this.at + length > end) throw new MdnsError("record", this.at);
      if (length > 0) texts.push(this.characters(length));
    }
    return texts;
  }

  private characters(length: number): string {
    this.need(length);
    let text = "";
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.#bytes[this.at++]!);
    return text;
  }
}

const pointer = 0xc0;

function writeTwo(into: Uint8Array, at: number, value: number): void {
  into[at] = value >> 8;
  into[at + 1] = value & 0xff;
}

const sentences: Readonly<Record<MdnsFault, string>> = Object.freeze({
  truncated: "it ends in the middle.",
  "not-an-answer": "it is no whole answer.",
  name: "a name is none.",
  record: "a record has another length than it says.",
  "too-many": "it has more records than anybody needs.",
});
