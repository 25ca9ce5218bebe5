/**
 * Which module may import which, as two esbuild plugins.
 *
 * The core imports nothing but the project's own files, because it is linked before any platform exists. Main imports
 * its own folder, the core under the name `core`, and modules of the platform; an import past the core would put a
 * second copy of the core's classes on the board.
 */
import { dirname, resolve, sep } from "node:path";
import type { OnResolveArgs, OnResolveResult, Plugin } from "esbuild";

/** Refuses every import of the core that does not name a file. */
export function coreImports(): Plugin {
  return plugin("core-imports", (args) => {
    if (args.kind === "dynamic-import")
      return refuse("the linked core can't import later; import at the top of the file");
    if (isFile(args.path)) return undefined;
    return refuse(
      `the core imports "${args.path}"; reach it through a port of firmware/platform/ports.ts instead`,
    );
  });
}

/** Makes the core an external module named `core` and leaves the platform's modules to the platform. */
export function mainImports(options: { readonly coreFile: string; readonly folder: string }): Plugin {
  const ownFiles = options.folder + sep;
  return plugin("main-imports", (args) => {
    if (!isFile(args.path)) return { path: args.path, external: true };
    const file = resolve(dirname(args.importer), args.path);
    if (file === options.coreFile) return { path: "core", external: true };
    if (file.startsWith(ownFiles)) return undefined;
    return refuse(
      `main imports "${args.path}" past the core; export it from firmware/core.ts and import it from there`,
    );
  });
}

function plugin(name: string, resolveImport: (args: OnResolveArgs) => OnResolveResult | undefined): Plugin {
  return {
    name,
    setup(build) {
      build.onResolve({ filter: /.*/ }, (args) =>
        args.kind === "entry-point" ? undefined : resolveImport(args),
      );
    },
  };
}

function isFile(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../");
}

function refuse(text: string): OnResolveResult {
  return { errors: [{ text }] };
}
