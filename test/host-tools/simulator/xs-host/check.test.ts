import { beforeAll, expect, test } from "vitest";
import { compileModule } from "../../../../host-tools/simulator/xs-host/bytecode.ts";
import { findChangeable, PreloadFailed } from "../../../../host-tools/simulator/xs-host/check.ts";
import { BUILD_TIMEOUT_MS, sharedHost } from "./probe.ts";
import { sampleCore } from "./sample-core.ts";

beforeAll(sharedHost, BUILD_TIMEOUT_MS);

async function findings(source: string): Promise<string[]> {
  const host = await sharedHost();
  const found = await findChangeable(host, await compileModule(host, "core", source));
  return found.map(({ what, path }) => `${what}: ${path}`);
}

test("classes, functions, frozen tables and buffers are clean", async () => {
  expect(await findings(sampleCore())).toEqual([]);
  expect(
    await findings(`
      const limits = Object.freeze({ a: Object.freeze([1, Object.freeze({ b: 2 })]) });
      export const bytes = new Uint8Array(4);
      export const names = new Map([["x", 1]]);
      export class Base { #n = 0; static make() { return new this(); } get n() { return this.#n + limits.a[0]; } }
      export class Derived extends Base { async later() { await null; } *each() { yield this.n; } static {
        Object.freeze(this.prototype.each.prototype);
      } }
    `),
  ).toEqual([]);
});

test("names the path to each thing that is not frozen", async () => {
  expect(await findings("export const table = Object.freeze([1, { deep: [2] }]);")).toEqual([
    "not frozen: table[1]",
    "not frozen: table[1].deep",
  ]);
});

test("sees through closures and private fields", async () => {
  expect(
    await findings(`
      const hidden = { n: 1 };
      class S { #list = []; size() { return this.#list.length; } }
      export const s = Object.freeze(new S());
      export function read() { return hidden.n; }
    `),
  ).toEqual(["not frozen: s.#list", "not frozen: read() hidden"]);
});

test("names variables that are not const", async () => {
  expect(
    await findings("export let count = 0;\nvar total = 0;\nexport const add = () => { total += ++count; };"),
  ).toEqual(["not const: count", "not const: add() total"]);
});

test("names generator methods whose prototype is not frozen", async () => {
  expect(await findings("export class A { *each() { yield 1; } }")).toEqual([
    "not frozen: A.prototype.each.prototype",
  ]);
});

test("names what cannot even be copied to RAM", async () => {
  expect(
    await findings("function* g() { yield 1; }\nexport const it = g();\nexport const day = new Date(0);"),
  ).toEqual(expect.arrayContaining(["generator: it", "date: day"]));
});

test("a core that throws is said to, in its own words", async () => {
  await expect(findings("throw new Error('broken');")).rejects.toThrow(PreloadFailed);
  await expect(findings("throw new Error('broken');")).rejects.toThrow(
    "uncaught exception while preloading core: Error: broken",
  );
});
