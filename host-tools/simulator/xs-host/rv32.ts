/**
 * The host on the chip's own instruction set: bare-metal rv32imac, an ESP32-C3's, under QEMU. Slow, and exact: it counts the
 * instructions of each turn, so what a board's work costs can be asserted. Bytecode is the desktop host's: both have
 * 16-byte slots, 2-byte name positions and little-endian numbers.
 */
import { basename, dirname, isAbsolute, relative } from "node:path";
import type { HostCommand, XsHost } from "./build.ts";
import { type Compiler, runCommand } from "./compiler.ts";
import { type BuildOptions, type HostTarget, hostRecipe } from "./host-compilation.ts";

export const RV32_COMPILER = "riscv64-unknown-elf-gcc";
export const RV32_EMULATOR = "qemu-system-riscv32";

/** The cross compiler does not answer. */
export class NoRv32Compiler extends Error {
  override readonly name = "NoRv32Compiler";

  constructor() {
    super(
      `${RV32_COMPILER} is not there: install gcc-riscv64-unknown-elf, picolibc-riscv64-unknown-elf and qemu-system-misc`,
    );
  }
}

/** The C library's release build copies memory by words, as a chip's does; its other one, made small, by bytes. */
const MACHINE_FLAGS = [
  ...["-march=rv32imac", "-mabi=ilp32"],
  ...["--specs=picolibc.specs", "--picolibc-buildtype=release"],
];

/** QEMU's `virt` machine has its memory at 0x80000000: 4 MB for code, the rest for data, its last MB for the native stack. */
const MEMORY_BYTES = 128 * 1024 * 1024;
const MEMORY_MAP = {
  __flash: 0x8000_0000,
  __flash_size: 0x40_0000,
  __ram: 0x8040_0000,
  __ram_size: MEMORY_BYTES - 0x40_0000,
  __heap_end: 0x8000_0000 + MEMORY_BYTES - 0x10_0000,
};

const TARGET: HostTarget = {
  name: "xs-host-rv32",
  system: "os-rv32.c",
  // -Os as the SDK compiles XS for a chip.
  compileFlags: [...MACHINE_FLAGS, "-Os", "-ffunction-sections", "-fdata-sections"],
  linkFlags: [
    ...MACHINE_FLAGS,
    "--oslib=semihost",
    "--crt0=semihost",
    ...Object.entries(MEMORY_MAP).map(([symbol, value]) => `-Wl,--defsym=${symbol}=${value}`),
  ],
};

/**
 * @returns the host, built now or found in the cache.
 * @throws NoRv32Compiler, BuildFailed
 */
export async function buildRv32Host(options: BuildOptions = {}): Promise<XsHost> {
  const recipe = await hostRecipe(await rv32Compiler(), TARGET, options.environment ?? process.env);
  await recipe.build(options.onProgress);
  const { binary } = recipe;
  return { binary, slotBytes: 16, start: (words) => emulate(binary, words) };
}

async function rv32Compiler(): Promise<Compiler> {
  const { code, output } = await runCommand(RV32_COMPILER, ["--version"]).catch(() => ({
    code: null,
    output: "",
  }));
  if (code !== 0) throw new NoRv32Compiler();
  return { command: RV32_COMPILER, version: output.split("\n")[0]!.trim() };
}

/** One instruction a nanosecond of the machine's time, so that its counter of instructions is exact. */
function emulate(binary: string, words: readonly string[]): HostCommand {
  const folder = dirname(binary);
  // The machine gets its arguments as one line, cut at spaces: paths from the cache's own folder have none.
  const local = words.map((word) => (isAbsolute(word) ? relative(folder, word) : word));
  const semihosting = ["enable=on", "target=native", ...local.map((word) => `arg=${word}`)].join(",");
  return {
    command: RV32_EMULATOR,
    words: [
      ...["-machine", "virt", "-m", `${MEMORY_BYTES}B`, "-bios", "none"],
      ...["-display", "none", "-monitor", "none", "-serial", "none"],
      ...["-icount", "shift=0", "-semihosting-config", semihosting, "-kernel", basename(binary)],
    ],
    folder,
  };
}
