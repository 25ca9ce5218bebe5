/**
 * What the board's engine lacks: globals of hosts, syntax and methods after ES2022, and what costs too much there.
 *
 * The engine proven here is XS 13.3; the list of what it has was read off that engine's global object.
 */
import type { AnyNode, Program } from "acorn";
import type { Complaint } from "./finding.ts";
import { declaredNames, keyName, memberName, walk } from "./syntax-tree.ts";

const availableGlobals: ReadonlySet<string> = new Set(
  (
    "undefined NaN Infinity isNaN isFinite parseInt parseFloat " +
    "Object Array String Number Boolean Symbol BigInt Math JSON Reflect Proxy Promise " +
    "Map Set WeakMap WeakSet ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array " +
    "Int32Array Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array " +
    "Error TypeError RangeError SyntaxError ReferenceError URIError EvalError AggregateError"
  ).split(" "),
);

/** What to write for a global that a board lacks or that the core must not touch. */
const replacements: ReadonlyMap<string, string> = new Map([
  ["setTimeout", "use the clock port's setTimer"],
  ["setInterval", "use the clock port's setTimer"],
  ["clearTimeout", "use the cancel method of the clock port's timer"],
  ["console", "use the system port's log"],
  ["trace", "use the system port's log"],
  ["crypto", "use the random port"],
  ["Date", "take the time as an argument, or use the clock port"],
  ["TextEncoder", "use the project's own UTF-8 functions in protocols/"],
  ["TextDecoder", "use the project's own UTF-8 functions in protocols/"],
  ["structuredClone", "copy the fields"],
  ["queueMicrotask", "use the clock port's setTimer with a delay of 0"],
  ["Buffer", "use Uint8Array"],
  ["process", "use the system port"],
  ["RegExp", "compare characters by their codes"],
  ["globalThis", "pass what is needed as an argument"],
]);

/** Methods newer than ES2022 whose names mean nothing else. */
const newerMethods: ReadonlySet<string> = new Set(
  (
    "toSorted toReversed toSpliced findLast findLastIndex groupBy groupByToMap fromAsync withResolvers isWellFormed " +
    "toWellFormed fromBase64 toBase64 fromHex toHex setFromBase64 setFromHex transferToFixedLength waitAsync " +
    "symmetricDifference isSubsetOf isSupersetOf isDisjointFrom getOrInsert getOrInsertComputed f16round"
  ).split(" "),
);

/**
 * Complains about everything in a joined module that the engine of a board does not have.
 *
 * @param platformGlobals what the platform adds to the engine's own globals; nothing for the core
 */
export function engineLimits(program: Program, platformGlobals: readonly string[]): Complaint[] {
  const complaints: Complaint[] = [];
  const declared = new Set([...declaredNames(program), ...platformGlobals]);
  walk(program, (node, ancestors) => {
    const complaint =
      node.type === "Identifier" ? globalComplaint(node, ancestors.at(-1), declared) : syntaxComplaint(node);
    if (complaint) complaints.push({ node, ...complaint });
  });
  return complaints;
}

type Text = Omit<Complaint, "node">;

function globalComplaint(
  node: AnyNode & { type: "Identifier" },
  parent: AnyNode | undefined,
  declared: ReadonlySet<string>,
): Text | undefined {
  if (declared.has(node.name) || availableGlobals.has(node.name) || !isReference(node, parent))
    return undefined;
  const reach = replacements.get(node.name);
  return {
    what: `global ${node.name}`,
    why:
      node.name === "Date"
        ? "a core that reads the time itself can't be replayed"
        : "the engine of a board has no such global, or the core can't use it",
    instead: reach ?? "take it as an argument, or reach it through a port of firmware/platform/ports.ts",
  };
}

function syntaxComplaint(node: AnyNode): Text | undefined {
  if (node.type === "Literal" && node.regex) {
    return {
      what: `regular expression ${node.raw}`,
      why: "it keeps state when preloaded and its compiled form costs heap",
      instead: "compare characters by their codes",
    };
  }
  if (node.type === "MetaProperty" && node.meta.name === "import") {
    return {
      what: "import.meta",
      why: "the linked core has no address",
      instead: "take what is needed as an argument",
    };
  }
  if (node.type !== "MemberExpression") return undefined;
  const name = memberName(node as never);
  if (name !== undefined && newerMethods.has(name)) {
    return {
      what: `method ${name}`,
      why: "it is newer than ES2022, and the engine of a board lacks it",
      instead: "write the loop",
    };
  }
  if (name === "random" && node.object.type === "Identifier" && node.object.name === "Math") {
    return {
      what: "Math.random",
      why: "a core with randomness of its own can't be replayed",
      instead: "take the random bytes as an argument, or use the random port",
    };
  }
  return undefined;
}

/** Whether an identifier is read as a variable, rather than being the name of a member, key, label or export. */
function isReference(node: AnyNode & { type: "Identifier" }, parent: AnyNode | undefined): boolean {
  switch (parent?.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.value === node || keyName(parent.key, parent.computed) === undefined;
    case "ExportSpecifier":
      return parent.local === node;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
      return false;
    default:
      return true;
  }
}
