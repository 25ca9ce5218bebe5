/** How many bytes parts of the firmware take as code, minified, with all that they import. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export interface CodeSize {
  readonly name: string;
  readonly bytes: number;
}

const parts: readonly (readonly [name: string, modules: readonly string[]])[] = [
  ["the follower half of Raft", ["raft/follower.ts"]],
  ["Raft's codec, with what checks shapes", ["raft/codec.ts"]],
];

export async function measureCode(): Promise<CodeSize[]> {
  const sizes: CodeSize[] = [];
  for (const [name, modules] of parts) {
    const contents = modules.map((path) => `export * from "./${path}";`).join("\n");
    const { outputFiles } = await build({
      stdin: {
        contents,
        resolveDir: fileURLToPath(new URL("../../protocols/", import.meta.url)),
        loader: "ts",
      },
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      write: false,
    });
    sizes.push({ name, bytes: outputFiles[0]!.contents.length });
  }
  return sizes;
}
