/** Writes the folder that the Moddable SDK builds one board's image from. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  boardManifest,
  driverPath,
  type ImageConfig,
  type SdkPlatform,
  tlsModule,
  tlsModuleName,
} from "../boards/board-manifest.ts";
import type { BoardDescription } from "../boards/boards.ts";
import { moduleName, noSensors, ownDrivers } from "../boards/sensor-module.ts";
import {
  boardFiles,
  bundleDriver,
  bundleStandIns,
  type FirmwareBundle,
  projectRoot,
  writeFiles,
} from "../bundler/bundle.ts";
import type { WifiCredentials } from "./wifi.ts";

export interface SdkProject {
  readonly folder: string;
  readonly platform: SdkPlatform;
  readonly board: BoardDescription;
  readonly bundle: FirmwareBundle;
  readonly config: ImageConfig;
  readonly wifi: WifiCredentials | undefined;
  readonly tls: boolean;
}

/** The one file of a project that is secret; only its owner may read it. */
const secretFile = "wifi.json";

/**
 * Writes manifest, modules, partition table and ESP-IDF options; what an earlier build left is replaced.
 *
 * @returns the manifest's path
 */
export async function writeSdkProject(project: SdkProject): Promise<string> {
  const { folder, platform, board, bundle, config, wifi, tls } = project;
  await mkdir(folder, { recursive: true });
  const manifest = boardManifest(board, {
    platform,
    config,
    tls,
    root: relative(folder, projectRoot) || ".",
    include: wifi ? [`./${secretFile}`] : [],
  });
  await writeFiles(folder, {
    "core.js": bundle.core,
    "main.js": bundle.main,
    [`${tlsModuleName}.js`]: tlsModule(tls),
    ...boardFiles(board),
    ...(platform === "lin" ? await linFiles() : await driverFiles(board)),
    "manifest.json": `${JSON.stringify(manifest, undefined, 2)}\n`,
  });
  await writeSecret(join(folder, secretFile), wifi);
  return join(folder, "manifest.json");
}

async function driverFiles(board: BoardDescription): Promise<Record<string, string>> {
  const drivers = ownDrivers(board).map(async ({ file }) => [
    `${driverPath(file)}.js`,
    await bundleDriver(file),
  ]);
  return Object.fromEntries(await Promise.all(drivers));
}

/** A computer has no I2C bus of the board's: its image reads none of the board's sensors. */
async function linFiles(): Promise<Record<string, string>> {
  const standIns = Object.entries(await bundleStandIns()).map(([name, text]) => [`lin/${name}`, text]);
  return { ...Object.fromEntries(standIns), [`${moduleName}.js`]: noSensors };
}

/** Removed first, because the mode of a file counts only when it is made. */
async function writeSecret(file: string, wifi: WifiCredentials | undefined): Promise<void> {
  await rm(file, { force: true });
  if (wifi === undefined) return;
  await writeFile(file, `${JSON.stringify({ config: wifi })}\n`, { mode: 0o600 });
}
