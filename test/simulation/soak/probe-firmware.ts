/** The firmware of a board under soak, as bytecode: the real core, and `probe-main.ts` over it. */
import { join } from "node:path";
import { build } from "esbuild";
import { bundleFirmware, projectRoot } from "../../../host-tools/bundler/bundle.ts";
import { mainImports } from "../../../host-tools/bundler/module-boundary.ts";
import { buildXsHost, type XsHost } from "../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../host-tools/simulator/xs-host/bytecode.ts";

/** `messages`: every message of the parent is kept. `timers`: a timer that is never due is set for every 32nd of them. */
export type PlantedLeak = "none" | "messages" | "timers";

export interface ProbeFirmware {
  readonly host: XsHost;
  readonly core: string;
  readonly main: string;
}

export async function probeFirmware(leak: PlantedLeak = "none"): Promise<ProbeFirmware> {
  const host = await buildXsHost();
  const { core } = await bundleFirmware({ main: "desktop" });
  const main = await build({
    absWorkingDir: projectRoot,
    entryPoints: [join(import.meta.dirname, "probe-main.ts")],
    plugins: [
      mainImports({
        coreFile: join(projectRoot, "firmware/core.ts"),
        folder: projectRoot.replace(/\/$/, ""),
      }),
    ],
    define: { PLANTED_LEAK: JSON.stringify(leak) },
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  return {
    host,
    core: await compileModule(host, "core", core),
    main: await compileModule(host, "main", main.outputFiles[0]!.text),
  };
}
