/** Writes the folder that the Moddable SDK builds the image for one kind of board from. */
import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  boardManifest,
  driverPath,
  type SdkPlatform,
  tlsModule,
  tlsModuleName,
} from "../boards/board-manifest.ts";
import type { BoardDescription } from "../boards/boards.ts";
import { nearModuleName, nearNothing } from "../boards/near-module.ts";
import { moduleName, noSensors, ownDrivers } from "../boards/sensor-module.ts";
import {
  boardFiles,
  bundleDriver,
  bundleStandIns,
  type FirmwareBundle,
  projectRoot,
  writeFiles,
} from "../bundler/bundle.ts";

export interface SdkProject {
  readonly folder: string;
  readonly platform: SdkPlatform;
  readonly board: BoardDescription;
  readonly bundle: FirmwareBundle;
  readonly tls: boolean;
  readonly bluetooth: boolean;
  /** For the descriptor of the image. */
  readonly firmwareVersion?: string | undefined;
}

/**
 * Writes manifest, modules, partition table and ESP-IDF options; what an earlier build left is replaced.
 *
 * @returns the manifest's path
 */
export async function writeSdkProject(project: SdkProject): Promise<string> {
  const { folder, platform, board, bundle, tls, bluetooth, firmwareVersion } = project;
  await mkdir(folder, { recursive: true });
  const manifest = boardManifest(board, {
    platform,
    tls,
    bluetooth,
    root: relative(folder, projectRoot) || ".",
  });
  await writeFiles(folder, {
    "core.js": bundle.core,
    "main.js": bundle.main,
    [`${tlsModuleName}.js`]: tlsModule(tls),
    ...boardFiles(board, { bluetooth, firmwareVersion }),
    ...(platform === "lin" ? await linFiles() : await driverFiles(board)),
    "manifest.json": `${JSON.stringify(manifest, undefined, 2)}\n`,
  });
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
  return {
    ...Object.fromEntries(standIns),
    [`${moduleName}.js`]: noSensors,
    [`${nearModuleName}.js`]: nearNothing,
  };
}
