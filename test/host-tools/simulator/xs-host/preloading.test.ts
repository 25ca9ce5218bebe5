/**
 * What a board may and may not do with preloaded code, on the real engine. The SDK's linker was measured to behave so
 * (docs/decisions/preloading.md); the firmware is written to it, and this host must not be more lenient than a board.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { BUILD_TIMEOUT_MS, probe, sharedHost } from "./probe.ts";

beforeAll(sharedHost, BUILD_TIMEOUT_MS);

interface Case {
  readonly what: string;
  readonly core: string;
  readonly body: string;
}

describe("works on preloaded code", () => {
  const cases: (Case & { readonly gives: readonly [string, string] })[] = [
    {
      what: "making instances and changing them",
      core: "export class Counter { #n = 0; step = 2; add() { this.#n += this.step; return this.#n; } }",
      body: "const c = new Counter(); c.add(); c.step = 5; c.extra = 1; return c.add() + c.extra;",
      gives: ["8", "8"],
    },
    {
      what: "subclassing",
      core: "export class A { constructor(x) { this.x = x; } value() { return this.x; } }",
      body: "class B extends A { value() { return super.value() + 1; } } return new B(4).value();",
      gives: ["5", "5"],
    },
    {
      what: "symbols",
      core: "export const s = Symbol('q');\nexport const o = Object.freeze({ [s]: 5 });\nexport const t = Symbol.for('shared');",
      body: "return o[s] + s.description + (Symbol.for('shared') === t);",
      gives: ["5qtrue", "5qtrue"],
    },
    {
      what: "tagged templates",
      core: `const tag = (s, ...v) => s.raw.join('-') + v.join();
export function render(x) { return tag\`a\${x}b\`; }`,
      body: "return render(3) + render(4);",
      gives: ["a-b3a-b4", "a-b3a-b4"],
    },
    {
      what: "reading tables, typed arrays and maps",
      core: "export const t = Object.freeze([1, Object.freeze({ a: 'x' })]);\nexport const u = new Uint8Array([1, 2, 3]);\nexport const m = new Map([['k', 7]]);",
      body: "return t[1].a + u[1] + m.get('k') + u.slice(1).join() + t.map((x) => x).length;",
      gives: ["x272,32", "x272,32"],
    },
    {
      what: "a module-level let, which moves to RAM when written",
      core: "export let n = 0;\nexport function bump() { return ++n; }",
      body: "bump(); return bump() + n;",
      gives: ["4", "8"],
    },
    {
      what: "arrays and objects that are not frozen, copied to RAM when written",
      core: "export const a = [1, 2];\nexport const o = { p: 1, q: { r: 2 } };",
      body: "a[0] = 9; a.push(3); o.p++; o.q.r++; o.z = 1; return a.join('') + o.p + o.q.r + o.z;",
      gives: ["923231", "9233341"],
    },
    {
      what: "#fields of a preloaded singleton",
      core: "class S { #n = 0; add() { return ++this.#n; } }\nexport const s = new S();",
      body: "s.add(); return s.add();",
      gives: ["2", "4"],
    },
    {
      what: "strings, big integers and dates as values",
      core: "export const s = 'abc';\nexport const b = 12345678901234567890n;\nexport const d = new Date(5);",
      body: "return (s + b + d.getTime()).toUpperCase() + String(b + 1n);",
      gives: ["ABC12345678901234567890512345678901234567891", "ABC12345678901234567890512345678901234567891"],
    },
    {
      what: "promises and async functions",
      core: "export const p = Promise.resolve(4);\nexport async function f() { return (await p) + 1; }\nexport const seen = [];",
      body: "f().then((v) => seen.push(v)); return seen.join();",
      gives: ["", "5"],
    },
    {
      what: "generators made while running",
      core: "export function* g() { yield 1; yield 2; }",
      body: "return [...g()].join();",
      gives: ["1,2", "1,2"],
    },
    {
      what: "error classes that name themselves with a getter",
      core: "export class Full extends Error { get name() { return 'Full'; } constructor(n) { super('of ' + n); this.n = n; } }",
      body: "try { throw new Full(3); } catch (e) { return e + e.n + (e instanceof Full); }",
      gives: ["Full: of 33true", "Full: of 33true"],
    },
    {
      what: "a regular expression without flags",
      core: "export const r = /a(b)/;",
      body: "return r.exec('xab')[1] + r.test('ab');",
      gives: ["btrue", "btrue"],
    },
  ];
  test.each(cases)("$what", async ({ core, body, gives }) => {
    expect(await probe(core, body)).toEqual(gives);
  });
});

describe("throws on preloaded code", () => {
  const cases: (Case & { readonly message: string })[] = [
    {
      what: "writing a static field",
      core: "export class A { static n = 0; static bump() { return ++A.n; } }",
      body: "return A.bump();",
      message: "set n: not writable",
    },
    {
      what: "writing a static #field",
      core: "export class A { static #n = 0; static bump() { return ++A.#n; } }",
      body: "return A.bump();",
      message: "set #n: not writable",
    },
    {
      what: "a lazy static cache",
      core: "export class A { static get() { return (this.cache ??= 5); } }",
      body: "return A.get();",
      message: "set cache: not extensible",
    },
    {
      what: "Map.prototype.set on a module-level Map",
      core: "export const m = new Map([['a', 1]]);",
      body: "m.set('a', 2);",
      message: "Map instance is read-only",
    },
    {
      what: "Map.prototype.delete",
      core: "export const m = new Map([['a', 1]]);",
      body: "m.delete('a');",
      message: "Map instance is read-only",
    },
    {
      what: "Set.prototype.add",
      core: "export const s = new Set([1]);",
      body: "s.add(2);",
      message: "Set instance is read-only",
    },
    {
      what: "WeakMap.prototype.set",
      core: "export const w = new WeakMap();",
      body: "w.set({}, 1);",
      message: "WeakMap instance is read-only",
    },
    {
      what: "WeakSet.prototype.add",
      core: "export const w = new WeakSet();",
      body: "w.add({});",
      message: "WeakSet instance is read-only",
    },
    {
      what: "writing an element of a typed array",
      core: "export const u = new Uint8Array(4);",
      body: "u[0] = 1;",
      message: "read-only buffer",
    },
    {
      what: "filling a typed array",
      core: "export const u = new Float64Array(4);",
      body: "u.fill(1);",
      message: "read-only buffer",
    },
    {
      what: "copying into a typed array",
      core: "export const u = new Uint8Array(4);",
      body: "u.set([1, 2]);",
      message: "read-only buffer",
    },
    {
      what: "writing through a DataView",
      core: "export const d = new DataView(new ArrayBuffer(4));",
      body: "d.setUint8(0, 1);",
      message: "read-only buffer",
    },
    {
      what: "a Map inside a preloaded singleton",
      core: "class S { #m = new Map(); put(k) { this.#m.set(k, 1); } }\nexport const s = new S();",
      body: "s.put(1);",
      message: "Map instance is read-only",
    },
    {
      what: "bytes inside a preloaded singleton",
      core: "class S { #b = new Uint8Array(4); put(v) { this.#b[0] = v; } }\nexport const s = new S();",
      body: "s.put(1);",
      message: "read-only buffer",
    },
    {
      what: "this.name = in an Error's constructor",
      core: "export class E extends Error { constructor(m) { super(m); this.name = 'E'; } }",
      body: "new E('x');",
      message: "set name: not writable",
    },
    {
      what: "assigning toString",
      core: "export class A {}",
      body: "new A().toString = () => '';",
      message: "set toString: not writable",
    },
    {
      what: "assigning constructor",
      core: "export class A {}",
      body: "new A().constructor = A;",
      message: "set constructor: not writable",
    },
    {
      what: "overriding a method by assignment",
      core: "export class A { m() {} }",
      body: "new A().m = () => {};",
      message: "set m: not writable",
    },
    {
      what: "patching a preloaded prototype",
      core: "export class A {}",
      body: "A.prototype.x = 1;",
      message: "set x: not extensible",
    },
    {
      what: "patching a built-in prototype",
      core: "export class A {}",
      body: "Array.prototype.x = 1;",
      message: "set x: not extensible",
    },
    {
      what: "JSON.stringify of a preloaded object",
      core: "export const o = Object.freeze({ a: 1 });",
      body: "return JSON.stringify(o);",
      message: "read only value",
    },
    {
      what: "a /g regular expression, which writes lastIndex",
      core: "export const r = /a/g;",
      body: "return 'aa'.replace(r, 'b');",
      message: "C: xsSet lastIndex: not writable",
    },
    {
      what: "eval",
      core: "export class A {}",
      body: "return eval('1 + 1');",
      message: "a board has no parser: source cannot be evaluated",
    },
    {
      what: "the Function constructor",
      core: "export class A {}",
      body: "return new Function('return 1')();",
      message: "a board has no parser: source cannot be evaluated",
    },
  ];
  test.each(cases)("$what", async ({ core, body, message }) => {
    const thrown = `throws TypeError: ${message}`;
    expect(await probe(core, body)).toEqual([thrown, thrown]);
  });
});

describe("dies at the write, and says where, on preloaded code", () => {
  const cases: (Case & { readonly where: string })[] = [
    {
      what: "changing a Date",
      core: "export const d = new Date(5);",
      body: "d.setTime(9);",
      where: "setTime",
    },
    {
      what: "resuming a live generator",
      core: "function* g() { yield 1; yield 2; }\nexport const it = g();",
      body: "return it.next().value;",
      where: "next",
    },
    {
      what: "advancing a live iterator",
      core: "export const it = [1, 2][Symbol.iterator]();",
      body: "return it.next().value;",
      where: "next",
    },
  ];
  test.each(cases)("$what", async ({ core, body, where }) => {
    expect(await probe(core, body)).toEqual([
      `dies: flash write: write to preloaded (flash) memory in ${where}, called by body: ` +
        "what a preloaded module made at its top level cannot be changed so",
    ]);
  });
});

test("the globals that a chip lacks are lacking", async () => {
  const names = [
    ...["setTimeout", "console", "TextEncoder", "structuredClone", "crypto", "fetch", "URL"],
    ...["queueMicrotask", "Intl", "Buffer", "process", "require", "window"],
  ];
  const [found] = await probe(
    "export class A {}",
    `return ${JSON.stringify(names)}.filter((n) => n in globalThis).join();`,
  );
  expect(found).toBe("");
});

describe("a core that cannot be preloaded", () => {
  test("says what its top level threw", async () => {
    expect(await probe("throw new RangeError('no good');", "")).toEqual([
      "dies: uncaught exception: uncaught exception while preloading core: RangeError: no good",
    ]);
  });

  test("says which module it imports in vain", async () => {
    expect(await probe("import { x } from 'elsewhere';\nexport const y = x;", "")).toEqual([
      'dies: uncaught exception: uncaught exception while preloading core: ReferenceError: module "elsewhere" not found',
    ]);
  });
});
