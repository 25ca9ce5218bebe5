/**
 * Decision trees as 16-bit words, in the order in which they are first come by: a decision, then its left half, then its right.
 *
 * - A decision is two words: `feature * 512 + words to the right half`, and a threshold. A row whose feature is at most the threshold goes left, where the
 *   next word is; any other goes right.
 * - A leaf is one word, negative: `~number`.
 *
 * Four bytes a decision and two a leaf: a full tree of depth 6 takes 380 bytes, and three array accesses decide.
 */
import { modelLimits } from "./model.ts";
import type { PackedReader } from "./packed.ts";

/** Words to the right half, at most; so trees of depth 8 always fit, and deeper ones that are not full. */
export const rightOffsetMax = 511;
export const leafNumberMax = 32_767;

/** The number of the leaf that `row` comes to, in the tree that begins at `root`. */
export function leafOf(words: Int16Array, root: number, row: Int16Array): number {
  let at = root;
  let word = words[at]!;
  while (word >= 0) {
    at += row[word >> 9]! <= words[at + 1]! ? 2 : word & 511;
    word = words[at]!;
  }
  return ~word;
}

/** Where each of the trees in `words` begins. Throws `ShapeError` unless they are `trees` whole trees and nothing else. */
export function treeRoots(
  reader: PackedReader,
  words: Int16Array,
  trees: number,
  features: number,
  leaves: number,
): Uint16Array {
  const roots = new Uint16Array(trees);
  let at = 0;
  for (let tree = 0; tree < trees; tree++) {
    roots[tree] = at;
    at = treeEnd(reader, words, at, features, leaves);
  }
  if (at !== words.length) reader.fail("the words", `${at} words`, words.length);
  return roots;
}

/** Walks through a whole tree. `rights`: where the right halves begin that are still to come. */
function treeEnd(
  reader: PackedReader,
  words: Int16Array,
  root: number,
  features: number,
  leaves: number,
): number {
  const rights: number[] = [];
  for (let at = root; ; ) {
    if (at >= words.length) reader.fail("a tree", "whole", at);
    const word = words[at]!;
    if (word >= 0) {
      if (word >> 9 >= features) reader.fail("a feature", `below ${features}`, word >> 9);
      if (rights.length === modelLimits.depthMax) reader.fail("a tree", "less deep", rights.length + 1);
      rights.push(at + (word & 511));
      at += 2;
    } else {
      if (~word >= leaves) reader.fail("a leaf", `below ${leaves}`, ~word);
      at++;
      // A left half ends where its right one begins; the end of that ends their tree.
      const right = rights.pop();
      if (right === undefined) return at;
      if (right !== at) reader.fail("a right half", `at word ${at}`, right);
    }
  }
}

/** A tree as its trainer has it. */
export type TreeNode =
  | { readonly leaf: number }
  | {
      readonly feature: number;
      readonly threshold: number;
      readonly left: TreeNode;
      readonly right: TreeNode;
    };

/** A tree has a half that is too long for the format. */
export class TreeTooLarge extends Error {
  readonly words: number;

  constructor(words: number) {
    super(`A tree has a half of ${words} words; ${rightOffsetMax - 2} are the most, so grow it less deep.`);
    this.words = words;
  }

  override get name(): string {
    return "TreeTooLarge";
  }
}

/** Throws `TreeTooLarge`. */
export function treeWords(node: TreeNode): number[] {
  if ("leaf" in node) return [~node.leaf];
  const left = treeWords(node.left);
  const offset = left.length + 2;
  if (offset > rightOffsetMax) throw new TreeTooLarge(left.length);
  return [node.feature * 512 + offset, node.threshold, ...left, ...treeWords(node.right)];
}
