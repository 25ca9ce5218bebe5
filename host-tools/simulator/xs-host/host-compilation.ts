/**
 * Compiles and links a host: the XS engine's C sources (from the npm package @agoric/xsnap, compiled where they lie) and
 * ours in native/, for one target, into one binary. Kept in the cache under the hash of everything that it is built from.
 */
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory, cacheKey } from "./cache.ts";
import { type Compiler, runCommand } from "./compiler.ts";
import { makeOnce } from "./make-once.ts";

/** What a host is compiled for. */
export interface HostTarget {
  /** Begins the binary's name. */
  readonly name: string;
  /** The file in native/ that is this target's operating system. */
  readonly system: string;
  readonly compileFlags: readonly string[];
  readonly linkFlags: readonly string[];
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
  // XS reads a slot through several types.
  "-fno-strict-aliasing",
  "-fno-common",
  "-D_GNU_SOURCE",
  "-DINCLUDE_XSPLATFORM",
  '-DXSPLATFORM="xs-platform.h"',
  ...FEATURES.map((feature) => `-D${feature}=1`),
];

/** The host for one target: where it is or will be, and how it comes there. */
export interface HostRecipe {
  readonly binary: string;
  /** Builds the binary unless it is there, or waits for another process that does. @throws BuildFailed */
  build(onProgress?: (progress: BuildProgress) => void): Promise<void>;
}

/** Reads what a host for `target` is made of. */
export async function hostRecipe(
  compiler: Compiler,
  target: HostTarget,
  environment: NodeJS.ProcessEnv,
): Promise<HostRecipe> {
  const xs = join(
    dirname(createRequire(import.meta.url).resolve("@agoric/xsnap/package.json")),
    "moddable",
    "xs",
  );
  const includes = [nativeDirectory, join(xs, "includes"), join(xs, "platforms"), join(xs, "sources")];
  const { name: targetName, compileFlags, linkFlags } = target;
  const parts: (string | Uint8Array)[] = [compiler.command, compiler.version, ...compileFlags, ...FLAGS];
  parts.push(...linkFlags);
  const sources: Source[] = [];
  for (const directory of includes) {
    for (const name of (await readdir(directory)).sort()) {
      if (!/\.[ch]$/.test(name) || UNUSED_SOURCES.has(name)) continue;
      if (/^os-.*\.c$/.test(name) && name !== target.system) continue;
      const path = join(directory, name);
      const content = await readFile(path);
      parts.push(name, content);
      if (name.endsWith(".c")) sources.push({ path, bytes: content.length });
    }
  }
  sources.sort((a, b) => b.bytes - a.bytes);
  const binary = join(cacheDirectory(environment), `${targetName}-${cacheKey(parts)}`);
  return {
    binary,
    build: (onProgress) =>
      makeOnce<BuildProgress>(
        binary,
        (tell) => build(compiler, target, sources, includes, binary, tell),
        onProgress,
      ),
  };
}

/** Largest first, so that the last to finish is small. */
interface Source {
  readonly path: string;
  readonly bytes: number;
}

async function build(
  compiler: Compiler,
  target: HostTarget,
  sources: readonly Source[],
  includes: readonly string[],
  binary: string,
  tell: (progress: BuildProgress) => void,
): Promise<void> {
  const directory = await mkdtemp(`${binary}-building-`);
  const flags = [...target.compileFlags, ...FLAGS, ...includes.map((path) => `-I${path}`)];
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
      [...target.linkFlags, "-o", linked, ...sources.map(({ path }) => objectOf(path)), "-lm"],
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
