/** Every decoder that faces the network, on anything: only its named errors, no hang, and nothing out that is much larger than what came in. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutate } from "./mutate.ts";
import { randomOf } from "./random.ts";
import { exercise, Finding, type Target } from "./target.ts";
import { notFacing, targets } from "./targets/all.ts";

const root = join(import.meta.dirname, "../..");

/** Folders with decoders of what comes from elsewhere. */
const watched = [
  "protocols",
  "host-tools/leader/hosts",
  "host-tools/leader/checkpoints",
  "host-tools/leader/keeping",
  "host-tools/leader/registers",
  "host-tools/monitor",
];

describe("the table of decoders", () => {
  test(`has every exported one of ${watched.join(", ")}`, () => {
    const listed = new Set(targets.flatMap(({ covers }) => covers));
    const missing = decodersOf(...watched).filter(
      (name) => !listed.has(name) && notFacing[name] === undefined,
    );
    expect(missing, "add it to test/fuzz/targets/, or to notFacing with its reason").toEqual([]);
  });

  test("has none that is not there any more", () => {
    const there = new Set(exportsOf(...watched, "host-tools/codec"));
    const listed = [...targets.flatMap(({ covers }) => covers), ...Object.keys(notFacing)];
    expect(listed.filter((name) => !there.has(name))).toEqual([]);
  });

  test("has seeds that are read, so that what is near them reaches far into a decoder", () => {
    for (const target of targets.filter(({ errors }) => errors.length > 0)) {
      expect(target.seeds.length, target.name).toBeGreaterThan(0);
      const read = target.seeds.filter((seed) => {
        try {
          target.decode(seed);
          return true;
        } catch {
          return false;
        }
      });
      expect(read.length, target.name).toBe(target.seeds.length);
    }
  });
});

describe("whatever comes", () => {
  test.each(targets.map((target) => [target.name, target] as const))("as %s is borne", (_name, target) => {
    fc.assert(
      fc.property(inputs(target), (bytes) => exercise(target, bytes)),
      { numRuns: 300 },
    );
  });

  // A header of a few bytes that announces 2^32 items, pairs or bytes.
  test.each(targets.map((target) => [target.name, target] as const))(
    "claiming much to %s takes no memory",
    (_name, target) => {
      for (const initial of [0x5a, 0x7a, 0x9a, 0xba, 0x5b, 0x7b, 0x9b, 0xbb, 0xdb, 0x30, 0xff]) {
        const claim = Uint8Array.of(initial, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
        for (const input of [claim, nested(claim), new Uint8Array([0x83, 0x01, ...claim])]) {
          const before = process.memoryUsage();
          exercise(target, input);
          const after = process.memoryUsage();
          const took = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
          expect(took, Buffer.from(input).toString("hex")).toBeLessThan(4_000_000);
        }
      }
    },
  );
});

test("a decoder that throws what it should not, and one that gives too much, are found", () => {
  const bad: Target = {
    name: "bad",
    covers: [],
    seeds: [],
    errors: [RangeError],
    decode: (bytes) => bytes[0]!.toFixed(200),
  };
  expect(() => exercise(bad, Uint8Array.of(1))).not.toThrow();
  expect(() => exercise(bad, new Uint8Array(0))).toThrow(Finding);
  const large: Target = { ...bad, decode: () => new Uint8Array(100_000) };
  expect(() => exercise(large, Uint8Array.of(1))).toThrow(/gave more/);
});

/** Any bytes, and what is near real ones. */
function inputs(target: Target): fc.Arbitrary<Uint8Array> {
  const any = fc.uint8Array({ maxLength: 300 });
  if (target.seeds.length === 0) return any;
  const near = fc
    .tuple(fc.nat(target.seeds.length - 1), fc.nat(), fc.integer({ min: 1, max: 6 }))
    .map(([seed, chance, times]) => mutate(target.seeds[seed]!, target.seeds, randomOf(chance), times));
  return fc.oneof({ weight: 1, arbitrary: any }, { weight: 3, arbitrary: near });
}

function nested(inner: Uint8Array): Uint8Array {
  return new Uint8Array([...new Uint8Array(300).fill(0x81), ...inner]);
}

const decoderName = /^(read|decode|parse)[A-Z]\w*$|FromWire$|^publish(PayloadStart|Topic)$|Reader$/;

function decodersOf(...folders: string[]): string[] {
  return exportsOf(...folders).filter((each) => decoderName.test(each.split(" ")[1]!));
}

/** `file name` of every exported function and class. */
function exportsOf(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .flatMap((entry) => {
        const path = join(entry.parentPath, entry.name);
        const source = readFileSync(path, "utf8");
        return [...source.matchAll(/^export (?:async )?(?:function|class) (\w+)/gm)].map(
          ([, name]) => `${relative(root, path)} ${name}`,
        );
      }),
  );
}
