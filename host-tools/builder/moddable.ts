/**
 * The Moddable SDK as a tool: what of it is on this computer, what is missing for a target, and one run of it.
 *
 * `mcconfig` is always told `-t build`: without it, it deploys, and ends every `serial2xsbug` of the computer.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

export interface ModdableSdk {
  readonly folder: string;
  /** Where `mcconfig` and the linker are. */
  readonly tools: string;
}

/** Something that must be installed before the SDK can build an image. */
export interface Missing {
  readonly what: string;
  /** The commands, or where it is said how. */
  readonly remedy: string;
}

/** The SDK's tools failed; the message has their first complaint, the log all they said. */
export class SdkBuildFailed extends Error {
  override readonly name = "SdkBuildFailed";
  readonly logFile: string;

  constructor(complaint: string, logFile: string) {
    super(`The Moddable SDK's build failed: ${complaint} (all that it said is in ${logFile}).`);
    this.logFile = logFile;
  }
}

const setupPage = "https://github.com/Moddable-OpenSource/moddable/blob/public/documentation";
const hostPlatform = process.platform === "darwin" ? "mac" : "lin";

/** The SDK that MODDABLE names, or what is missing of it. */
export function findModdable(environment: NodeJS.ProcessEnv): ModdableSdk | Missing {
  const folder = environment.MODDABLE;
  if (folder === undefined || folder === "") {
    return {
      what: "Moddable SDK 8.2.3",
      remedy: `git clone --depth 1 --branch 8.2.3 https://github.com/Moddable-OpenSource/moddable && export MODDABLE=$PWD/moddable && make -C $MODDABLE/build/makefiles/${hostPlatform}  (${setupPage}/Moddable%20SDK%20-%20Getting%20Started.md)`,
    };
  }
  const tools = join(folder, "build/bin", hostPlatform, "release");
  if (!existsSync(join(folder, "modules"))) {
    return { what: "Moddable SDK", remedy: `MODDABLE is ${folder}, which is no Moddable SDK; set it to one` };
  }
  if (!existsSync(join(tools, "mcconfig"))) {
    return { what: "tools of the Moddable SDK", remedy: `make -C ${folder}/build/makefiles/${hostPlatform}` };
  }
  return { folder, tools };
}

/** What a chip's image needs beside the SDK. */
export function missingForChip(environment: NodeJS.ProcessEnv, chip: string): Missing | undefined {
  const idf = environment.IDF_PATH;
  if (idf !== undefined && existsSync(join(idf, "tools/idf.py"))) return undefined;
  return {
    what: "ESP-IDF 6.0",
    remedy: `git clone --depth 1 --recursive --branch v6.0 https://github.com/espressif/esp-idf && export IDF_PATH=$PWD/esp-idf && $IDF_PATH/install.sh ${chip}  (${setupPage}/devices/esp32.md)`,
  };
}

export interface SdkRun {
  readonly sdk: ModdableSdk;
  /** What `mcconfig -p` is told. */
  readonly target: string;
  readonly manifest: string;
  /** The SDK's own files go here. */
  readonly output: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Called with what is being made, file by file. */
  onProgress(text: string): void;
}

/**
 * Builds the image.
 *
 * @returns the folder with what came out
 * @throws SdkBuildFailed also when the linker warns: what it warns of costs every board memory
 */
export async function buildImage(run: SdkRun): Promise<string> {
  const log = await startLog(run);
  // The makefile goes on when ESP-IDF's own build fails, so that only the file tells; an earlier one must not.
  for (const file of imagesOf(run)) await rm(file);
  const words = ["-m", "-p", run.target, "-t", "build", "-o", run.output, run.manifest];
  await runTool(run, log, ["mcconfig", ...words]);
  const [file] = imagesOf(run);
  if (file === undefined) throw new SdkBuildFailed(await firstComplaint(log), log);
  return file;
}

function imagesOf({ target, output }: SdkRun): string[] {
  const [platform, ...kind] = target.split("/");
  return platform === "lin"
    ? globSync(join(output, "bin/lin/mc/release/*/mc.so"))
    : globSync(join(output, "bin/esp32", ...kind, "release/*/xs_esp32.bin"));
}

/**
 * Links the image's JavaScript for a chip, without the C compiler for it: what can be known of the link where ESP-IDF is
 * not installed.
 *
 * @returns how many things in flash may still be changed, at 4 bytes of RAM each
 * @throws SdkBuildFailed
 */
export async function linkOnly(run: SdkRun): Promise<number> {
  const log = await startLog(run);
  const noIdf = join(run.output, "no-esp-idf");
  await mkdir(noIdf, { recursive: true });
  const emptyHeader = join(noIdf, "sdkconfig.h");
  await writeFile(emptyHeader, "");
  const environment = { ...run.environment, IDF_PATH: noIdf };
  const linking = { ...run, environment };
  // Without -m it only writes the makefile.
  await runTool(linking, log, ["mcconfig", "-p", run.target, "-t", "build", "-o", run.output, run.manifest]);
  const [makefile] = globSync(join(run.output, "tmp/esp32/**/makefile"));
  if (makefile === undefined) throw new SdkBuildFailed("mcconfig wrote no makefile", log);
  const linked = makefile.replace(/makefile$/, "mc.xs.c");
  await rm(linked, { force: true });
  const given = ["IDF_VERSION=v6.0", `SDKCONFIG_H=${emptyHeader}`];
  await runTool(linking, log, ["make", "-f", makefile, ...given, linked]);
  const count = /#define mxAliasCount (\d+)/.exec(await readFile(linked, "utf8"));
  return Number(count?.[1]);
}

export async function sizeOf(file: string): Promise<number> {
  return (await stat(file)).size;
}

async function startLog({ output }: SdkRun): Promise<string> {
  await mkdir(output, { recursive: true });
  const log = join(output, "sdk.log");
  await writeFile(log, "");
  return log;
}

async function runTool(run: SdkRun, log: string, words: readonly [string, ...string[]]): Promise<void> {
  const { sdk, environment, onProgress } = run;
  const path = [sdk.tools, environment.PATH ?? ""].join(delimiter);
  const child = spawn(words[0], words.slice(1), {
    env: { ...environment, PATH: path, MODDABLE: sdk.folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const files = new MadeFiles(onProgress);
  const hear = (text: string) => {
    said = (said + text).slice(-outputCharactersMax);
    for (const line of text.split("\n")) files.hear(line);
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  const [exitCode] = (await once(child, "close").catch((error: Error) => [error.message])) as [
    number | string,
  ];
  await appendFile(log, `$ ${words.join(" ")}\n${said}\n`);
  if (exitCode !== 0 || ownWarning.test(said))
    throw new SdkBuildFailed(complaintIn(said) ?? `${words[0]} ended with ${exitCode}`, log);
}

/** The linker's, of our modules; the SDK's own TLS has two things that are not frozen. */
const ownWarning = /### warning: (?!ssl\/)/;

/** The SDK's tools say a line for each file, `# cc xsAll.c.o`; one of a few dozen is told on. */
class MadeFiles {
  readonly #tell: (text: string) => void;
  #tool = "";
  #count = 0;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  hear(line: string): void {
    const tool = /^# (\w+) \S/.exec(line)?.[1];
    if (tool === undefined) return;
    this.#count = tool === this.#tool ? this.#count + 1 : 1;
    this.#tool = tool;
    if (this.#count % 25 === 1) this.#tell(`${tool}, file ${this.#count}`);
  }
}

const outputCharactersMax = 4_000_000;

async function firstComplaint(log: string): Promise<string> {
  return complaintIn(await readFile(log, "utf8")) ?? "it made no image";
}

/** The first line that complains, in the words of mcconfig, the linker, a compiler or make. */
function complaintIn(said: string): string | undefined {
  const patterns = [
    /### (?:error|warning): (?!ssl\/).*/,
    /.*\berror: .*/i,
    /.*\bfatal error\b.*/,
    /Error: .*/,
    /make.*\*\*\*.*/,
  ];
  for (const pattern of patterns) {
    const found = pattern.exec(said)?.[0].trim();
    if (found !== undefined) return found;
  }
  return undefined;
}
