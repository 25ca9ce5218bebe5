import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { readModel } from "../../../protocols/model/codec.ts";
import { exponential } from "../../../protocols/model/exponential.ts";
import { packForest } from "../../../protocols/model/forest.ts";
import type { HalfSpaces } from "../../../protocols/model/half-spaces.ts";
import { type ModelKind, modelKinds, modelPartKey } from "../../../protocols/model/model.ts";
import { packModel } from "../../../protocols/model/packed.ts";
import { type TreeNode, TreeTooLarge } from "../../../protocols/model/trees.ts";
import { isStateKey } from "../../../protocols/state/codec.ts";
import { smallModels } from "./small-models.ts";

const ofKind = (kind: ModelKind) => readModel(smallModels()[modelKinds.indexOf(kind)]!);
const decided = (kind: ModelKind, x: number, y: number) => ofKind(kind).decide(Float64Array.of(x, y));

describe("what models decide, worked out by hand", () => {
  test("a forest's leaves vote, and may share their vote", () => {
    const forest = ofKind("forest");
    const shares = (x: number, y: number) => [
      forest.decide(Float64Array.of(x, y)),
      forest.score(0),
      forest.score(1),
    ];
    expect(shares(10.4, 9)).toEqual([0, 0.5, 0.5]);
    expect(shares(10.5, 5)).toEqual([1, 0.2, 0.8]);
    expect(shares(11, 6)).toEqual([1, 0, 1]);
  });

  test("boosted trees add up to a score", () => {
    const boosted = ofKind("boosted");
    expect(boosted.decide(Float64Array.of(0, 0))).toBe(0);
    // 0.5 + (-8 + 1) / 4
    expect(boosted.score(1)).toBeCloseTo(1 / (1 + Math.exp(1.25)), 10);
    expect(boosted.score(0) + boosted.score(1)).toBeCloseTo(1, 12);
    expect(boosted.decide(Float64Array.of(11, 0))).toBe(1);
  });

  test("logistic regression takes the largest of its sums", () => {
    expect([decided("logistic", 9, 2), decided("logistic", 1, 5), decided("logistic", 3, 3)]).toEqual([
      0, 1, 2,
    ]);
    const model = ofKind("logistic");
    model.decide(Float64Array.of(1, 2));
    const powers = [1, 2, 4].map(Math.exp);
    const sum = powers.reduce((a, b) => a + b);
    for (const i of [0, 1, 2]) expect(model.score(i)).toBeCloseTo(powers[i]! / sum, 10);
  });

  test("a network rounds and bounds what its neurons give", () => {
    const network = ofKind("network");
    // Sums 37 and -27: activations 19 (18.5 rounds up) and 0; then 3 + 2 · 19, and 0.
    expect(network.decide(Float64Array.of(40, 3))).toBe(0);
    expect(network.score(0)).toBeCloseTo(1 / (1 + Math.exp(-0.41)), 6);
    expect(network.decide(Float64Array.of(-500, 500))).toBe(1);
    // Inputs end at 127: sums 254 and -244, so 127 and 0.
    network.decide(Float64Array.of(1e9, -1e9));
    expect(network.score(0)).toBeCloseTo(1 / (1 + Math.exp(-2.57)), 6);
  });

  test("naive Bayes weighs squares from the means", () => {
    expect([decided("bayes", 1, 1), decided("bayes", 3, 3)]).toEqual([0, 1]);
    const bayes = ofKind("bayes");
    bayes.decide(Float64Array.of(0, 0));
    expect(bayes.score(0)).toBeCloseTo(1 / (1 + Math.exp(-1 - 16)), 10);
  });

  test("clusters give the nearest centre and the distance to it", () => {
    const clusters = ofKind("clusters");
    expect(clusters.decide(Float64Array.of(3, 8))).toBe(1);
    expect(clusters.score(0)).toBe(0);
    expect(clusters.decide(Float64Array.of(0.6, 1.6))).toBe(0);
    expect(clusters.score(0)).toBeCloseTo(1, 6);
  });

  test("half-spaces take for anomalous what comes to where few have been, and forget", () => {
    const spaces = ofKind("half-spaces") as HalfSpaces;
    const score = (x: number) => {
      spaces.decide(Float64Array.of(x, 0));
      return spaces.score(0);
    };
    expect([score(0), score(11)]).toEqual([10 / (10 + 18), 10 / (10 + 2)]);
    for (let i = 0; i < 10; i++) {
      expect(score(11)).toBe(10 / 12);
      spaces.learn();
    }
    expect([score(0), score(11)]).toEqual([1, 10 / (10 + 20)]);
    const saved = spaces.save();
    const again = ofKind("half-spaces") as HalfSpaces;
    again.restore(saved);
    again.decide(Float64Array.of(0, 0));
    expect(again.score(0)).toBe(1);
    expect(() => again.restore([0, new Uint8Array(0), new Uint8Array(4)])).toThrow(ShapeError);
    expect(() => again.restore([10, new Uint8Array(3), new Uint8Array(3)])).toThrow(ShapeError);
  });
});

test("a forest decides as its trees do when they are walked as objects, on random trees and rows", () => {
  const node: fc.Memo<TreeNode> = fc.memo((depth) => {
    const leaf = fc.record({ leaf: fc.nat(2) });
    if (depth <= 1) return leaf;
    const decision = fc.record({
      feature: fc.nat(3),
      threshold: fc.integer({ min: -50, max: 50 }),
      left: node(depth - 1),
      right: node(depth - 1),
    });
    return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 4, arbitrary: decision });
  });
  const walk = (tree: TreeNode, row: readonly number[]): number => {
    if ("leaf" in tree) return tree.leaf;
    return walk(Math.floor(row[tree.feature]! + 0.5) <= tree.threshold ? tree.left : tree.right, row);
  };
  const number = fc.double({ min: -60, max: 60, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(node(7), { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(number, number, number, number), { minLength: 1, maxLength: 20 }),
      (trees, rows) => {
        const quantiser = Float32Array.of(0, 1, 0, 1, 0, 1, 0, 1);
        const model = readModel(packForest({ quantiser, classes: 3, trees, leaves: new Uint8Array(0) }));
        for (const row of rows) {
          const votes = [0, 0, 0];
          for (const tree of trees) votes[walk(tree, row)]!++;
          expect(model.decide(Float64Array.from(row))).toBe(votes.indexOf(Math.max(...votes)));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("the exponential is within 1e-11 of the engine's own", () => {
  for (let x = -690; x < 690; x += 0.37)
    expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(1e-11);
  expect(exponential(0)).toBe(1);
  expect(exponential(Infinity)).toBe(exponential(700));
  expect(exponential(-Infinity)).toBeGreaterThanOrEqual(0);
});

test("a full tree of depth 8 fits, and one of depth 9 is told to be too large", () => {
  const full = (depth: number): TreeNode =>
    depth === 0 ? { leaf: 0 } : { feature: 0, threshold: 0, left: full(depth - 1), right: full(depth - 1) };
  const quantiser = Float32Array.of(0, 1);
  const pack = (depth: number) =>
    packForest({ quantiser, classes: 2, trees: [full(depth)], leaves: new Uint8Array(0) });
  expect(readModel(pack(8)).decide(Float64Array.of(1))).toBe(0);
  // A full tree of depth 9 has halves of 766 words.
  expect(() => pack(9)).toThrow(TreeTooLarge);
});

describe("bytes that are no model are refused", () => {
  const forest = (words: readonly number[], trees = 1) =>
    packModel("forest", [1, 2, trees, words.length, 0], [Float32Array.of(0, 1), Int16Array.from(words)]);

  test.each<[string, Uint8Array, RegExp]>([
    ["a tree that ends in the middle", forest([2, 7]), /a tree must be whole/],
    ["a right half that is elsewhere", forest([4, 7, ~0, ~1]), /a right half must be at word 3, not 4/],
    ["a right half before its left one", forest([0, 7, ~0, ~1]), /a right half/],
    ["a feature that there is not", forest([512 + 3, 7, ~0, ~1]), /a feature must be below 1, not 1/],
    ["a leaf that there is not", forest([3, 7, ~0, ~2]), /a leaf must be below 2, not 2/],
    ["words behind the trees", forest([~0, ~1]), /the words must be 1 words, not 2/],
    ["fewer trees than said", forest([~0, ~1], 3), /words must be an integer from 3/],
    ["bytes too many", Uint8Array.from([...forest([~0]), 0]), /the end/],
    ["bytes too few", forest([~0]).slice(0, -1), /words must be 2 bytes/],
    [
      "an endless quantiser",
      packModel("logistic", [1, 2], [Float32Array.of(Infinity, 1)]),
      /weights 0 must be finite/,
    ],
    [
      "a head too long",
      packModel("logistic", [1, 2, 3], [Float32Array.of(0, 1)]),
      /the head must be shorter/,
    ],
    ["a head too short", packModel("logistic", [1], []), /classes must be there/],
    ["another version", Uint8Array.of(0x82, 2, 0), /the version must be an integer from 1 to 1, not 2/],
    ["another kind", Uint8Array.of(0x82, 1, 7), /the kind must be an integer from 0 to 6, not 7/],
    ["more than a model may have", new Uint8Array(7_201), /at most 7200 bytes/],
  ])("%s", (_, bytes, sentence) => {
    expect(() => readModel(bytes)).toThrow(ShapeError);
    expect(() => readModel(bytes)).toThrow(sentence);
  });

  test("what is not even CBOR", () => {
    expect(() => readModel(Uint8Array.of(1, 2, 3))).toThrow(CborError);
    expect(() => readModel(new Uint8Array(0))).toThrow(CborError);
  });
});

test("bytes at whatever place in a buffer are read", () => {
  for (const bytes of smallModels()) {
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    const [here, there] = [readModel(bytes.slice()), readModel(moved.subarray(3))];
    expect(there.decide(Float64Array.of(3, 4))).toBe(here.decide(Float64Array.of(3, 4)));
  }
});

test("parts of the longest name are kept under keys of the state", () => {
  expect(isStateKey(modelPartKey("a".repeat(24), 0xffff_ffff, 7))).toBe(true);
});
