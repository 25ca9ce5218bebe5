import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BundleError, bundleFirmware } from "../../../host-tools/bundler/bundle.ts";

const folder = await mkdtemp(join(tmpdir(), "covey-bundle-"));
afterAll(() => rm(folder, { recursive: true }));

const meter = `
  import type { Ports } from "./platform/ports.ts";
  export const limits = Object.freeze({ bytes: 64 });
  export class Meter {
    static readonly step = limits.bytes / 8;
    total = 0;
    add(ports: Ports): number { this.total += Meter.step + ports.unit; return this.total; }
  }`;

const firmware = {
  "core.ts": `export { limits, Meter } from "./meter.ts";`,
  "meter.ts": meter,
  "platform/ports.ts": "export interface Ports { readonly unit: number }",
  "platform/moddable/main.ts": `
    import TCP from "embedded:io/socket/tcp";
    import Timer from "timer";
    import type { Ports } from "../ports.ts";
    import { Meter } from "../../core.ts";
    import { port } from "./port.ts";
    const ports: Ports = { unit: port };
    Timer.set(() => new TCP(new Meter().add(ports)));`,
  "platform/moddable/port.ts": "export const port = 1883;",
};

describe("the bundler", () => {
  test("makes a core that runs and a main that imports it by name", async () => {
    const { core, main, coreBytes, mainBytes } = await bundle(firmware);
    const { Meter } = await import(`data:text/javascript,${encodeURIComponent(core)}`);
    expect(new Meter().add({ unit: 1 })).toBe(9);
    expect(imports(core)).toEqual([]);
    expect(imports(main).sort()).toEqual(["core", "embedded:io/socket/tcp", "timer"]);
    expect(main).not.toContain("total");
    expect([coreBytes, mainBytes]).toEqual([Buffer.byteLength(core), Buffer.byteLength(main)]);
  });

  test("declares every module-level name of the core with const, so that the linker can freeze it", async () => {
    const { core } = await bundle(firmware);
    expect(core).toMatch(/^const /);
    expect(core).not.toMatch(/\b(var|let)\b/);
  });

  test("gives the same bytes for the same sources", async () => {
    const [first, second] = await Promise.all([bundle(firmware), bundle(firmware)]);
    expect(second).toEqual(first);
  });

  test.for([
    {
      behaviour: "a core that imports a module of the platform",
      change: { "meter.ts": `import Timer from "timer";\n${meter}\nexport const timer = Timer;` },
      problem: /meter\.ts:1: the core imports "timer"; reach it through a port/,
    },
    {
      behaviour: "a core that imports later",
      change: { "core.ts": `export const later = () => import("./meter.ts");` },
      problem: /core\.ts:1: the linked core can't import later/,
    },
    {
      behaviour: "a main that imports past the core",
      change: {
        "platform/moddable/port.ts": `import { limits } from "../../meter.ts";\nexport const port = limits.bytes;`,
      },
      problem:
        /port\.ts:1: main imports "\.\.\/\.\.\/meter\.ts" past the core; export it from firmware\/core\.ts/,
    },
    {
      behaviour: "a module-level variable that is written",
      change: { "core.ts": `let count = 0;\nexport function add() { return (count += 1); }` },
      problem: /Cannot assign to "count" because it is a constant/,
    },
    {
      behaviour: "a source that does not parse",
      change: { "meter.ts": "export const limits = {" },
      problem: /meter\.ts:1: /,
    },
  ])("refuses $behaviour", async ({ change, problem }) => {
    const attempt = bundle({ ...firmware, ...change });
    await expect(attempt).rejects.toThrow(BundleError);
    await expect(attempt).rejects.toThrow(problem);
  });
});

async function bundle(files: Readonly<Record<string, string>>) {
  const root = await mkdtemp(join(folder, "root-"));
  for (const [name, source] of Object.entries(files)) {
    const file = join(root, "firmware", name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, source);
  }
  return bundleFirmware({ main: "moddable", root });
}

function imports(code: string): string[] {
  return [...code.matchAll(/from ?"([^"]+)"/g)].map((match) => match[1]!);
}
