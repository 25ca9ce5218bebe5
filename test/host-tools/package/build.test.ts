/** The published package, under node_modules as a user has it: plain JavaScript that compiles, leads and simulates. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const repository = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "covey-package-"));
const installed = join(folder, "node_modules/covey");
const swarm = join(folder, "house");
const build = join(repository, "host-tools/package/build.ts");
const compiler = join(repository, "node_modules/typescript/bin/tsc");

function node(script: string, words: readonly string[], cwd = folder) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], {
    cwd,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const covey = (words: readonly string[], cwd = folder) =>
  node(join(installed, "host-tools/cli/bin.js"), words, cwd);

beforeAll(() => {
  mkdirSync(join(folder, "node_modules"));
  expect(node(build, [installed])).toMatchObject({ status: 0, stderr: "" });
  for (const name of readdirSync(join(repository, "node_modules"))) {
    symlinkSync(join(repository, "node_modules", name), join(folder, "node_modules", name));
  }
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

it("has a command, types for the API, and no TypeScript that Node would have to read", () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect(existsSync(join(installed, manifest.bin.covey))).toBe(true);
  expect(existsSync(join(installed, manifest.exports["."].types))).toBe(true);
  expect(existsSync(join(installed, manifest.exports["."].default))).toBe(true);
  const sources = readdirSync(join(installed, "host-tools"), { recursive: true, encoding: "utf8" });
  expect(sources.filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))).toEqual([]);
});

it("makes a swarm that type-checks against it", () => {
  expect(covey(["init", "house"])).toMatchObject({ status: 0 });
  expect(node(compiler, ["-p", swarm])).toMatchObject({ status: 0, stdout: "" });
});

it("runs that swarm", () => {
  const ports = ["--http-port", "0", "--mqtt-port", "0"];
  const { status, stdout } = covey(["sim", "--engine", "virtual", "--for", "2s", "--json", ...ports], swarm);
  expect(JSON.parse(stdout)).toMatchObject({ boards: [{ id: "first" }, { id: "second" }], violations: [] });
  expect(status).toBe(0);
}, 60_000);

it("bundles the firmware from the sources in it", async () => {
  const { bundleFirmware } = await import(join(installed, "host-tools/bundler/bundle.js"));
  const { coreBytes } = await bundleFirmware({ main: "desktop" });
  expect(coreBytes).toBeGreaterThan(10_000);
});

it("is not written over what is there", () => {
  expect(node(build, [repository])).toMatchObject({
    status: 1,
    stderr: `${repository} is not empty; name a new folder.\n`,
  });
});
