/** The published package's own package.json. */

/** What of the checkout's package.json goes into it. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

export function packageManifest(checkout: Manifest): object {
  const { name, version, description, license, dependencies } = checkout;
  return {
    name,
    version,
    description,
    license,
    type: "module",
    // Type stripping, for the user's swarm.ts, is on from 22.18; host-tools/cli/bin.js says so to an older Node.
    engines: { node: ">=22.18" },
    bin: { covey: "host-tools/cli/bin.js" },
    exports: {
      ".": { types: "./host-tools/swarm-file/api.d.ts", default: "./host-tools/swarm-file/api.js" },
      "./package.json": "./package.json",
    },
    dependencies,
  };
}
