/**
 * What a module does when it is linked: the rules for top-level statements and for the values that module-level names
 * and static fields begin with.
 *
 * The linker runs the core's top level once, on the computer, and writes what it left behind into flash. So the top level
 * may only make things: literals that are frozen through and through, classes, functions, and tables that are never
 * written.
 */
import type { AnyNode, Program } from "acorn";
import type { Complaint } from "./finding.ts";
import {
  type ClassNode,
  chainRoot,
  children,
  type FunctionNode,
  isBuiltInCall,
  isClass,
  isFunction,
  type ModuleBindings,
} from "./syntax-tree.ts";

const typedArrays: ReadonlySet<string> = new Set(
  (
    "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array " +
    "BigInt64Array BigUint64Array"
  ).split(" "),
);

/** Calls that compute a value from their arguments and touch nothing else. */
const pureNamespaces: ReadonlySet<string> = new Set([
  "Math",
  "Number",
  "String",
  "BigInt",
  "Symbol",
  ...typedArrays,
]);

const actingExpressions: ReadonlySet<string> = new Set([
  "TaggedTemplateExpression",
  "AwaitExpression",
  "AssignmentExpression",
  "UpdateExpression",
]);

/** Complains about top-level statements and initial values that act, or that leave something unfrozen. */
export function linkTime(program: Program, bindings: ModuleBindings): Complaint[] {
  const check = new LinkTimeCheck(bindings);
  for (const statement of program.body) check.statement(statement);
  check.generators();
  return check.complaints;
}

/** How an object or array literal is held: frozen, only read by the constructor it is passed to, or neither. */
type Hold = "frozen" | "temporary" | "loose";

class LinkTimeCheck {
  readonly complaints: Complaint[] = [];
  readonly #bindings: ModuleBindings;
  /** Module-level generator functions, less those whose prototype is frozen. */
  readonly #generators = new Map<string, AnyNode>();
  readonly #frozenPrototypes = new Set<string>();

  constructor(bindings: ModuleBindings) {
    this.#bindings = bindings;
  }

  statement(statement: AnyNode): void {
    switch (statement.type) {
      case "VariableDeclaration":
        for (const { id, init } of statement.declarations) {
          if (init) this.#value(init, "loose", id.type === "Identifier" ? id.name : undefined);
          else
            this.#complain(
              id,
              "module-level variable without a value",
              mutable,
              "keep it in a field of an instance",
            );
        }
        return;
      case "FunctionDeclaration":
        this.#function(statement, statement.id?.name);
        return;
      case "ClassDeclaration":
        this.#class(statement);
        return;
      case "ImportDeclaration":
      case "ExportNamedDeclaration":
      case "EmptyStatement":
        return;
      case "ExpressionStatement":
        if (statement.directive === undefined) this.#freezing(statement.expression);
        return;
      default:
        this.#complain(statement, "statement at module level", acts, "move it into a function");
    }
  }

  /** A generator function's prototype is an object of its own that the linker does not freeze. */
  generators(): void {
    for (const [name, node] of this.#generators) {
      if (this.#frozenPrototypes.has(name)) continue;
      this.#complain(node, `generator ${name}`, unfrozen, `add Object.freeze(${name}.prototype)`);
    }
  }

  /** The only call allowed as a statement: `Object.freeze(name)` or `Object.freeze(name.prototype)`. */
  #freezing(expression: AnyNode): void {
    const argument = isBuiltInCall(expression, "Object", "freeze") && expression.type === "CallExpression";
    const frozen = argument ? (expression.arguments[0] as AnyNode | undefined) : undefined;
    const root = frozen && chainRoot(frozen);
    if (frozen === undefined || root?.type !== "Identifier" || !this.#bindings.has(root.name)) {
      this.#complain(expression, "expression at module level", acts, "move it into a function");
    } else if (frozen.type === "MemberExpression" && frozen.object === root) {
      this.#frozenPrototypes.add(root.name);
    }
  }

  /** An expression that is evaluated at link time. */
  #value(node: AnyNode, hold: Hold, name?: string): void {
    if (isClass(node)) this.#class(node);
    else if (isFunction(node)) this.#function(node, name);
    else if (node.type === "ObjectExpression" || node.type === "ArrayExpression") this.#literal(node, hold);
    else if (node.type === "CallExpression") this.#call(node);
    else if (node.type === "NewExpression") this.#construction(node, name);
    else if (actingExpressions.has(node.type)) {
      this.#complain(node, "expression at module level", acts, "move it into a function");
    } else for (const child of children(node)) this.#value(child, "loose");
  }

  #literal(node: AnyNode & { type: "ObjectExpression" | "ArrayExpression" }, hold: Hold): void {
    if (hold === "loose") {
      const what = node.type === "ArrayExpression" ? "array literal" : "object literal";
      this.#complain(
        node,
        `unfrozen module-level ${what}`,
        unfrozen,
        "wrap it in Object.freeze(...), nested ones too",
      );
    }
    for (const child of children(node)) {
      if (node.type === "ArrayExpression" && child.type === "Literal" && typeof child.bigint === "string") {
        this.#complain(
          child,
          "BigInt in a module-level array",
          "it crashes the linker",
          "use numbers or a BigInt64Array",
        );
      }
      if (child.type !== "Property") this.#value(child, "loose");
      else {
        if (child.computed) this.#value(child.key, "loose");
        this.#value(child.value, "loose");
      }
    }
  }

  #call(node: AnyNode & { type: "CallExpression" }): void {
    const callee = node.callee as AnyNode;
    const namespace = callee.type === "MemberExpression" ? (callee.object as AnyNode) : callee;
    if (isBuiltInCall(node, "Object", "freeze")) {
      for (const argument of node.arguments) this.#value(argument, "frozen");
    } else if (namespace.type === "Identifier" && pureNamespaces.has(namespace.name)) {
      for (const argument of node.arguments) this.#value(argument, "temporary");
    } else {
      this.#complain(node, "call at module level", acts, "write the value out, or compute it in an instance");
    }
  }

  #construction(node: AnyNode & { type: "NewExpression" }, name: string | undefined): void {
    const kind = node.callee.type === "Identifier" ? node.callee.name : "";
    const [first] = node.arguments;
    const label = `module-level ${kind}${name === undefined ? "" : ` ${name}`}`;
    if (kind === "Map" || kind === "Set" || typedArrays.has(kind)) {
      if (first === undefined || (first.type === "Literal" && first.value !== 0)) {
        this.#complain(node, `empty ${label}`, written, "keep it in a field of an instance");
      } else {
        this.#contents(kind, first);
      }
    } else if (kind === "WeakMap" || kind === "WeakSet" || kind === "ArrayBuffer") {
      this.#complain(node, label, written, "keep it in a field of an instance");
    } else if (kind === "DataView") {
      for (const argument of node.arguments) this.#value(argument, "temporary");
    } else if (kind === "Date") {
      this.#complain(
        node,
        label,
        "changing a preloaded Date crashes the engine",
        "keep milliseconds in a number",
      );
    } else {
      this.#complain(
        node,
        label,
        acts,
        "make it in the function that needs it, or make its members functions",
      );
    }
  }

  /** The literal that a table is built from is gone after linking; what a Map or Set holds is not. */
  #contents(kind: string, source: AnyNode): void {
    const elements = source.type === "ArrayExpression" ? children(source) : [source];
    for (const element of elements) {
      if (kind === "Map" && element.type === "ArrayExpression") {
        for (const part of children(element)) this.#value(part, "loose");
      } else this.#value(element, "loose");
    }
  }

  #function(node: FunctionNode, name: string | undefined): void {
    if (node.generator) this.#generators.set(name ?? "without a name", node);
  }

  #class(node: ClassNode): void {
    if (node.superClass) this.#value(node.superClass, "loose");
    const frozen = new Set<string>();
    for (const member of node.body.body) {
      if (member.type === "StaticBlock") {
        for (const statement of member.body) this.#staticStatement(statement, frozen);
      } else if (member.type === "PropertyDefinition" && member.static && member.value) {
        this.#value(member.value, "loose");
      }
    }
    for (const member of node.body.body) {
      if (member.type !== "MethodDefinition" || !member.value.generator) continue;
      const path = methodPath(member);
      if (frozen.has(path)) continue;
      this.#complain(
        member,
        "generator method",
        unfrozen,
        `add static { Object.freeze(this${path}.prototype); } to the class`,
      );
    }
  }

  #staticStatement(statement: AnyNode, frozen: Set<string>): void {
    const call = statement.type === "ExpressionStatement" ? statement.expression : undefined;
    if (call?.type !== "CallExpression" || !isBuiltInCall(call, "Object", "freeze")) {
      this.#complain(statement, "statement in a static block", acts, "move it into a function");
      return;
    }
    const path = pathAfterRoot(call.arguments[0]);
    if (path.endsWith(".prototype")) frozen.add(path.slice(0, -".prototype".length));
  }

  #complain(node: AnyNode, what: string, why: string, instead: string): void {
    this.complaints.push({ node, what, why, instead });
  }
}

const acts = "the core's top level runs once, when it is linked, and never on the board";
const unfrozen = "the linker can't put it in flash, so each board pays heap for it";
const written = "it is frozen in flash on a board, so writing to it throws";
const mutable = "module-level state is shared by every instance and costs heap when written";

/** Where a method is found from its class: `.prototype.each` or, for a static one, `.each`. */
function methodPath(member: AnyNode & { type: "MethodDefinition" }): string {
  return `${member.static ? "" : ".prototype"}${member.computed ? `[${dotted(member.key)}]` : `.${dotted(member.key)}`}`;
}

/** A chain of members as text, without the class or `this` at its left end. */
function pathAfterRoot(node: AnyNode | undefined): string {
  if (node?.type !== "MemberExpression") return "";
  const property = dotted(node.property);
  return pathAfterRoot(node.object) + (node.computed ? `[${property}]` : `.${property}`);
}

function dotted(node: AnyNode): string {
  if (node.type === "Identifier") return node.name;
  if (node.type === "PrivateIdentifier") return `#${node.name}`;
  if (node.type === "MemberExpression") return `${dotted(node.object)}.${dotted(node.property)}`;
  return node.type === "Literal" ? String(node.raw) : node.type;
}
