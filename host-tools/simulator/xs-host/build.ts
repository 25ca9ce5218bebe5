/** Builds the host that runs boards on this computer: once, then it comes from the cache. */
import { existsSync } from "node:fs";
import { compilerTakes, findCompiler } from "./compiler.ts";
import { type BuildOptions, type HostTarget, hostRecipe } from "./host-compilation.ts";

export { BuildFailed, type BuildOptions, type BuildProgress } from "./host-compilation.ts";

/** A host that is ready to run. */
export interface XsHost {
  readonly binary: string;
  /** Bytes of one XS slot: 16 as on the chip, 32 where only a 64-bit host could be built. */
  readonly slotBytes: 16 | 32;
  /** One line for the user where the host is not what the chip has. */
  readonly note?: string;
  /** How it is started with these arguments, where the binary is for another machine. */
  readonly start?: (words: readonly string[]) => HostCommand;
}

export interface HostCommand {
  readonly command: string;
  readonly words: readonly string[];
  readonly folder: string;
}

/** No C compiler answers: the caller falls back to the engine in process. */
export class NoCompiler extends Error {
  override readonly name = "NoCompiler";

  constructor() {
    super("no C compiler found: install gcc or clang, or set CC, to run boards in the XS engine");
  }
}

function desktopTarget(machineFlags: readonly string[]): HostTarget {
  return {
    name: "xs-host",
    system: "os-posix.c",
    // As fast as -O2 on boards' work, and built in 10 s instead of 18 (two cores).
    compileFlags: ["-O1", ...machineFlags],
    linkFlags: machineFlags,
  };
}

/** x87 registers change the bits of a double that is only copied, and XS copies slots as doubles: hence SSE. */
const TARGET_32 = desktopTarget(["-m32", "-msse2", "-mfpmath=sse"]);

const TARGET_64 = desktopTarget([]);

const NOTE_64 =
  "boards run in a 64-bit engine, so heap figures are not the chip's: install gcc-multilib for a 32-bit one";

/**
 * @returns the host, built now or found in the cache.
 * @throws NoCompiler, BuildFailed
 */
export async function buildXsHost(options: BuildOptions = {}): Promise<XsHost> {
  const environment = options.environment ?? process.env;
  const compiler = await findCompiler(environment);
  if (!compiler) throw new NoCompiler();
  const recipe32 = await hostRecipe(compiler, TARGET_32, environment);
  if (existsSync(recipe32.binary)) return { binary: recipe32.binary, slotBytes: 16 };
  if (await compilerTakes(compiler, TARGET_32.linkFlags)) {
    await recipe32.build(options.onProgress);
    return { binary: recipe32.binary, slotBytes: 16 };
  }
  const { binary, build } = await hostRecipe(compiler, TARGET_64, environment);
  await build(options.onProgress);
  return { binary, slotBytes: 32, note: NOTE_64 };
}
