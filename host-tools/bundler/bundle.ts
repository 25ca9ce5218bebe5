/**
 * The firmware bundler: turns `firmware/` into the two ES modules that a board runs.
 *
 * A board has no room to unpack its program: JavaScript that is loaded at boot costs about four bytes of heap for each
 * minified byte. So the bulk, the *core*, is linked ahead of time and stays frozen in flash, and only the small *main*,
 * which knows the platform, is loaded when the board starts. Main imports the core by the bare name `core`; everything
 * else it imports is a module of the platform.
 *
 * `docs/decisions/preloading.md` has the measurements behind each step.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Message, type Plugin, transform } from "esbuild";
import { tlsModule, tlsModuleName } from "../boards/board-manifest.ts";
import {
  type BoardDescription,
  type ImageOptions,
  idfOptions,
  loadBoards,
  partitionTable,
} from "../boards/boards.ts";
import { nearModule, nearModuleName, nearNothing } from "../boards/near-module.ts";
import { moduleName, noSensors, sensorModule } from "../boards/sensor-module.ts";
import { constDeclarations } from "./const-declarations.ts";
import { coreImports, mainImports } from "./module-boundary.ts";

/** The platforms that boot from a main of their own: a folder of `firmware/platform/` each. */
export type MainPlatform = "desktop" | "moddable";

export interface FirmwareBundle {
  /** The core's minified ES module; it imports nothing. */
  readonly core: string;
  /** The platform's minified ES module; it imports `core` and modules of the platform. */
  readonly main: string;
  readonly coreBytes: number;
  readonly mainBytes: number;
}

/** A module as esbuild joined it, readable, with the map back to its source files. */
export interface JoinedModule {
  readonly code: string;
  /** Source map, version 3, as JSON; sources are relative to the project's root. */
  readonly map: string;
}

/** The project's root folder, which holds `firmware/`. */
export const projectRoot: string = fileURLToPath(new URL("../..", import.meta.url));

/** The firmware does not bundle; the message lists each place as `file:line: what`. */
export class BundleError extends Error {
  override readonly name = "BundleError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Bundles the core and the main of one platform.
 *
 * @param options.root folder that holds `firmware/`; the project's own unless told
 * @param options.firmwareVersion what the firmware says that it is, instead of what `firmware/version.ts` has
 * @throws BundleError naming file and line when a source does not parse, crosses the boundary between core and main, or
 *   assigns a module-level variable
 */
export async function bundleFirmware(options: {
  main: MainPlatform;
  root?: string;
  firmwareVersion?: string | undefined;
}): Promise<FirmwareBundle> {
  const root = options.root ?? projectRoot;
  const [core, main] = await Promise.all([
    joinCore(coreFile(options.main, root), options.firmwareVersion).then(minify),
    joinMain(options.main, root).then(minify),
  ]);
  return { core, main, coreBytes: Buffer.byteLength(core), mainBytes: Buffer.byteLength(main) };
}

/** Joins the core's sources into one readable module: what the frozen check reads and `bundleFirmware` minifies. */
export function joinCore(entryFile: string, version?: string): Promise<JoinedModule> {
  const plugins = [coreImports(), ...(version === undefined ? [] : [versionIs(version)])];
  return joinModule({ entryPoints: [entryFile], plugins });
}

/** Joins a platform's own sources into one readable module; the core and the platform's modules stay outside. */
export function joinMain(platform: MainPlatform, root: string = projectRoot): Promise<JoinedModule> {
  const folder = join(root, "firmware/platform", platform);
  return joinModule({
    entryPoints: [join(folder, "main.ts")],
    plugins: [mainImports({ coreFile: coreFile(platform, root), folder })],
  });
}

/** Puts another version into the place of `firmware/version.ts`. */
function versionIs(version: string): Plugin {
  const contents = `export const firmwareVersion = ${JSON.stringify(version)};`;
  return {
    name: "firmware version",
    setup({ onLoad }) {
      onLoad({ filter: /[/\\]firmware[/\\]version\.ts$/ }, () => ({ contents, loader: "ts" }));
    },
  };
}

/** What is linked ahead of time. A chip's image links its main as well; the simulator's engine can only link one module, which has both. */
function coreFile(platform: MainPlatform, root: string): string {
  return join(root, platform === "desktop" ? "firmware/platform/desktop/linked.ts" : "firmware/core.ts");
}

/**
 * Writes what `manifest.json` builds from: `core.js` and `main.js` in `FOLDER/moddable/`, the stand-ins of the SDK's
 * `lin` platform in `lin/`, and for each board a folder with its table of sensors, its partition table and its ESP-IDF
 * options. (`covey build` makes all of that for one board, and its manifest.)
 *
 * @throws BundleError, BoardFileError
 */
export async function writeBundles(folder: string, root: string = projectRoot): Promise<FirmwareBundle> {
  const target = join(folder, "moddable");
  const [bundle, standIns] = await Promise.all([
    bundleFirmware({ main: "moddable", root }),
    bundleStandIns(root),
  ]);
  await writeFiles(target, {
    "core.js": bundle.core,
    "main.js": bundle.main,
    [`${tlsModuleName}.js`]: tlsModule(false),
    "no-sensors/board-sensors.js": noSensors,
    [`no-sensors/${nearModuleName}.js`]: nearNothing,
  });
  await writeFiles(join(target, "lin"), standIns);
  for (const board of loadBoards().values()) await writeFiles(join(target, board.name), boardFiles(board));
  return bundle;
}

/** What the SDK reads of one board beside its manifest, by file name. */
export function boardFiles(board: BoardDescription, image: ImageOptions = {}): Record<string, string> {
  return {
    "partitions.csv": partitionTable(board),
    "sdkconfig.defaults": idfOptions(board, image),
    [`${nearModuleName}.js`]: nearModule(board, image.bluetooth === true),
    [`${moduleName}.js`]: sensorModule(board),
  };
}

/** A driver of `firmware/drivers/` as a module of its own, minified; it imports nothing. */
export async function bundleDriver(file: string, root: string = projectRoot): Promise<string> {
  return minify(await joinCore(join(root, "firmware/drivers", file)));
}

/** Modules of the SDK that its desktop platform lacks, by file name. */
export async function bundleStandIns(root: string = projectRoot): Promise<Record<string, string>> {
  const folder = join(root, "firmware/platform/moddable/lin");
  const sources = (await readdir(folder)).filter((file) => file.endsWith(".ts"));
  const modules = sources.map(async (file) => {
    const plugins = [mainImports({ coreFile: "", folder })];
    const joined = await joinModule({ entryPoints: [join(folder, file)], plugins });
    return [file.replace(".ts", ".js"), await minify(joined)];
  });
  return Object.fromEntries(await Promise.all(modules));
}

/** Writes texts into a folder, which is made if it is not there. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** The language level is the engine's, XS 13.3: ES2022, modules, and nothing of Node or a browser. */
async function joinModule(options: BuildOptions): Promise<JoinedModule> {
  const result = await build({
    absWorkingDir: projectRoot,
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    minify: false,
    sourcemap: "external",
    outfile: "bundle.js",
    write: false,
    logLevel: "silent",
    ...options,
  }).catch(rethrow);
  const text = (ending: string) => result.outputFiles?.find((file) => file.path.endsWith(ending))?.text ?? "";
  return { code: text(".js"), map: text(".map") };
}

/**
 * Minifies in a second step, because only there are the module-level bindings `const` again, which the linker can
 * freeze: bundling makes each of them a `var`.
 */
async function minify(joined: JoinedModule): Promise<string> {
  const result = await transform(constDeclarations(joined.code), {
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "silent",
    logOverride: { "assign-to-constant": "error" },
  }).catch(rethrow);
  return result.code;
}

async function rethrow(error: unknown): Promise<never> {
  const messages = (error as { errors?: Message[] }).errors;
  if (!Array.isArray(messages)) throw error;
  const problems = messages.map((message) =>
    message.location === null
      ? message.text
      : `${message.location.file}:${message.location.line}: ${message.text}`,
  );
  throw new BundleError(problems);
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(projectRoot, "build/firmware");
  const { coreBytes, mainBytes } = await writeBundles(folder);
  console.log(`${join(folder, "moddable")}: core ${coreBytes} bytes, main ${mainBytes} bytes`);
}
