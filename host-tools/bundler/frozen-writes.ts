/**
 * Writes to what is frozen on a board: module-level variables, members of module-level things, static fields, and names
 * that an instance inherits from a frozen prototype.
 *
 * In a browser or in Node each of these works, or is silently ignored; on a board it throws, at the moment the line runs.
 * What can't be seen here, such as a module-level table written through an argument, fails in the simulator, where the
 * linked memory is write-protected.
 */
import type { AnyNode, Program } from "acorn";
import type { Complaint } from "./finding.ts";
import {
  type ClassNode,
  chainRoot,
  isBuiltInCall,
  isClass,
  isFunction,
  keyName,
  type ModuleBindings,
  memberName,
  walk,
} from "./syntax-tree.ts";

/** Methods of arrays, typed arrays, DataView, Map, Set and WeakMap that change their object. */
const changingMethods: ReadonlySet<string> = new Set(
  (
    "push pop shift unshift splice sort reverse fill copyWithin set add delete clear " +
    "setInt8 setUint8 setInt16 setUint16 setInt32 setUint32 setFloat32 setFloat64 setBigInt64 setBigUint64"
  ).split(" "),
);

/** Functions of Object and Reflect that change their first argument. */
const changingFunctions: ReadonlySet<string> = new Set(
  "assign defineProperty defineProperties setPrototypeOf set deleteProperty".split(" "),
);

const objectPrototypeNames: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

type MemberNode = AnyNode & { type: "MemberExpression" };

/** Complains about every assignment, deletion and changing call whose target is frozen on a board. */
export function frozenWrites(program: Program, bindings: ModuleBindings): Complaint[] {
  const check = new WriteCheck(bindings);
  walk(program, (node, ancestors) => check.visit(node, ancestors));
  return check.complaints;
}

class WriteCheck {
  readonly complaints: Complaint[] = [];
  readonly #bindings: ModuleBindings;

  constructor(bindings: ModuleBindings) {
    this.#bindings = bindings;
  }

  visit(node: AnyNode, ancestors: readonly AnyNode[]): void {
    if (node.type === "AssignmentExpression") this.#target(node.left, ancestors);
    else if (node.type === "UpdateExpression") this.#target(node.argument, ancestors);
    else if (node.type === "UnaryExpression" && node.operator === "delete")
      this.#target(node.argument, ancestors);
    else if (node.type === "ForOfStatement" || node.type === "ForInStatement") {
      if (node.left.type !== "VariableDeclaration") this.#target(node.left, ancestors);
    } else if (node.type === "CallExpression") this.#call(node);
  }

  #target(target: AnyNode, ancestors: readonly AnyNode[]): void {
    if (target.type === "MemberExpression") this.#member(target, ancestors);
    else if (target.type === "ChainExpression") this.#target(target.expression, ancestors);
    else if (target.type === "Identifier") {
      if (!this.#bindings.has(target.name)) return;
      this.#complain(target, `write to module-level variable ${target.name}`, shared, inInstance);
    } else for (const part of patternParts(target)) this.#target(part, ancestors);
  }

  #member(target: MemberNode, ancestors: readonly AnyNode[]): void {
    const name = memberName(target as never) ?? "[...]";
    const root = chainRoot(target);
    if (root.type === "Identifier" && this.#bindings.has(root.name)) {
      const isStatic = this.#class(root.name) !== undefined && target.object === root;
      const what = isStatic
        ? `write to static field ${name} of ${this.#sourceName(root.name)}`
        : `write into module-level ${this.#sourceName(root.name)}`;
      this.#complain(target, what, frozen, inInstance);
    } else if (objectPrototypeNames.has(name)) {
      this.#complain(
        target,
        `assignment to ${name}`,
        inheritedName,
        "declare it as a method or a field of the class",
      );
    } else if (target.object.type === "ThisExpression") this.#ownMember(target, name, ancestors);
  }

  /** `this.name = ...` inside a class. */
  #ownMember(target: MemberNode, name: string, ancestors: readonly AnyNode[]): void {
    const owner = owningClass(ancestors);
    if (owner === undefined) return;
    const { classNode, isStatic, isModuleLevel } = owner;
    if (isStatic) {
      if (isModuleLevel) this.#complain(target, `write to static field ${name}`, frozen, inInstance);
      return;
    }
    const inherited = this.#inheritedNames(classNode);
    if (inherited.has(name)) {
      const field =
        name === "name" ? 'declare a field: override readonly name = "..."' : "declare it as a field";
      this.#complain(
        target,
        `assignment to this.${name}`,
        inheritedName,
        `${field}, or give it another name`,
      );
    }
  }

  #call(node: AnyNode & { type: "CallExpression" }): void {
    const callee = node.callee as AnyNode;
    if (callee.type !== "MemberExpression") return;
    const first = node.arguments[0] as AnyNode | undefined;
    if (isBuiltInCall(node, "JSON", "stringify") && first && this.#rootName(first) !== undefined) {
      const why = "the engine refuses to stringify a preloaded object";
      this.#complain(
        node,
        `JSON.stringify of module-level ${this.#rootName(first)}`,
        why,
        "stringify a copy of it",
      );
      return;
    }
    const name = memberName(callee as never);
    if (name === undefined) return;
    if ((isBuiltInCall(node, "Object") || isBuiltInCall(node, "Reflect")) && changingFunctions.has(name)) {
      const changed = first && this.#rootName(first);
      if (changed !== undefined)
        this.#complain(node, `change of module-level ${changed}`, frozen, inInstance);
      return;
    }
    const changed = this.#rootName(callee.object);
    if (changed === undefined || !changingMethods.has(name) || this.#isOwnMethod(callee)) return;
    this.#complain(node, `${name} on module-level ${changed}`, frozen, inInstance);
  }

  /** The module-level name at the left end of a chain of members. */
  #rootName(node: AnyNode): string | undefined {
    const root = chainRoot(node);
    return root.type === "Identifier" && this.#bindings.has(root.name)
      ? this.#sourceName(root.name)
      : undefined;
  }

  /** The name that the source has: esbuild calls a class `_Queue` inside its own body. */
  #sourceName(name: string): string {
    const value = this.#bindings.get(name);
    if (!value || !isClass(value) || value.id?.name !== name) return name;
    for (const [other, node] of this.#bindings) if (node === value) return other;
    return name;
  }

  #class(name: string): ClassNode | undefined {
    const value = this.#bindings.get(name);
    return value && isClass(value) ? value : undefined;
  }

  /** Whether `object.method` names a function written in the core rather than a built-in method. */
  #isOwnMethod(callee: MemberNode): boolean {
    const method = this.#resolve(callee);
    return method !== undefined && isFunction(method);
  }

  /** The node that gives a module-level name, or a member of it, its value; undefined when it can't be seen. */
  #resolve(node: AnyNode): AnyNode | undefined {
    if (node.type === "Identifier") return this.#bindings.get(node.name);
    if (node.type !== "MemberExpression") return undefined;
    let object = this.#resolve(node.object);
    const name = memberName(node as never);
    if (object?.type === "CallExpression") object = object.arguments[0] as AnyNode | undefined;
    if (object === undefined || name === undefined) return undefined;
    const members = isClass(object)
      ? object.body.body.filter((member) => member.type !== "StaticBlock" && member.static)
      : object.type === "ObjectExpression"
        ? object.properties
        : [];
    for (const member of members) {
      if (member.type === "StaticBlock" || member.type === "SpreadElement") continue;
      if (keyName(member.key, member.computed) === name) return member.value ?? undefined;
    }
    return undefined;
  }

  /** Names of methods and of built-in prototype members that an instance of the class inherits. */
  #inheritedNames(classNode: ClassNode): ReadonlySet<string> {
    const names = new Set<string>();
    const ownFields = new Set<string>();
    let current: ClassNode | undefined = classNode;
    while (current) {
      for (const member of current.body.body) {
        if (member.type === "StaticBlock" || member.static) continue;
        const name = keyName(member.key, member.computed);
        if (name === undefined) continue;
        if (member.type === "PropertyDefinition") ownFields.add(name);
        else if (member.kind === "method") names.add(name);
      }
      const base: AnyNode | null | undefined = current.superClass;
      if (base?.type !== "Identifier") break;
      current = this.#class(base.name);
      if (!current && !this.#bindings.has(base.name))
        for (const name of builtInNames(base.name)) names.add(name);
    }
    for (const field of ownFields) names.delete(field);
    return names;
  }

  #complain(node: AnyNode, what: string, why: string, instead: string): void {
    this.complaints.push({ node, what, why, instead });
  }
}

const frozen = "it is frozen in flash on a board, so the write throws";
const shared = "module-level state is shared by every instance and costs heap when written";
const inheritedName = "it is inherited from a frozen prototype, so the assignment throws on a board";
const inInstance = "keep it in a field of an instance";

/** What a destructuring target assigns to. */
function patternParts(pattern: AnyNode): AnyNode[] {
  switch (pattern.type) {
    case "ObjectPattern":
      return pattern.properties.map((property) =>
        property.type === "Property" ? property.value : property.argument,
      );
    case "ArrayPattern":
      return pattern.elements.filter((element) => element !== null);
    case "AssignmentPattern":
      return [pattern.left];
    case "RestElement":
      return [pattern.argument];
    default:
      return [];
  }
}

interface Owner {
  readonly classNode: ClassNode;
  readonly isStatic: boolean;
  readonly isModuleLevel: boolean;
}

/** The class whose instance, or which itself, `this` means at the end of `ancestors`. */
function owningClass(ancestors: readonly AnyNode[]): Owner | undefined {
  for (let index = ancestors.length - 1; index > 0; index -= 1) {
    const node = ancestors[index]!;
    if (node.type === "FunctionDeclaration") return undefined;
    if (node.type === "FunctionExpression" && ancestors[index - 1]?.type !== "MethodDefinition")
      return undefined;
    const isMember =
      node.type === "MethodDefinition" || node.type === "PropertyDefinition" || node.type === "StaticBlock";
    if (!isMember) continue;
    const classNode = ancestors[index - 2];
    if (!classNode || !isClass(classNode)) return undefined;
    const outer = ancestors.slice(0, index - 2);
    const isModuleLevel = !outer.some((ancestor) => isFunction(ancestor));
    return { classNode, isStatic: node.type === "StaticBlock" || node.static, isModuleLevel };
  }
  return undefined;
}

/** The members of a built-in class's prototype; `message` belongs to an error's instance once it is passed to super. */
function builtInNames(className: string): readonly string[] {
  const builtIn = (globalThis as Record<string, unknown>)[className];
  if (typeof builtIn !== "function" || !builtIn.prototype) return [];
  const names: string[] = [];
  for (let prototype = builtIn.prototype; prototype; prototype = Object.getPrototypeOf(prototype)) {
    if (prototype !== Object.prototype) names.push(...Object.getOwnPropertyNames(prototype));
  }
  return names.filter((name) => name !== "constructor" && name !== "message");
}
