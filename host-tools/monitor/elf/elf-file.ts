/**
 * What a crash's addresses mean, by the ELF file that its firmware was linked as: function, offset in it, file and line.
 *
 * ELF 32-bit, little-endian, as ESP-IDF makes it for Xtensa and RISC-V: "System V ABI, Object Files".
 */
import { createHash } from "node:crypto";
import { ByteCursor } from "./byte-cursor.ts";
import { findLines, type SourceLine } from "./dwarf-lines.ts";
import { ElfError } from "./elf-error.ts";

export interface Place {
  readonly address: number;
  readonly function: string | undefined;
  /** From the function's start, in bytes. */
  readonly offsetBytes: number;
  readonly source: SourceLine | undefined;
}

export class ElfFile {
  readonly isRiscV: boolean;
  /** Of the whole file, in hexadecimal: what a firmware says that it was linked as. */
  readonly sha256: string;
  readonly #bytes: Uint8Array;
  readonly #sections: readonly Section[];
  /** By their address. */
  readonly #functions: readonly FunctionSymbol[];

  /** @throws {ElfError} */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const { machine, sections } = readHeader(bytes);
    this.isRiscV = machine === riscV;
    this.#sections = sections;
    this.#functions = readFunctions(bytes, sections);
    this.sha256 = createHash("sha256").update(bytes).digest("hex");
  }

  /** What is known of each address, in their order. */
  places(addresses: readonly number[]): Place[] {
    const part = (name: string) => this.#part(name);
    const lines = findLines(
      { line: part(".debug_line"), lineStr: part(".debug_line_str"), str: part(".debug_str") },
      addresses,
    );
    return addresses.map((address) => {
      const symbol = this.#functionAt(address);
      return {
        address,
        function: symbol?.name,
        offsetBytes: symbol === undefined ? 0 : address - symbol.address,
        source: lines.get(address),
      };
    });
  }

  isCode(address: number): boolean {
    return this.#codeAt(address) !== undefined;
  }

  /** The bytes of code before that address, `count` or less; empty when there is no code. */
  codeBefore(address: number, count: number): Uint8Array {
    const section = this.#codeAt(address - 1);
    if (section === undefined) return new Uint8Array(0);
    const end = section.offset + address - section.address;
    return this.#bytes.subarray(Math.max(section.offset, end - count), end);
  }

  #codeAt(address: number): Section | undefined {
    return this.#sections.find(
      ({ type, flags, address: from, size }) =>
        type === programBits && (flags & executable) !== 0 && address >= from && address < from + size,
    );
  }

  #functionAt(address: number): FunctionSymbol | undefined {
    let low = 0;
    let high = this.#functions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#functions[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#functions[low - 1];
    if (found === undefined) return undefined;
    // Some assembler code tells no size: then it reaches to the next function.
    const end = found.size > 0 ? found.address + found.size : (this.#functions[low]?.address ?? 0);
    return address < end ? found : undefined;
  }

  #part(name: string): Uint8Array {
    const section = this.#sections.find((each) => each.name === name && each.type !== noBits);
    return section === undefined
      ? new Uint8Array(0)
      : this.#bytes.subarray(section.offset, section.offset + section.size);
  }
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

interface FunctionSymbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
}

function readHeader(bytes: Uint8Array): { machine: number; sections: Section[] } {
  if (bytes.length < headerBytes || Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "\x7fELF")
    throw new ElfError("this is no ELF file");
  if (bytes[4] !== 1 || bytes[5] !== 1) throw new ElfError("this ELF file is not 32-bit little-endian");
  const header = new ByteCursor(bytes, 16);
  header.skip(2);
  const machine = header.u16();
  if (machine !== riscV && machine !== xtensa)
    throw new ElfError(`this ELF file is for machine ${machine}, no ESP32`);
  header.at = 32;
  const offset = header.u32();
  header.at = 46;
  const [size, count, names] = [header.u16(), header.u16(), header.u16()];
  if (size < sectionBytes) throw new ElfError("its section headers are too short");
  const raw = Array.from({ length: count }, (_, i) => readSection(bytes, offset + i * size));
  const nameTable = raw[names];
  if (nameTable === undefined) throw new ElfError("its sections have no names");
  return { machine, sections: raw.map((each) => ({ ...each, name: textAt(bytes, nameTable, each.nameAt) })) };
}

function readSection(bytes: Uint8Array, at: number): Omit<Section, "name"> & { readonly nameAt: number } {
  const cursor = new ByteCursor(bytes, at, sectionBytes);
  const [nameAt, type, flags, address] = [cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32()];
  const [offset, size, link] = [cursor.u32(), cursor.u32(), cursor.u32()];
  if (type !== noBits && offset + size > bytes.length) throw new ElfError("a section lies beyond its end");
  return { nameAt, type, flags, address, offset, size, link };
}

function readFunctions(bytes: Uint8Array, sections: readonly Section[]): FunctionSymbol[] {
  const table = sections.find(({ type }) => type === symbolTable);
  const names = table === undefined ? undefined : sections[table.link];
  if (table === undefined || names === undefined) return [];
  const functions: FunctionSymbol[] = [];
  const cursor = new ByteCursor(bytes, table.offset, table.size - (table.size % symbolBytes));
  while (!cursor.isAtEnd) {
    const [nameAt, address, size] = [cursor.u32(), cursor.u32(), cursor.u32()];
    const info = cursor.u8();
    cursor.skip(3);
    if ((info & 0xf) === functionType) functions.push({ name: textAt(bytes, names, nameAt), address, size });
  }
  return functions.sort((a, b) => a.address - b.address || a.size - b.size);
}

function textAt(bytes: Uint8Array, { offset, size, type }: Omit<Section, "name">, at: number): string {
  if (type === noBits || at >= size) return "";
  return new ByteCursor(bytes, offset + at, size - at).text();
}

const headerBytes = 52;
const sectionBytes = 40;
const symbolBytes = 16;
const [riscV, xtensa] = [243, 94];
const [programBits, symbolTable, noBits] = [1, 2, 8];
const executable = 4;
const functionType = 2;
