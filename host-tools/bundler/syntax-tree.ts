/** Walking and reading the syntax tree (ESTree, as acorn builds it) of a joined core. */
import type { AnyNode, Class, Identifier, MemberExpression, Program } from "acorn";

/** Calls `visit` for each node under `node`, parents first. `ancestors` runs from the program to the parent. */
export function walk(node: AnyNode, visit: (node: AnyNode, ancestors: readonly AnyNode[]) => void): void {
  const ancestors: AnyNode[] = [];
  const step = (current: AnyNode): void => {
    visit(current, ancestors);
    ancestors.push(current);
    for (const child of children(current)) step(child);
    ancestors.pop();
  };
  step(node);
}

/** The direct children of a node, in source order. */
export function children(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flatMap((value: unknown) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is AnyNode => typeof value?.type === "string" && typeof value.start === "number");
}

/** What a module-level name stands for: the node that gives it its value, or undefined for one without a value. */
export type ModuleBindings = ReadonlyMap<string, AnyNode | undefined>;

/**
 * The names declared at the module's top level. A class's inner name counts too: esbuild writes
 * `var Queue = class _Queue {...}` when the class names itself.
 *
 * esbuild gives no nested binding a name of the top level, so a name found here is never shadowed.
 */
export function moduleBindings(program: Program): ModuleBindings {
  const bindings = new Map<string, AnyNode | undefined>();
  for (const statement of program.body) {
    if (statement.type === "VariableDeclaration") {
      for (const { id, init } of statement.declarations) {
        for (const name of patternNames(id)) bindings.set(name, init ?? undefined);
        if (init?.type === "ClassExpression" && init.id) bindings.set(init.id.name, init);
      }
    } else if (statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration") {
      bindings.set(statement.id.name, statement);
    }
  }
  return bindings;
}

/** Every name that the module declares at any depth. What is referenced and not among them is a global. */
export function declaredNames(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (patterns: readonly AnyNode[]) => {
    for (const pattern of patterns) for (const name of patternNames(pattern)) names.add(name);
  };
  walk(program, (node) => {
    if (node.type === "VariableDeclarator") add([node.id]);
    else if (node.type === "CatchClause" && node.param) add([node.param]);
    else if (isFunction(node)) add(node.id ? [node.id, ...node.params] : node.params);
    else if (isClass(node) && node.id) add([node.id]);
    else if (node.type.startsWith("Import") && "local" in node) add([node.local as Identifier]);
  });
  return names;
}

/** The names that a destructuring pattern, or a plain identifier, binds. */
export function patternNames(pattern: AnyNode): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) =>
        patternNames(property.type === "Property" ? property.value : property.argument),
      );
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => (element ? patternNames(element) : []));
    case "AssignmentPattern":
      return patternNames(pattern.left);
    case "RestElement":
      return patternNames(pattern.argument);
    default:
      return [];
  }
}

export type FunctionNode = Extract<
  AnyNode,
  { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }
>;

export function isFunction(node: AnyNode): node is FunctionNode {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}

export type ClassNode = Class & AnyNode;

export function isClass(node: AnyNode): node is ClassNode {
  return node.type === "ClassDeclaration" || node.type === "ClassExpression";
}

/** The name after the dot or before the colon: `x` of `a.x`, `a["x"]`, `#x` of `a.#x`; undefined when computed. */
export function memberName(node: {
  readonly property: AnyNode;
  readonly computed: boolean;
}): string | undefined {
  return keyName(node.property, node.computed);
}

export function keyName(key: AnyNode, computed: boolean): string | undefined {
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  if (key.type === "Identifier" && !computed) return key.name;
  return key.type === "Literal" && typeof key.value === "string" ? key.value : undefined;
}

/** The left end of a chain of members: `a` of `a.b[0].c`. */
export function chainRoot(node: AnyNode): AnyNode {
  let root = node;
  while (root.type === "MemberExpression" || root.type === "ChainExpression") {
    root = (root.type === "MemberExpression" ? root.object : root.expression) as AnyNode;
  }
  return root;
}

/** Whether `node` is the call `object.method(...)` of a global object: `Object.freeze(...)`. */
export function isBuiltInCall(node: AnyNode, object: string, method?: string): boolean {
  if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return false;
  const callee: MemberExpression = node.callee;
  if (callee.object.type !== "Identifier" || callee.object.name !== object) return false;
  return method === undefined || memberName(callee as never) === method;
}
