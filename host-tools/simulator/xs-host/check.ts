import type { XsHost } from "./build.ts";
import { runCommand } from "./compiler.ts";

/** Something of a preloaded core that a board could still change. */
export interface Changeable {
  /**
   * - "not frozen", "not const": it costs each board 4 bytes of RAM, and a copy once it is written
   * - "date", "generator": changing it ends the board ("flash write")
   */
  readonly what: "not frozen" | "not const" | "date" | "generator";
  /** From an export of the core, as `table[3].rows` or, for what a function closes over, `Board.start() clock`. */
  readonly path: string;
}

/** The core can't be preloaded: its top level threw, or it imports something. */
export class PreloadFailed extends Error {
  override readonly name = "PreloadFailed";
}

/**
 * Preloads a core as a board's start does, and tells what of it stays changeable. A core without findings is one
 * that the SDK's linker takes without a warning.
 *
 * @param core a bytecode file, from compileModule
 * @throws PreloadFailed
 */
export async function findChangeable(host: XsHost, core: string): Promise<Changeable[]> {
  const { code, output } = await runCommand(host.binary, ["check", core]);
  if (code !== 0) throw new PreloadFailed(output.trim() || `the XS host ended with code ${code}`);
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [what, path] = line.split("\t");
      return { what: what as Changeable["what"], path: path ?? "" };
    });
}
