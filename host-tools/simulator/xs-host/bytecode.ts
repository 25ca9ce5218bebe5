import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { XsHost } from "./build.ts";
import { cacheKey } from "./cache.ts";
import { runCommand } from "./compiler.ts";

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
    return path;
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
}

/** Bytes of a compiled module, for the board's budget. */
export async function bytecodeBytes(path: string): Promise<number> {
  return (await readFile(path)).length;
}

function readSyntaxError(name: string, said: string): Error {
  const match = /:(\d+): (.*)/.exec(said);
  if (!match) return new Error(said.trim() || `${name}: the XS host's compiler ended without a word`);
  return new ModuleSyntaxError(name, Number(match[1]), match[2]!);
}
