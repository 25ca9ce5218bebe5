import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A C compiler of this machine. */
export interface Compiler {
  /** The command, as in `$CC` or found by name. */
  readonly command: string;
  /** Its own words, first line. */
  readonly version: string;
}

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command to its end; stdout and stderr together. @throws when it can't be started. */
export function runCommand(command: string, words: readonly string[], cwd?: string): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], ...(cwd ? { cwd } : {}) });
    let output = "";
    const keep = (chunk: Buffer) => {
      if (output.length < 1_000_000) output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** The first that answers of `$CC`, cc, gcc and clang. */
export async function findCompiler(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Compiler | undefined> {
  const candidates = environment.CC ? [environment.CC] : ["cc", "gcc", "clang"];
  for (const command of candidates) {
    try {
      const { code, output } = await runCommand(command, ["--version"]);
      if (code === 0) return { command, version: output.split("\n")[0]!.trim() };
    } catch {
      // not there: the next
    }
  }
  return undefined;
}

/** Whether a small program compiles and links with these flags (a compiler may take -m32 and lack the libraries). */
export async function compilerTakes(compiler: Compiler, flags: readonly string[]): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), "covey-cc-"));
  try {
    const source = join(directory, "probe.c");
    await writeFile(
      source,
      '#include <math.h>\n#include <stdio.h>\nint main(int c, char** v) { (void)v; return printf("%f", sin(c)) < 0; }\n',
    );
    const { code } = await runCommand(compiler.command, [
      ...flags,
      source,
      "-o",
      join(directory, "probe"),
      "-lm",
    ]);
    return code === 0;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
