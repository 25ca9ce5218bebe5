/**
 * A partition table in ESP-IDF's text form: `name, type, subtype, offset, size, flags`, a row a line; a line that begins with `#` is a comment. As `gen_esp32part.py` reads it:
 * there are no quotes, an empty offset is the next one that fits, a negative size says where the partition ends.
 */
import {
  type Partition,
  PartitionType,
  partitionTableOffset,
  subtypeName,
  subtypeOf,
  typeName,
} from "./partition-table.ts";

/** A row of the text can't be read; the message names the line. */
export class PartitionCsvError extends Error {
  override readonly name = "PartitionCsvError";
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`Line ${line} of the partition table ${problem}.`);
    this.line = line;
  }
}

/** @throws {PartitionCsvError} */
export function parsePartitionCsv(text: string): Partition[] {
  const partitions: Partition[] = [];
  let end = partitionTableOffset + 0x1000;
  for (const [i, line] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    const row = line.trim();
    if (row === "" || row.startsWith("#")) continue;
    const partition = readRow(row, i + 1, end);
    partitions.push(partition);
    if (partition.offsetBytes >= partitionTableOffset + 0x1000)
      end = partition.offsetBytes + partition.sizeBytes;
  }
  if (partitions.length === 0) throw new PartitionCsvError(1, "and all others hold no partition");
  return partitions;
}

/** Flags that have no word are left out, as ESP-IDF leaves them out. @throws {RangeError} for a name that a row can't hold */
export function formatPartitionCsv(partitions: readonly Partition[]): string {
  const rows = partitions.map(({ name, type, subtype, offsetBytes, sizeBytes, flags }) => {
    if (name === "" || name !== name.trim() || name.startsWith("#") || /[,\n]/.test(name)) {
      throw new RangeError(`The partition's name ${JSON.stringify(name)} can't be written into a row.`);
    }
    const words = flagNames.filter((_, bit) => (flags & (1 << bit)) !== 0).join(":");
    const kind = `${typeName(type)}, ${subtypeName(type, subtype)}`;
    return `${name}, ${kind}, ${hex(offsetBytes)}, ${hex(sizeBytes)}, ${words}`.trimEnd();
  });
  return `# Name, Type, SubType, Offset, Size, Flags\n${rows.join("\n")}\n`;
}

const flagNames = ["encrypted", "readonly"];
const undefinedSubtype = 0x06;

function readRow(text: string, line: number, end: number): Partition {
  const fail = (problem: string): never => {
    throw new PartitionCsvError(line, problem);
  };
  const row = text.split(",").map((field) => field.trim());
  const [name = "", kind = "", subkind = "", offset = "", size = "", words = ""] = row;
  if (name === "") fail("has no name");
  if (new TextEncoder().encode(name).length > 15) fail(`has the name ${name}, which is longer than 15 bytes`);
  const type = byteOf(kind, Object.hasOwn(PartitionType, kind) ? PartitionType[kind as "app"] : undefined);
  if (type === undefined)
    return fail(`has the type ${kind || "nothing"}, which is neither app, data nor 0 to 0xfe`);
  const isEmptyData = subkind === "" && type !== PartitionType.app;
  const subtype = isEmptyData ? undefinedSubtype : byteOf(subkind, subtypeOf(type, subkind));
  if (subtype === undefined) return fail(`has the subtype ${subkind || "nothing"}, which is not known`);
  const align = type === PartitionType.app ? 0x1_0000 : 0x1000;
  const offsetBytes = offset === "" ? Math.ceil(end / align) * align : numberOf(offset);
  if (offsetBytes === undefined) return fail(`has the offset ${offset}, which is no number of 32 bits`);
  const upTo = size.startsWith("-") ? numberOf(size.slice(1)) : undefined;
  const sizeBytes = upTo === undefined ? numberOf(size) : upTo - offsetBytes;
  if (sizeBytes === undefined || sizeBytes < 0 || offsetBytes + sizeBytes > 0xffff_ffff) {
    return fail(`has the size ${size || "nothing"}, which is no number of 32 bits`);
  }
  let flags = 0;
  for (const word of words.split(":").filter((each) => each !== "")) {
    const bit = flagNames.indexOf(word);
    if (bit < 0) fail(`has the flag ${word}, which is not known`);
    flags |= 1 << bit;
  }
  return { name, type, subtype, offsetBytes, sizeBytes, flags };
}

function byteOf(text: string, word: number | undefined): number | undefined {
  const number = word ?? numberOf(text);
  return number !== undefined && number <= 0xfe ? number : undefined;
}

/** Decimal, hexadecimal, or with K or M behind it; of 32 bits. */
function numberOf(text: string): number | undefined {
  const [, digits, unit] = /^(0x[0-9a-f]+|\d+)([km]?)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits) * ({ k: 1024, m: 1024 * 1024 }[unit!.toLowerCase()] ?? 1);
  return number <= 0xffff_ffff ? number : undefined;
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
