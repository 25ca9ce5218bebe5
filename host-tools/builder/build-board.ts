/**
 * Builds the image for one kind of board: the swarm's types, the bundle, that it freezes, its bytecode and heap, whether it fits, and at
 * last the image by the Moddable SDK, if that is there.
 */
import { join } from "node:path";
import type { SdkPlatform } from "../boards/board-manifest.ts";
import { type BoardDescription, imageBytesMax } from "../boards/boards.ts";
import { bundleFirmware } from "../bundler/bundle.ts";
import { checkFrozen, checkFrozenMain, formatFinding } from "../bundler/frozen-check.ts";
import { firmwareVersion } from "../simulator/chip/simulator-image.ts";
import { heapAfterLoadBytesMax, type Measurement, measure } from "./measure.ts";
import {
  buildImage,
  findModdable,
  linkOnly,
  type Missing,
  missingForChip,
  type SdkRun,
  sizeOf,
} from "./moddable.ts";
import { writeSdkProject } from "./sdk-project.ts";
import { checkTypes } from "./types.ts";

export interface BuildOptions {
  readonly board: BoardDescription;
  /** The user's swarm.ts; undefined for an image without a swarm. */
  readonly swarmFile: string | undefined;
  readonly platform: SdkPlatform;
  readonly tls: boolean;
  readonly bluetooth: boolean;
  /** What the firmware says that it is; its own version when absent. */
  readonly firmwareVersion?: string | undefined;
  /** What the build writes; replaced. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  onProgress(text: string): void;
  /** Called as each step is done, with what it found. */
  onStep(step: BuildStep, found: string): void;
}

export type BuildStep = "types" | "bundle" | "frozen" | "bytecode" | "budget" | "project" | "link" | "image";

export interface BuildReport {
  readonly manifest: string;
  readonly coreBytes: number;
  readonly mainBytes: number;
  /** undefined where there is no C compiler. */
  readonly measurement: Measurement | undefined;
  /** The SDK's image; undefined when something is missing for it. */
  readonly image:
    | { readonly file: string; readonly bytes: number; readonly bytesMax: number | undefined }
    | undefined;
  /** To be installed for the last step. */
  readonly missing: readonly Missing[];
}

/** The firmware does not fit the board, or would not freeze. */
export class OverBudget extends Error {
  override readonly name = "OverBudget";
}

/**
 * @throws TypeErrors, BundleError, OverBudget, SdkBuildFailed; and what `measure` throws
 */
export async function buildBoard(options: BuildOptions): Promise<BuildReport> {
  const { board, onProgress, onStep } = options;
  await stepTypes(options);
  onProgress("Bundling the firmware");
  const bundle = await bundleFirmware({ main: "moddable", firmwareVersion: options.firmwareVersion });
  onStep("bundle", `core ${count(bundle.coreBytes)} bytes, main ${count(bundle.mainBytes)}`);
  await stepFrozen(options);
  const measurement = await measure(bundle, board, onProgress);
  stepBudget(options, measurement);
  const version = options.firmwareVersion ?? firmwareVersion;
  const manifest = await writeSdkProject({ ...options, bundle, firmwareVersion: version });
  onStep("project", options.folder);
  const { image, missing } = await stepSdk(options, manifest);
  const { coreBytes, mainBytes } = bundle;
  return { manifest, coreBytes, mainBytes, measurement, image, missing };
}

async function stepTypes({ swarmFile, onProgress, onStep }: BuildOptions): Promise<void> {
  if (swarmFile === undefined) return onStep("types", "no swarm.ts to check");
  onProgress(`Checking the types of ${swarmFile}`);
  const version = await checkTypes(swarmFile);
  onStep(
    "types",
    version === undefined ? "no TypeScript here; npm install --save-dev typescript" : `TypeScript ${version}`,
  );
}

async function stepFrozen({ onProgress, onStep }: BuildOptions): Promise<void> {
  onProgress("Checking that the firmware freezes");
  const findings = [...(await checkFrozen()), ...(await checkFrozenMain())];
  if (findings.length > 0) throw new OverBudget(findings.map(formatFinding).join("\n"));
  onStep("frozen", "nothing that a board could change");
}

function stepBudget({ board, onStep }: BuildOptions, measurement: Measurement | undefined): void {
  if (measurement === undefined) {
    onStep("budget", "not measured: no C compiler for the XS engine");
    return;
  }
  const { coreBytecodeBytes, mainBytecodeBytes, heapAfterLoadBytes, slotBytes, changeable } = measurement;
  const bytecodeBytes = coreBytecodeBytes + mainBytecodeBytes;
  onStep("bytecode", `core ${count(coreBytecodeBytes)} bytes, main ${count(mainBytecodeBytes)}`);
  if (changeable.length > 0) {
    const paths = changeable.map(({ what, path }) => `${path} (${what})`).join(", ");
    throw new OverBudget(`The core does not freeze: ${paths}.`);
  }
  const heapMax = (heapAfterLoadBytesMax * slotBytes) / 16;
  if (heapAfterLoadBytes > heapMax) {
    throw new OverBudget(
      `The loaded core takes ${count(heapAfterLoadBytes)} bytes of heap; ${count(heapMax)} are its limit.`,
    );
  }
  const slot = imageBytesMax(board);
  if (bytecodeBytes > slot) {
    throw new OverBudget(
      `The bytecode of ${count(bytecodeBytes)} bytes does not fit the update slot of ${count(slot)}.`,
    );
  }
  onStep(
    "budget",
    `heap ${count(heapAfterLoadBytes)} bytes after load, of an arena of ${count((board.arenaBytes * slotBytes) / 16)}`,
  );
}

async function stepSdk(
  options: BuildOptions,
  manifest: string,
): Promise<Pick<BuildReport, "image" | "missing">> {
  const { board, platform, environment, onStep, onProgress } = options;
  const sdk = findModdable(environment);
  const idf = platform === "chip" ? missingForChip(environment, board.chip) : undefined;
  if (!("tools" in sdk)) return { image: undefined, missing: idf === undefined ? [sdk] : [sdk, idf] };
  const run: SdkRun = {
    sdk,
    target: platform === "lin" ? "lin" : board.moddableTarget,
    manifest,
    output: join(options.folder, "sdk"),
    environment,
    onProgress: (text) => onProgress(`Moddable SDK: ${text}`),
  };
  if (idf !== undefined) {
    const changeableCount = await linkOnly(run);
    onStep("link", `no warning; ${changeableCount} things in flash may be changed, at 4 bytes of RAM each`);
    return { image: undefined, missing: [idf] };
  }
  const file = await buildImage(run);
  const bytes = await sizeOf(file);
  if (platform === "lin") {
    onStep("image", `${file}, ${count(bytes)} bytes`);
    return { image: { file, bytes, bytesMax: undefined }, missing: [] };
  }
  const bytesMax = imageBytesMax(board);
  if (bytes > bytesMax) {
    throw new OverBudget(
      `The image of ${count(bytes)} bytes does not fit an update slot of ${board.name}, ${count(bytesMax)} bytes.`,
    );
  }
  onStep("image", `${file}, ${count(bytes)} bytes of a slot of ${count(bytesMax)}`);
  return { image: { file, bytes, bytesMax }, missing: [] };
}

function count(bytes: number): string {
  return bytes.toLocaleString("en-US");
}
