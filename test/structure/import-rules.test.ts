import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brokenImports, checkTree, importsOf } from "./import-rules.ts";

const root = join(import.meta.dirname, "../..");

describe("imports run host-tools -> firmware -> protocols", () => {
  it("in every file of the tree", () => {
    expect(checkTree(root)).toEqual([]);
  });

  it.each([
    ["protocols/raft/x.ts", `import { Board } from "../../firmware/core.ts";`],
    ["protocols/raft/x.ts", `import type { Stats } from "node:fs";`],
    ["protocols/raft/x.ts", `import {\n  encode,\n  decode,\n} from "cbor-x";`],
    ["firmware/board/x.ts", `export { Leader } from "../../host-tools/leader/leader.ts";`],
    ["firmware/board/x.ts", `import Timer from "timer";`],
    ["firmware/platform/moddable/x.ts", `import { readFileSync } from "node:fs";`],
    ["host-tools/leader/x.ts", `import { Board } from "../../firmware/core.ts";`],
    ["host-tools/cli/x.ts", `const core = await import("../../firmware/core.ts");`],
  ])("and a wrong one is found: %s %s", (file, source) => {
    expect(brokenImports(root, join(root, file), source)).toHaveLength(1);
  });

  it.each([
    ["firmware/board/x.ts", `import { Follower } from "../../protocols/raft/follower.ts";`],
    ["firmware/platform/moddable/x.ts", `import TCP from "embedded:io/socket/tcp";`],
    ["host-tools/simulator/x.ts", `import { Board } from "../../firmware/core.ts";`],
    ["host-tools/leader/x.ts", `import aedes from "aedes";`],
  ])("and a right one passes: %s %s", (file, source) => {
    expect(brokenImports(root, join(root, file), source)).toEqual([]);
  });

  it("with the line of each import", () => {
    expect(importsOf(`// one\nimport {\n  a,\n} from "./a.ts";\n`)).toEqual([
      { line: 4, specifier: "./a.ts" },
    ]);
  });
});
