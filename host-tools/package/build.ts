/**
 * Writes the package as it is published: plain JavaScript, because Node strips no types under node_modules.
 *
 *     node host-tools/package/build.ts FOLDER && npm pack FOLDER
 *
 * The JavaScript is what `tsc` makes of each file, in the same tree, with `.ts` in imports turned into `.js`. The firmware and the
 * protocols are there as TypeScript too: the bundler makes a board's image from them on the user's computer.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { packageManifest } from "./manifest.ts";
import { runTypeScript } from "./run-typescript.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Copied as they are; of `host-tools/` only what is no TypeScript. */
const copied = ["boards", "examples", "firmware", "protocols", "manifest.json", "README.md", "LICENSE"];
const apiFile = "host-tools/swarm-file/api.ts";

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const [folder, ...rest] = words;
  if (folder === undefined || rest.length > 0) return fail("Usage: node host-tools/package/build.ts FOLDER");
  const target = resolve(folder);
  if (!(await isEmpty(target))) return fail(`${target} is not empty; name a new folder.`);
  try {
    await writePackage(target);
    console.log(`${target} can be packed: npm pack ${folder}`);
  } catch (error) {
    fail((error as Error).message);
  }
}

async function writePackage(target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await compile(target);
  for (const name of copied) await cp(join(root, name), join(target, name), { recursive: true });
  await cp(join(root, "host-tools"), join(target, "host-tools"), {
    recursive: true,
    filter: (path) => !path.endsWith(".ts") && relative(root, path) !== join("host-tools", "package"),
  });
  await rewriteReferences(join(target, "host-tools"));
  const manifest = packageManifest(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
  await writeFile(join(target, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** JavaScript of all host tools and of what they import; declarations of the API that users import. */
async function compile(target: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "covey-package-"));
  const shared = {
    noEmit: false,
    outDir: target,
    rootDir: root,
    rewriteRelativeImportExtensions: true,
    typeRoots: [join(root, "node_modules/@types")],
  };
  try {
    await runTypeScript(root, join(scratch, "javascript.json"), {
      extends: join(root, "tsconfig.json"),
      compilerOptions: shared,
      include: [join(root, "host-tools")],
      exclude: [join(root, "host-tools/package")],
    });
    await runTypeScript(root, join(scratch, "declarations.json"), {
      extends: join(root, "tsconfig.json"),
      compilerOptions: { ...shared, declaration: true, emitDeclarationOnly: true },
      include: [],
      files: [join(root, apiFile)],
    });
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/**
 * What `tsc` leaves: `new URL("./x.ts", import.meta.url)` and the imports of plain JavaScript and of declarations. A file
 * that is named so and is not there would only fail in a user's hands, so it fails here.
 */
async function rewriteReferences(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((each) => /\.(js|d\.ts)$/.test(each))) {
    const file = join(folder, name);
    const text = await readFile(file, "utf8");
    const rewritten = text
      .replaceAll(/(new URL\(\s*["'][^"']+)\.ts(["'],\s*import\.meta\.url)/g, "$1.js$2")
      .replaceAll(/(\b(?:from|import)\s*\(?\s*["']\.[^"']+)\.ts(["'])/g, "$1.js$2");
    if (rewritten !== text) await writeFile(file, rewritten);
    await checkReferences(file, rewritten);
  }
}

async function checkReferences(file: string, text: string): Promise<void> {
  for (const [, specifier] of text.matchAll(/(?:from|import\(|new URL\()\s*["'](\.[^"']+\.js)["']/g)) {
    const named = resolve(file, "..", specifier!);
    const there = extname(file) === ".ts" ? named.replace(/\.js$/, ".d.ts") : named;
    await readFile(there).catch(() => {
      throw new Error(`${file} refers to ${specifier}, which the package lacks.`);
    });
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).length === 0;
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
