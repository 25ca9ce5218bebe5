/**
 * Turns a joined module's top-level `var` back into `const`.
 *
 * esbuild's bundles declare every module-level binding with `var`, and the Moddable linker can only freeze a `const`. A
 * declaration without a value stays as it is: it was a `let`, and the frozen check names it.
 */
import { parse } from "acorn";
import MagicString from "magic-string";

/** Returns `code` with its initialised top-level `var` declarations as `const`. `code` is an ES2022 module. */
export function constDeclarations(code: string): string {
  const edited = new MagicString(code);
  const program = parse(code, { ecmaVersion: 2022, sourceType: "module" });
  for (const statement of program.body) {
    if (statement.type !== "VariableDeclaration" || statement.kind !== "var") continue;
    if (statement.declarations.some((declaration) => declaration.init == null)) continue;
    edited.update(statement.start, statement.start + "var".length, "const");
  }
  return edited.toString();
}
