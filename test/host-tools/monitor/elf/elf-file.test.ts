/** The reader of ELF and DWARF against the toolchain's nm and addr2line, on a program of the same compiler. */
import { describe, expect, test } from "vitest";
import { ElfError } from "../../../../host-tools/monitor/elf/elf-error.ts";
import { ElfFile } from "../../../../host-tools/monitor/elf/elf-file.ts";
import { compileProgram } from "./crashing-program.ts";

describe.each([
  [5, "rv32imc"],
  [4, "rv32imac"],
  [3, "rv32im"],
  [2, "rv32imc"],
] as const)("DWARF %i, %s", (dwarf, march) => {
  test("names the function and line of every instruction as addr2line does", () => {
    const program = compileProgram(dwarf, march);
    const elf = new ElfFile(program.bytes);
    expect(elf.isRiscV).toBe(true);
    const first = program.functions.get("store_reading")!;
    const last = program.instruction("_start", /./) + 4;
    const addresses = Array.from({ length: (last - first) / 2 }, (_, i) => first + 2 * i);
    const names = [...program.functions].sort((a, b) => a[1] - b[1]);
    let lines = 0;
    for (const place of elf.places(addresses)) {
      const at = place.address.toString(16);
      const [name, start] = names.findLast(([, address]) => address <= place.address)!;
      expect([at, place.function, place.offsetBytes]).toEqual([at, name, place.address - start]);
      expect([at, `${place.source?.file}:${place.source?.line}`]).toEqual([at, program.line(place.address)]);
      lines++;
    }
    expect(lines).toBeGreaterThan(30);
    expect(elf.places([0x42100000, 0])).toMatchObject([
      { function: undefined, source: undefined },
      { function: undefined, source: undefined },
    ]);
  });
});

test("what is no ELF file of a chip, or cut off anywhere, is refused by name or read as far as it goes", () => {
  const { bytes } = compileProgram(5);
  expect(() => new ElfFile(Buffer.from("hello"))).toThrow("this is no ELF file");
  const other = Uint8Array.from(bytes);
  other[18] = 62;
  expect(() => new ElfFile(other)).toThrow("machine 62");
  const wide = Uint8Array.from(bytes);
  wide[4] = 2;
  expect(() => new ElfFile(wide)).toThrow("32-bit");
  for (let length = 0; length < bytes.length; length += 97) {
    try {
      new ElfFile(bytes.subarray(0, length)).places([0x42000024]);
    } catch (error) {
      expect(error).toBeInstanceOf(ElfError);
    }
  }
});
