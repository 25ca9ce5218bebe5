/** Reads a user's `swarm.ts`: runs it once, under Node's own type stripping, and compiles what it exports. */
import { readFileSync, statSync } from "node:fs";
import { registerHooks } from "node:module";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { loadBoards } from "../boards/boards.ts";
import { stackPlaces } from "./call-site.ts";
import { compileSwarm } from "./compile.ts";
import type { SwarmDefinition } from "./definition.ts";
import { type Diagnostic, SwarmFileError, SwarmFileMissingError } from "./diagnostics.ts";

/**
 * Loads and checks the swarm in `path`: a file, or a folder with a `swarm.ts`; not said, this folder's, and in Covey's own
 * the greenhouse of its examples. Throws `SwarmFileError` with file and line
 * of each mistake, `SwarmFileMissingError` when there is nothing. What the file prints goes to stderr.
 */
export async function loadSwarm(path = defaultSwarmPath()): Promise<SwarmDefinition> {
  const file = swarmFile(path);
  const exported = await importUserFile(file);
  return compileSwarm(exported, file, loadBoards());
}

/** Where a swarm is looked for when none is named; it need not be there. */
export function defaultSwarmPath(): string {
  const coveyFolder = fileURLToPath(new URL("../..", import.meta.url));
  return resolve(coveyFolder) === process.cwd() ? "examples/greenhouse/swarm.ts" : "swarm.ts";
}

function swarmFile(path: string): string {
  const given = resolve(path);
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(given, "swarm.ts") : given;
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new SwarmFileMissingError(file);
  return file;
}

async function importUserFile(file: string): Promise<unknown> {
  const url = pathToFileURL(file).href;
  const hooks = resolveCoveyTo(new URL("./api.ts", import.meta.url).href, url);
  const write = process.stdout.write;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  try {
    return ((await import(url)) as { default?: unknown }).default;
  } catch (thrown) {
    throw new SwarmFileError([await diagnose(thrown, file)]);
  } finally {
    process.stdout.write = write;
    hooks.deregister();
  }
}

/**
 * The user's `import ... from "covey"` means this very Covey, whatever is or is not installed beside the file, so that
 * the words and their compiler are always of one version. The file is an ES module, whatever its package.json says.
 */
function resolveCoveyTo(api: string, userUrl: string) {
  return registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "covey") return { url: api, shortCircuit: true };
      const resolved = next(specifier, context);
      return resolved.url === userUrl && userUrl.endsWith(".ts")
        ? { ...resolved, format: "module-typescript" }
        : resolved;
    },
  });
}

/** Where in the user's files an import went wrong, and why, in a sentence. */
async function diagnose(thrown: unknown, file: string): Promise<Diagnostic> {
  if (!(thrown instanceof Error)) return { file, line: undefined, text: `threw ${String(thrown)}.` };
  const place = placeOf(thrown) ?? { file, line: undefined };
  if (thrown instanceof SyntaxError)
    return (await parseError(place.file)) ?? { ...place, text: sentence(headline(thrown)) };
  if ((thrown as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return missingModule(thrown, file);
  return { ...place, text: `${thrown.name}: ${sentence(headline(thrown))}` };
}

/** The first place in the stack that is the user's, which for a syntax error is the line that does not parse. */
function placeOf({ stack = "" }: Error): { file: string; line: number } | undefined {
  const ownFolder = new URL("./", import.meta.url).href;
  const place = stackPlaces(stack).find(({ url }) => {
    return !url.startsWith(ownFolder) && !url.includes("/node_modules/");
  });
  return place && { file: fileURLToPath(place.url), line: place.line };
}

/** esbuild says in plain words, with the line, what it expected; undefined when it finds nothing wrong. */
async function parseError(file: string): Promise<Diagnostic | undefined> {
  try {
    await transform(readFileSync(file, "utf8"), { loader: "ts", logLevel: "silent" });
    return undefined;
  } catch (failure) {
    const { text, location } = (failure as { errors: { text: string; location: { line: number } | null }[] })
      .errors[0]!;
    return { file, line: location?.line, text: `${text}.` };
  }
}

/** Node names the importing file and the resolved path, but neither the line nor what the user wrote. */
function missingModule(error: Error, file: string): Diagnostic {
  const [, missing = "?", importer = file] =
    /^Cannot find (?:module|package) '([^']+)' imported from (.+)$/.exec(headline(error)) ?? [];
  const from = importer.startsWith("file:") ? fileURLToPath(importer) : importer;
  const name = basename(missing);
  for (const [i, line] of readFileSync(from, "utf8").split("\n").entries()) {
    const specifier = /(?:from|import)\s*\(?\s*["']([^"']+)["']/.exec(line)?.[1];
    if (specifier?.endsWith(name)) {
      return { file: from, line: i + 1, text: `there is no module "${specifier}" to import.` };
    }
  }
  return { file: from, line: undefined, text: `there is no module "${missing}" to import.` };
}

function headline(error: Error): string {
  return error.message.split("\n").find((text) => text.trim() !== "") ?? error.name;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
