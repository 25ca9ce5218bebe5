/**
 * Builds the host: the XS engine's C sources (from the npm package @agoric/xsnap, compiled where they lie) and ours in
 * native/, into one binary. Done once; kept in the cache under the hash of everything that it is built from.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory, cacheKey } from "./cache.ts";
import { type Compiler, compilerTakes, findCompiler, runCommand } from "./compiler.ts";
import { makeOnce } from "./make-once.ts";

/** A host that is ready to run. */
export interface XsHost {
  readonly binary: string;
  /** Bytes of one XS slot: 16 as on the chip, 32 where only a 64-bit host could be built. */
  readonly slotBytes: 16 | 32;
  /** One line for the user where the host is not what the chip has. */
  readonly note?: string;
}

export interface BuildProgress {
  readonly filesDone: number;
  readonly filesTotal: number;
  /** 0 to 100, by size of source, the link included. */
  readonly percent: number;
  readonly file: string;
}

export interface BuildOptions {
  /** Called after each file. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** For CC, COVEY_CACHE, XDG_CACHE_HOME; process.env when left out. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** No C compiler answers: the caller falls back to the engine in process. */
export class NoCompiler extends Error {
  override readonly name = "NoCompiler";

  constructor() {
    super("no C compiler found: install gcc or clang, or set CC, to run boards in the XS engine");
  }
}

/** The compiler refused a source or the link. */
export class BuildFailed extends Error {
  override readonly name = "BuildFailed";
  readonly logFile: string;

  constructor(what: string, firstError: string, logFile: string) {
    super(
      `building the XS host failed at ${what}: ${firstError}; the compiler's whole output is in ${logFile}`,
    );
    this.logFile = logFile;
  }
}

const nativeDirectory = fileURLToPath(new URL("./native/", import.meta.url));

/** Parts of XS that a board's host has no use for: snapshots between machines, and source maps for the debugger. */
const UNUSED_SOURCES = new Set(["xsSnapshot.c", "xsSourceMap.c", "xsProfile.c"]);

const FEATURES = [
  "mxBoundsCheck",
  "mxMetering",
  "mxNoConsole",
  "mxParse",
  "mxRun",
  "mxSloppy",
  "mxStringNormalize",
];

const FLAGS = [
  // As fast as -O2 on boards' work, and built in 10 s instead of 18 (two cores).
  "-O1",
  // XS reads a slot through several types.
  "-fno-strict-aliasing",
  "-fno-common",
  "-D_GNU_SOURCE",
  "-DINCLUDE_XSPLATFORM",
  '-DXSPLATFORM="xs-platform.h"',
  ...FEATURES.map((feature) => `-D${feature}=1`),
];

interface Target {
  readonly slotBytes: 16 | 32;
  readonly flags: readonly string[];
  readonly note?: string;
}

/** x87 registers change the bits of a double that is only copied, and XS copies slots as doubles: hence SSE. */
const TARGET_32: Target = { slotBytes: 16, flags: ["-m32", "-msse2", "-mfpmath=sse"] };

const TARGET_64: Target = {
  slotBytes: 32,
  flags: [],
  note: "boards run in a 64-bit engine, so heap figures are not the chip's: install gcc-multilib for a 32-bit one",
};

/**
 * @returns the host, built now or found in the cache.
 * @throws NoCompiler, BuildFailed
 */
export async function buildXsHost(options: BuildOptions = {}): Promise<XsHost> {
  const environment = options.environment ?? process.env;
  const compiler = await findCompiler(environment);
  if (!compiler) throw new NoCompiler();
  const recipe = await readRecipe(compiler, cacheDirectory(environment));

  const cached32 = recipe.hostFor(TARGET_32);
  if (existsSync(cached32.binary)) return cached32;
  const target = (await compilerTakes(compiler, TARGET_32.flags)) ? TARGET_32 : TARGET_64;
  const host = recipe.hostFor(target);
  await makeOnce<BuildProgress>(
    host.binary,
    (tell) => build(compiler, recipe, target, host.binary, tell),
    options.onProgress,
  );
  return host;
}

interface Recipe {
  /** Absolute paths, largest first, so that the last to finish is small. */
  readonly sources: readonly { readonly path: string; readonly bytes: number }[];
  readonly includes: readonly string[];
  hostFor(target: Target): XsHost;
}

async function readRecipe(compiler: Compiler, cache: string): Promise<Recipe> {
  const xs = join(
    dirname(createRequire(import.meta.url).resolve("@agoric/xsnap/package.json")),
    "moddable",
    "xs",
  );
  const includes = [nativeDirectory, join(xs, "includes"), join(xs, "platforms"), join(xs, "sources")];
  const parts: (string | Uint8Array)[] = [compiler.command, compiler.version, ...FLAGS];
  const sources: { path: string; bytes: number }[] = [];
  for (const directory of includes) {
    for (const name of (await readdir(directory)).sort()) {
      if (!/\.[ch]$/.test(name) || UNUSED_SOURCES.has(name)) continue;
      const path = join(directory, name);
      const content = await readFile(path);
      parts.push(name, content);
      if (name.endsWith(".c")) sources.push({ path, bytes: content.length });
    }
  }
  sources.sort((a, b) => b.bytes - a.bytes);
  return {
    sources,
    includes,
    hostFor: ({ slotBytes, flags, note }) => ({
      binary: join(cache, `xs-host-${cacheKey([...parts, ...flags])}`),
      slotBytes,
      ...(note ? { note } : {}),
    }),
  };
}

async function build(
  compiler: Compiler,
  { sources, includes }: Recipe,
  target: Target,
  binary: string,
  tell: (progress: BuildProgress) => void,
): Promise<void> {
  const directory = await mkdtemp(`${binary}-building-`);
  const flags = [...target.flags, ...FLAGS, ...includes.map((path) => `-I${path}`)];
  const bytesTotal = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const queue = [...sources];
  let bytesDone = 0;
  let filesDone = 0;
  const report = (file: string) =>
    tell({
      filesDone,
      filesTotal: sources.length,
      percent: Math.floor((bytesDone / bytesTotal) * 99),
      file,
    });

  const compile = async (words: readonly string[], what: string) => {
    const { code, output } = await runCommand(compiler.command, words);
    if (code === 0) return;
    queue.length = 0; // nothing more is worth compiling
    const logFile = `${binary}.log`;
    await writeFile(logFile, `${compiler.command} ${words.join(" ")}\n\n${output}`);
    throw new BuildFailed(what, firstError(output), logFile);
  };
  const objectOf = (path: string) => join(directory, `${basename(path, ".c")}.o`);

  try {
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const warnings = next.path.startsWith(nativeDirectory) ? ["-Wall", "-Wextra"] : ["-w"];
        await compile(
          [...warnings, ...flags, "-c", next.path, "-o", objectOf(next.path)],
          basename(next.path),
        );
        bytesDone += next.bytes;
        filesDone += 1;
        report(basename(next.path));
      }
    };
    const workers = Array.from({ length: Math.min(availableParallelism(), sources.length) }, worker);
    for (const outcome of await Promise.allSettled(workers)) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
    const linked = join(directory, "covey-xs");
    await compile(
      [...target.flags, "-o", linked, ...sources.map(({ path }) => objectOf(path)), "-lm"],
      "the link",
    );
    await rename(linked, binary);
    tell({ filesDone, filesTotal: filesDone, percent: 100, file: "covey-xs" });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function firstError(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  return (
    lines.find((line) => /\berror\b|undefined reference/i.test(line)) ??
    lines.find((line) => line) ??
    "no message"
  );
}
