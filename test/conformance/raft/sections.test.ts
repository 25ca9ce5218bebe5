import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const repository = join(import.meta.dirname, "../../..");

it("the page on Raft names every scenario, and only such as there are", () => {
  const page = readFileSync(join(repository, "docs/raft.md"), "utf8");
  const named = [...page.matchAll(/`((?:paper|thesis|covey)-[\w.-]+\.txt)`/g)].map(([, file]) => file);
  expect(named.sort()).toEqual(readdirSync(join(import.meta.dirname, "scenarios")).sort());
});

it("the other tests and the pictures that it names are there", () => {
  const page = readFileSync(join(repository, "docs/raft.md"), "utf8");
  const tests = [...page.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path]) => join(repository, path!));
  const pictures = [...page.matchAll(/\]\((images\/[\w.-]+)\)/g)].map(([, path]) =>
    join(repository, "docs", path!),
  );
  expect(tests.length).toBeGreaterThan(3);
  expect(pictures.length).toBe(2);
  expect([...tests, ...pictures].filter((path) => !existsSync(path))).toEqual([]);
});
