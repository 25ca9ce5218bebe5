/** What `covey init` writes. */
import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "./version.ts";

/** File name to content. */
export function initFiles(swarm: string): Record<string, string> {
  return {
    "package.json": json({
      name: swarm,
      private: true,
      type: "module",
      scripts: { start: "covey sim" },
      dependencies: { covey: coveyDependency() },
      devDependencies: { node: "^24.0.0" },
      allowScripts: { node: true, "@agoric/xsnap": false, esbuild: false, "cbor-extract": false },
    }),
    "tsconfig.json": json({
      compilerOptions: {
        target: "ES2024",
        lib: ["ES2024"],
        module: "nodenext",
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        types: [],
        erasableSyntaxOnly: true,
        verbatimModuleSyntax: true,
        allowImportingTsExtensions: true,
      },
      include: ["swarm.ts"],
    }),
    "swarm.ts": swarmSource(swarm),
  };
}

/**
 * A Covey like this one: a checkout by its path; a package as it was installed, from a registry by its version, from a
 * tarball by the tarball's path.
 */
function coveyDependency(): string {
  const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
  const modules = dirname(root);
  if (basename(modules) !== "node_modules") return `file:${root}`;
  const resolved = resolvedAs(join(modules, ".package-lock.json"));
  return resolved?.startsWith("file:") ? `file:${resolve(modules, "..", resolved.slice(5))}` : `^${version}`;
}

/** What npm noted when it installed this package. */
function resolvedAs(lockFile: string): string | undefined {
  try {
    const { packages } = JSON.parse(readFileSync(lockFile, "utf8")) as {
      packages?: Record<string, { resolved?: string }>;
    };
    return packages?.["node_modules/covey"]?.resolved;
  } catch {
    return undefined;
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function swarmSource(swarm: string): string {
  return `/**
 * Two boards that watch this computer and drive a fan. Both vote with the leader, so that any one of the three may fail.
 *
 *     npx covey sim                    runs the leader and both boards on this computer
 *     npx covey status                 shows them
 *     npx covey set fan.duty 40        turns both fans to 40 %
 *     npx covey set fan.on-above 5     makes the first board turn its fan up by itself
 */
import { board, output, sense, setting, swarm, when } from "covey";

export default swarm("${swarm}", {
  voters: ["first", "second"],

  settings: {
    "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }),
    "fan.on-above": setting.number({ unit: "%", min: 0, max: 100, initial: 90 }),
  },

  boards: {
    first: board("esp32c3-devkit", {
      // Each second: without outliers, smoothed, and reported when it has changed or has not been for half a minute.
      sense: [sense("cpu.load", { every: "1s" }).median(5).mean("5s").deadband(1, { atLeastEvery: "30s" })],
      outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) },
      rules: [when("cpu.load").above("fan.on-above", { hysteresis: 5, for: "2s" }).set("fan", 100)],
    }),

    second: board("esp32c3-devkit", {
      sense: [sense("memory.used", { every: "1s" }).mean("5s").deadband(0.5, { atLeastEvery: "30s" })],
      outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) },
    }),
  },
});
`;
}
