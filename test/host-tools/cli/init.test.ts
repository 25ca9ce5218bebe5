/** `covey init`: three files that load and type-check, and nothing overwritten. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { covey, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);
const repository = join(import.meta.dirname, "../../..");
const files = ["package.json", "swarm.ts", "tsconfig.json"];

it("makes a swarm of three files, named after its folder", async () => {
  const { exitCode, stdout } = await covey(["init", "My Greenhouse"], folder);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("\n  cd 'My Greenhouse'\n  npm install\n");
  const made = join(folder, "My Greenhouse");
  expect(readdirSync(made).sort()).toEqual(files);
  const manifest = JSON.parse(readFileSync(join(made, "package.json"), "utf8")) as Record<string, unknown>;
  expect(manifest).toMatchObject({
    name: "my-greenhouse",
    dependencies: { covey: `file:${repository}` },
    devDependencies: { node: "^24.0.0" },
  });
});

it("makes a swarm that loads without a mistake", () => {
  const script = join(repository, "test/host-tools/swarm-file/load-in-process.ts");
  const { stdout } = spawnSync(process.execPath, [script, join(folder, "My Greenhouse")], {
    encoding: "utf8",
  });
  expect(JSON.parse(stdout)).toMatchObject([
    { definition: { name: "my-greenhouse", voters: ["first", "second"] } },
  ]);
});

it("makes a swarm that type-checks as its tsconfig.json says, without Node's types", () => {
  const made = join(folder, "My Greenhouse");
  mkdirSync(join(made, "node_modules"));
  symlinkSync(repository, join(made, "node_modules/covey"));
  const compiler = join(repository, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", made], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});

it("is refused the second time and changes nothing", async () => {
  const made = join(folder, "My Greenhouse");
  const before = files.map((name) => readFileSync(join(made, name), "utf8"));
  expect(await covey(["init", "My Greenhouse"], folder)).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: `${made}/package.json is there already and init overwrites nothing; choose another folder.\n`,
  });
  expect(files.map((name) => readFileSync(join(made, name), "utf8"))).toEqual(before);
});

it("writes none of the files where one of them is", async () => {
  const other = join(folder, "other");
  mkdirSync(other);
  writeFileSync(join(other, "swarm.ts"), "mine");
  expect((await covey(["init", "--json"], other)).exitCode).toBe(2);
  expect(readdirSync(other)).toEqual(["swarm.ts"]);
});
