/** Checks the types of a user's swarm.ts with the TypeScript that is there, the user's before Covey's own. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../bundler/bundle.ts";
import { runCommand } from "../simulator/xs-host/compiler.ts";

/** The swarm's types are wrong; a line each, `file:line: what`. */
export class TypeErrors extends Error {
  override readonly name = "TypeErrors";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * @returns the version of TypeScript that found nothing wrong; undefined where there is none (covey has read the file and
 *   checked all it says anyway)
 * @throws TypeErrors
 */
export async function checkTypes(file: string): Promise<string | undefined> {
  const compiler = findTypeScript(file);
  if (compiler === undefined) return undefined;
  const scratch = await mkdtemp(join(tmpdir(), "covey-types-"));
  try {
    const config = join(scratch, "tsconfig.json");
    await writeFile(config, JSON.stringify({ compilerOptions: options(), files: [file] }));
    const { code, output } = await runCommand(
      process.execPath,
      [compiler.program, "-p", config, "--pretty", "false"],
      scratch,
    );
    if (code !== 0) throw new TypeErrors(problemsIn(output, scratch));
    return compiler.version;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function findTypeScript(file: string): { readonly program: string; readonly version: string } | undefined {
  for (const from of [pathToFileURL(file), new URL(import.meta.url)]) {
    try {
      const require = createRequire(from);
      const manifest = require.resolve("typescript/package.json");
      const { version } = require(manifest) as { version: string };
      return { program: join(manifest, "../bin/tsc"), version };
    } catch {
      // not there: the next
    }
  }
  return undefined;
}

/** `covey` means this very Covey, as when the file is loaded. */
function options(): object {
  // The published package has the declarations only.
  const folder = join(import.meta.dirname, "../swarm-file");
  const api = ["api.d.ts", "api.ts"].map((name) => join(folder, name)).find((file) => existsSync(file))!;
  return {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    target: "es2024",
    lib: ["es2024"],
    module: "nodenext",
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    types: ["node"],
    typeRoots: [join(projectRoot, "node_modules/@types"), join(projectRoot, "../@types")],
    paths: { covey: [api] },
  };
}

/** `../a/swarm.ts(4,7): error TS2345: text`, continued on indented lines. */
function problemsIn(output: string, folder: string): string[] {
  const problems: string[] = [];
  for (const line of output.split("\n")) {
    const match = /^(.+)\((\d+),\d+\): error TS\d+: (.*)$/.exec(line);
    if (match) problems.push(`${join(folder, match[1]!)}:${match[2]}: ${match[3]}`);
  }
  return problems.length > 0 ? problems : [output.trim()];
}
