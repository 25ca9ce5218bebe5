/** A partition table in ESP-IDF's text form: `name, type, subtype, offset, size, flags`, a row a line, `#` begins a comment. */
import { parse } from "csv-parse/sync";
import {
  type Partition,
  PartitionType,
  partitionTableOffset,
  subtypeName,
  subtypeOf,
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

/** An empty offset is the next one that fits. @throws {PartitionCsvError} */
export function parsePartitionCsv(text: string): Partition[] {
  const partitions: Partition[] = [];
  let end = partitionTableOffset + 0x1000;
  for (const [i, line] of text.split("\n").entries()) {
    const [row] = parse(line, {
      trim: true,
      comment: "#",
      relax_column_count: true,
      skip_empty_lines: true,
    }) as string[][];
    if (row === undefined) continue;
    const partition = readRow(row, i + 1, end);
    partitions.push(partition);
    end = partition.offsetBytes + partition.sizeBytes;
  }
  return partitions;
}

export function formatPartitionCsv(partitions: readonly Partition[]): string {
  const rows = partitions.map(({ name, type, subtype, offsetBytes, sizeBytes, flags }) => {
    const kind = Object.entries(PartitionType).find(([, number]) => number === type)?.[0] ?? hex(type);
    const words = flagNames.filter((_, bit) => (flags & (1 << bit)) !== 0).join(":");
    return `${name}, ${kind}, ${subtypeName(type, subtype)}, ${hex(offsetBytes)}, ${hex(sizeBytes)}, ${words}`.trimEnd();
  });
  return `# Name, Type, SubType, Offset, Size, Flags\n${rows.join("\n")}\n`;
}

const flagNames = ["encrypted", "readonly"];

function readRow(row: readonly string[], line: number, end: number): Partition {
  const [name = "", kind = "", subkind = "", offset = "", size = "", words = ""] = row;
  const type = Object.hasOwn(PartitionType, kind)
    ? PartitionType[kind as keyof typeof PartitionType]
    : numberOf(kind);
  if (name === "" || type === undefined)
    throw new PartitionCsvError(line, "has no name, or a type that is neither app, data nor a number");
  const subtype = subtypeOf(type, subkind);
  if (subtype === undefined)
    throw new PartitionCsvError(line, `has the subtype ${subkind}, which is not known`);
  const align = type === PartitionType.app ? 0x1_0000 : 0x1000;
  const offsetBytes = offset === "" ? Math.ceil(end / align) * align : numberOf(offset);
  const sizeBytes = numberOf(size);
  if (offsetBytes === undefined || sizeBytes === undefined) {
    throw new PartitionCsvError(line, `has an offset or a size that is no number: ${offset} ${size}`);
  }
  let flags = 0;
  for (const word of words.split(":").filter((each) => each !== "")) {
    const bit = flagNames.indexOf(word);
    if (bit < 0) throw new PartitionCsvError(line, `has the flag ${word}, which is not known`);
    flags |= 1 << bit;
  }
  return { name, type, subtype, offsetBytes, sizeBytes, flags };
}

/** Decimal, hexadecimal, or with K or M behind it. */
function numberOf(text: string): number | undefined {
  const [, digits, unit] = /^(0x[0-9a-f]+|\d+)([km]?)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * ({ k: 1024, m: 1024 * 1024 }[unit!.toLowerCase()] ?? 1);
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
