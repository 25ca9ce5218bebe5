/** Builds a program of a test's own over the adapter for the SDK's `lin`, in the place of the board's main. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { loadBoards } from "../../../../../host-tools/boards/boards.ts";
import { buildImage, type ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import { writeSdkProject } from "../../../../../host-tools/builder/sdk-project.ts";
import { bundleFirmware } from "../../../../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../../../../host-tools/bundler/const-declarations.ts";

/** Name of its swarm, and its own. */
export const probeName = "probe";

export interface Probe {
  /** A file beside this one. */
  readonly program: string;
  /** What the program finds as `givenText`, in JSON. */
  readonly given: object;
  readonly tls: boolean;
  /** Files of C beside this one, without their ending. */
  readonly natives?: readonly string[];
}

/** @returns the program for `LinProcess` */
export async function buildProbe(sdk: ModdableSdk, folder: string, probe: Probe): Promise<string> {
  const { core } = await bundleFirmware({ main: "moddable" });
  const main = await joinProbe(probe);
  const project = join(folder, "probe");
  const manifest = await writeSdkProject({
    folder: project,
    platform: "lin",
    board: loadBoards().get("esp32c3-devkit")!,
    bundle: { core, main, coreBytes: 0, mainBytes: 0 },
    tls: probe.tls,
    bluetooth: false,
  });
  writeFileSync(join(project, "main.js"), main);
  addNatives(manifest, probe.natives ?? []);
  return buildImage({
    sdk,
    target: "lin",
    manifest,
    output: join(project, "sdk"),
    environment: process.env,
    onProgress: () => {},
  });
}

function addNatives(manifest: string, names: readonly string[]): void {
  const described = JSON.parse(readFileSync(manifest, "utf8"));
  const folder = relative(join(manifest, ".."), import.meta.dirname);
  for (const name of names) described.modules["*"].push(`${folder}/${name}`);
  writeFileSync(manifest, JSON.stringify(described));
}

/** As the bundler joins a platform's main: the core and the SDK's modules stay outside. */
async function joinProbe({ program, given }: Probe): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, program)],
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    // As text: an object would lie in flash and not be frozen.
    define: { givenText: JSON.stringify(JSON.stringify(given)) },
    write: false,
    plugins: [
      {
        name: "outside",
        setup: ({ onResolve }) => {
          onResolve({ filter: /firmware\/core\.ts$|^\.\.\/\.\.\/core\.ts$/ }, () => ({
            path: "core",
            external: true,
          }));
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === "entry-point" ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  return constDeclarations(outputFiles[0]!.text);
}
