import { existsSync, renameSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { XsHost } from "./build.ts";
import { cacheKey } from "./cache.ts";
import { runCommand } from "./compiler.ts";

/** Compiled modules that stay in the cache, the newest. */
export const MODULES_KEPT = 512;

/** The module's source does not parse as an ES module of XS's edition. */
export class ModuleSyntaxError extends Error {
  override readonly name = "ModuleSyntaxError";
  readonly module: string;
  /** 1-based; 0 when the compiler knows none. */
  readonly line: number;

  constructor(module: string, line: number, reason: string) {
    super(`${module}:${line}: ${reason}`);
    this.module = module;
    this.line = line;
  }
}

/**
 * Compiles an ES module's source to bytecode for `host`.
 * @returns the bytecode file's path, beside the host's binary in the cache.
 * @throws ModuleSyntaxError
 */
export async function compileModule(host: XsHost, name: string, source: string): Promise<string> {
  // The binary's name is the hash of what it is built from.
  const path = join(dirname(host.binary), `${cacheKey([basename(host.binary), name, source])}.xsb`);
  if (existsSync(path)) return path;
  const workplace = await mkdtemp(`${path}-`);
  try {
    const input = join(workplace, "module.js");
    const output = join(workplace, "module.xsb");
    await writeFile(input, source);
    const { code, output: said } = await runCommand(host.binary, ["compile", name, input, output]);
    if (code !== 0) throw readSyntaxError(name, said);
    await rename(output, path);
    await forgetOldModules(dirname(path));
    return path;
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
}

/**
 * Keeps bytecode that came from elsewhere where `host` can run it from.
 * @returns its path, beside the host's binary in the cache
 */
export function keepModule(host: XsHost, bytecode: Uint8Array): string {
  const path = join(dirname(host.binary), `${cacheKey([basename(host.binary), bytecode])}.xsb`);
  if (existsSync(path)) return path;
  const staged = `${path}-${process.pid}`;
  writeFileSync(staged, bytecode);
  renameSync(staged, path);
  return path;
}

/** Keeps the cache bounded: an edit of the firmware leaves two modules behind. */
async function forgetOldModules(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".xsb"));
  if (names.length <= MODULES_KEPT) return;
  const dated = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      // Another process may have forgotten it meanwhile.
      return { path, mtimeMs: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  dated.sort((a, b) => b.mtimeMs - a.mtimeMs);
  await Promise.all(dated.slice(MODULES_KEPT).map(({ path }) => rm(path, { force: true })));
}

function readSyntaxError(name: string, said: string): Error {
  const match = /:(\d+): (.*)/.exec(said);
  if (!match) return new Error(said.trim() || `${name}: the XS host's compiler ended without a word`);
  return new ModuleSyntaxError(name, Number(match[1]), match[2]!);
}
