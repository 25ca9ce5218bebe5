/**
 * The source lines of a few addresses, from the line number programs of a firmware: DWARF 5, section 6.2, and versions 2 to 4 of it, which ESP-IDF still asks for.
 *
 * Every program is run once and nothing of it kept but what was asked for: a firmware has millions of rows, a crash some twenty addresses.
 */
import { ByteCursor } from "./byte-cursor.ts";
import { ElfError } from "./elf-error.ts";

export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

export interface DebugSections {
  readonly line: Uint8Array;
  readonly lineStr: Uint8Array;
  readonly str: Uint8Array;
}

/** Addresses that no program knows are not in it; a damaged program ends the search. */
export function findLines(sections: DebugSections, addresses: readonly number[]): Map<number, SourceLine> {
  const found = new Map<number, SourceLine>();
  const wanted = [...new Set(addresses)].sort((a, b) => a - b);
  const cursor = new ByteCursor(sections.line);
  try {
    while (!cursor.isAtEnd && wanted.length > 0) {
      const length = cursor.u32();
      if (length >= 0xfffffff0) return found;
      const unit = new ByteCursor(sections.line, cursor.at, length);
      cursor.skip(length);
      runProgram(readUnit(unit, sections), unit, wanted, found);
    }
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
  }
  return found;
}

interface Unit {
  readonly version: number;
  readonly instructionBytes: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** How many operands each standard opcode has. */
  readonly operands: readonly number[];
  file(index: number): string;
}

/** Section 6.2.4; leaves `cursor` at the program. */
function readUnit(cursor: ByteCursor, sections: DebugSections): Unit {
  const version = cursor.u16();
  if (version < 2 || version > 5) throw new ElfError(`line numbers of DWARF ${version}`);
  if (version === 5) cursor.skip(2);
  const headerLength = cursor.u32();
  const programAt = cursor.at + headerLength;
  const instructionBytes = cursor.u8();
  if (version >= 4) cursor.skip(1);
  cursor.skip(1);
  const [lineBase, lineRange, opcodeBase] = [cursor.i8(), cursor.u8(), cursor.u8()];
  if (lineRange === 0) throw new ElfError("a line range of 0");
  const operands = Array.from({ length: Math.max(0, opcodeBase - 1) }, () => cursor.u8());
  const file = version === 5 ? readTables(cursor, sections) : readOldTables(cursor);
  cursor.at = programAt;
  return { version, instructionBytes, lineBase, lineRange, opcodeBase, operands, file };
}

/** DWARF 2 to 4: folders and files one after the other, from 1; folder 0 is where the compiler ran. */
function readOldTables(cursor: ByteCursor): Unit["file"] {
  const folders: string[] = [""];
  for (let name = cursor.text(); name !== ""; name = cursor.text()) folders.push(name);
  const files: string[] = [""];
  for (let name = cursor.text(); name !== ""; name = cursor.text()) {
    files.push(joined(folders[cursor.uleb()], name));
    cursor.uleb();
    cursor.uleb();
  }
  return (index) => files[index] ?? "";
}

function readTables(cursor: ByteCursor, sections: DebugSections): Unit["file"] {
  const folders = readTable(cursor, sections).map(({ name }) => name);
  const files = readTable(cursor, sections);
  return (index) => {
    const file = files[index];
    return file === undefined ? "" : joined(folders[file.folder], file.name);
  };
}

function readTable(cursor: ByteCursor, sections: DebugSections): { name: string; folder: number }[] {
  const formats = Array.from({ length: cursor.u8() }, () => ({
    content: cursor.uleb(),
    form: cursor.uleb(),
  }));
  const count = cursor.uleb();
  const rows: { name: string; folder: number }[] = [];
  // A row of no fields takes no bytes: its number would be without bound.
  if (formats.length === 0) return rows;
  for (let i = 0; i < count; i++) {
    const row = { name: "", folder: 0 };
    for (const { content, form } of formats) {
      const value = readForm(cursor, form, sections);
      if (content === pathContent && typeof value === "string") row.name = value;
      if (content === folderContent && typeof value === "number") row.folder = value;
    }
    rows.push(row);
  }
  return rows;
}

/** Section 7.5.6: those that line tables use. */
function readForm(cursor: ByteCursor, form: number, { lineStr, str }: DebugSections): string | number {
  switch (form) {
    case 0x08:
      return cursor.text();
    case 0x1f:
      return new ByteCursor(lineStr, cursor.u32()).text();
    case 0x0e:
      return new ByteCursor(str, cursor.u32()).text();
    case 0x0f:
      return cursor.uleb();
    case 0x0b:
      return cursor.u8();
    case 0x05:
      return cursor.u16();
    case 0x06:
      return cursor.u32();
    case 0x1e:
      cursor.skip(16);
      return 0;
    case 0x09:
      cursor.skip(cursor.uleb());
      return 0;
    default:
      throw new ElfError(`form ${form} in a line table`);
  }
}

/** Section 6.2.5. A row holds up to the address of the next. */
function runProgram(
  unit: Unit,
  cursor: ByteCursor,
  wanted: readonly number[],
  found: Map<number, SourceLine>,
): void {
  let [address, file, line] = [0, 1, 1];
  let row: { address: number; file: number; line: number } | undefined;
  const begin = () => {
    [address, file, line] = [0, 1, 1];
    row = undefined;
  };
  const emit = (isEnd: boolean) => {
    // A function that the linker threw away stands at 0.
    if (row !== undefined && row.address > 0 && row.line > 0) {
      for (let i = firstFrom(wanted, row.address); i < wanted.length && wanted[i]! < address; i++) {
        if (!found.has(wanted[i]!)) found.set(wanted[i]!, { file: unit.file(row.file), line: row.line });
      }
    }
    if (isEnd) begin();
    else row = { address, file, line };
  };
  const advance = (operation: number) => {
    address = (address + operation * unit.instructionBytes) >>> 0;
  };
  while (!cursor.isAtEnd) {
    const opcode = cursor.u8();
    if (opcode >= unit.opcodeBase) {
      const adjusted = opcode - unit.opcodeBase;
      advance(Math.floor(adjusted / unit.lineRange));
      line += unit.lineBase + (adjusted % unit.lineRange);
      emit(false);
    } else if (opcode === 0) {
      const length = cursor.uleb();
      const next = cursor.at + length;
      const extended = length > 0 ? cursor.u8() : 0;
      if (extended === endSequence) emit(true);
      else if (extended === setAddress && length === 5) address = cursor.u32();
      cursor.at = next;
      if (next > cursor.end) throw new ElfError("a line program is cut off");
    } else if (opcode === copy) emit(false);
    else if (opcode === advancePc) advance(cursor.uleb());
    else if (opcode === advanceLine) line += cursor.sleb();
    else if (opcode === setFile) file = cursor.uleb();
    else if (opcode === constAddPc) advance(Math.floor((255 - unit.opcodeBase) / unit.lineRange));
    else if (opcode === fixedAdvancePc) address = (address + cursor.u16()) >>> 0;
    else for (let i = 0; i < unit.operands[opcode - 1]!; i++) cursor.uleb();
  }
}

function firstFrom(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function joined(folder: string | undefined, name: string): string {
  return folder === undefined || folder === "" || name.startsWith("/") ? name : `${folder}/${name}`;
}

const [pathContent, folderContent] = [1, 2];
const [endSequence, setAddress] = [1, 2];
const [copy, advancePc, advanceLine, setFile] = [1, 2, 3, 4];
const [constAddPc, fixedAdvancePc] = [8, 9];
