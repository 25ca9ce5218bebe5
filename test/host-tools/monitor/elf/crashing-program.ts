/** A RISC-V program of the toolchain that the tests need anyway, and what the toolchain's own tools say of it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface CrashingProgram {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** By nm. */
  readonly functions: ReadonlyMap<string, number>;
  /** Where an instruction of that function is, by objdump: the n-th whose text fits. */
  instruction(name: string, text: RegExp): number;
  /** The address behind it: where it returns to. */
  after(name: string, text: RegExp): number;
  /** File and line, by addr2line. */
  line(address: number): string;
}

/** As at the C3's place for code in flash. @param dwarf 2 to 5 */
export function compileProgram(dwarf: number, march = "rv32imc"): CrashingProgram {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "covey-elf-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "firmware.elf");
  writeFileSync(join(folder, "sensing.c"), source);
  const flags = [
    "-g",
    `-gdwarf-${dwarf}`,
    "-gstrict-dwarf",
    "-Os",
    `-march=${march}`,
    "-mabi=ilp32",
    "-nostdlib",
    "-ffreestanding",
  ];
  run("gcc", [...flags, "-Wl,-Ttext=0x42000020", join(folder, "sensing.c"), "-o", file]);
  const functions = new Map<string, number>();
  for (const [, address, name] of run("nm", [file]).matchAll(/^([0-9a-f]{8}) T (\w+)$/gm))
    functions.set(name!, Number.parseInt(address!, 16));
  const listing = run("objdump", ["-d", file]);
  const listed = (name: string) => {
    const part = listing.split(/\n(?=[0-9a-f]{8} <)/).find((each) => each.includes(`<${name}>:`))!;
    return [...part.matchAll(/^([0-9a-f]{8}):\s+[0-9a-f]+\s+(.*)$/gm)].map(([, at, text]) => ({
      address: Number.parseInt(at!, 16),
      text: text!,
    }));
  };
  const index = (name: string, text: RegExp) => listed(name).findIndex((each) => text.test(each.text));
  return {
    file,
    bytes: readFileSync(file),
    functions,
    instruction: (name, text) => listed(name)[index(name, text)]!.address,
    after: (name, text) => listed(name)[index(name, text) + 1]!.address,
    line: (address) =>
      run("addr2line", ["-e", file, `0x${address.toString(16)}`])
        .trim()
        .replace(/ \(.*\)$/, ""),
  };
}

function run(tool: string, words: readonly string[]): string {
  return execFileSync(`riscv64-unknown-elf-${tool}`, words, { encoding: "utf8" });
}

const source = `volatile int *where;

__attribute__((noinline)) int store_reading(int value)
{
	int doubled = value * 2;
	*where = doubled;
	return doubled + 1;
}

__attribute__((noinline)) int take_samples(int count)
{
	int sum = 0;
	for (int i = 0; i < count; i++)
		sum += store_reading(i);
	return sum;
}

__attribute__((noinline)) void app_main(void)
{
	take_samples(3);
	__asm__ volatile("nop");
}

void _start(void)
{
	app_main();
	for (;;)
		__asm__ volatile("nop");
}
`;
