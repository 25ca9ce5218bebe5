/** The real XS engine: its host built from C once, the firmware bundled and compiled to bytecode, both kept in a cache. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { bundleFirmware } from "../../bundler/bundle.ts";
import type { AppInFlash } from "../chip/app-in-flash.ts";
import { type SimulatorProgram, simulatorProgram } from "../chip/simulator-image.ts";
import type { SimulatedWorld } from "../world/simulated-world.ts";
import { buildXsHost, type XsHost } from "../xs-host/build.ts";
import { compileModule, keepModule } from "../xs-host/bytecode.ts";
import { type BoardRam, type Engine, UnsuitableApp } from "./simulated-board.ts";
import { XsBoard, type XsProgram } from "./xs-board.ts";

export class XsEngine implements Engine {
  readonly name = "xs";
  readonly ownFirmware: Uint8Array;
  readonly #program: XsProgram;

  private constructor(program: XsProgram, ownFirmware: Uint8Array) {
    this.#program = program;
    this.ownFirmware = ownFirmware;
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
    const program = await compileFirmware(host);
    const { core, main } = await bytecodeOf(program);
    return new XsEngine(program, createHash("sha256").update(core).update(main).digest());
  }

  get description(): string {
    return `XS, ${this.#program.host.slotBytes === 16 ? 32 : 64}-bit`;
  }

  /** A line for the user where the engine is not what the chip has. */
  get note(): string | undefined {
    return this.#program.host.note;
  }

  powerOn(world: SimulatedWorld, ram: BoardRam, app?: AppInFlash): XsBoard {
    return new XsBoard(app === undefined ? this.#program : this.#programIn(app), world, ram);
  }

  #programIn(app: AppInFlash): XsProgram {
    const { host } = this.#program;
    const found = simulatorProgram(app);
    if (found === undefined)
      throw new UnsuitableApp(
        "can't run what is in its flash: it was built for a chip, not for the simulator",
      );
    if (found.slotBytes !== host.slotBytes) {
      const [its, ours] = [found, host].map(({ slotBytes }) => (slotBytes === 16 ? 32 : 64));
      throw new UnsuitableApp(
        `can't run what is in its flash: it was built for a ${its}-bit engine, and this is a ${ours}-bit one`,
      );
    }
    return { host, core: keepModule(host, found.core), main: keepModule(host, found.main) };
  }
}

/** The firmware of this Covey. `version`: another one for it to say that it is. @throws {BundleError} {ModuleSyntaxError} */
export async function compileFirmware(host: XsHost, version?: string): Promise<XsProgram> {
  const bundle = await bundleFirmware({ main: "desktop", firmwareVersion: version });
  const [core, main] = await Promise.all([
    compileModule(host, "core", bundle.core),
    compileModule(host, "main", bundle.main),
  ]);
  return { host, core, main };
}

export async function bytecodeOf({ host, core, main }: XsProgram): Promise<SimulatorProgram> {
  return { slotBytes: host.slotBytes, core: await readFile(core), main: await readFile(main) };
}
