/** The real XS engine: its host built from C once, the firmware bundled and compiled to bytecode, both kept in a cache. */
import { bundleFirmware } from "../../bundler/bundle.ts";
import type { SimulatedWorld } from "../world/simulated-world.ts";
import { buildXsHost } from "../xs-host/build.ts";
import { compileModule } from "../xs-host/bytecode.ts";
import type { BoardRam, Engine } from "./simulated-board.ts";
import { XsBoard, type XsProgram } from "./xs-board.ts";

export class XsEngine implements Engine {
  readonly name = "xs";
  readonly #program: XsProgram;

  private constructor(program: XsProgram) {
    this.#program = program;
  }

  /** @throws {NoCompiler} {BuildFailed} {BundleError} {ModuleSyntaxError} */
  static async make(onProgress: (text: string) => void): Promise<XsEngine> {
    let shown = -1;
    const host = await buildXsHost({
      onProgress: ({ percent }) => {
        const step = Math.floor(percent / 5) * 5;
        if (step > shown) onProgress(`Building the XS engine (once on this computer): ${step} %`);
        shown = step;
      },
    });
    onProgress("Compiling the firmware for XS");
    const bundle = await bundleFirmware({ main: "desktop" });
    const [core, main] = await Promise.all([
      compileModule(host, "core", bundle.core),
      compileModule(host, "main", bundle.main),
    ]);
    return new XsEngine({ host, core, main });
  }

  get description(): string {
    return `XS, ${this.#program.host.slotBytes === 16 ? 32 : 64}-bit`;
  }

  /** A line for the user where the engine is not what the chip has. */
  get note(): string | undefined {
    return this.#program.host.note;
  }

  powerOn(world: SimulatedWorld, ram: BoardRam): XsBoard {
    return new XsBoard(this.#program, world, ram);
  }
}
