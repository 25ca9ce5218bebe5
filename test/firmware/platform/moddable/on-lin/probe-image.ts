/** Builds a program of a test's own over the adapter for the SDK's `lin`, in the place of the board's main. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { loadBoards } from "../../../../../host-tools/boards/boards.ts";
import { buildImage, type ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import { writeSdkProject } from "../../../../../host-tools/builder/sdk-project.ts";
import { bundleFirmware } from "../../../../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../../../../host-tools/bundler/const-declarations.ts";

/** Its swarm, and its own name. */
export const probeName = "probe";

export interface Probe {
  /** A file beside this one. */
  readonly program: string;
  /** What the program finds as `givenText`, in JSON. */
  readonly given: object;
  readonly tls: boolean;
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
    config: { swarm: probeName, board: probeName, hosts: "main=127.0.0.1:1", timeServer: "" },
    wifi: undefined,
    tls: probe.tls,
  });
  writeFileSync(join(project, "main.js"), main);
  return buildImage({
    sdk,
    target: "lin",
    manifest,
    output: join(project, "sdk"),
    environment: process.env,
    onProgress: () => {},
  });
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
