/** Makes the engine ready that the user asked for, or the best that this computer can run. */
import { SimulationError } from "../simulation-error.ts";
import { BuildFailed, NoCompiler } from "../xs-host/build.ts";
import type { Engine, EngineName } from "./simulated-board.ts";
import { VirtualEngine } from "./virtual-engine.ts";
import { XsEngine } from "./xs-engine.ts";

export interface EngineWishes {
  /** undefined: XS where it can be built, else the one in process. */
  readonly engine: EngineName | undefined;
  readonly onProgress: (text: string) => void;
  /** Called at most once: a line for the user when the engine is not what the chip has. */
  readonly onNote: (text: string) => void;
}

/** @throws {SimulationError} when XS was asked for by name and there is no compiler, or when its build fails */
export async function readyEngine({ engine, onProgress, onNote }: EngineWishes): Promise<Engine> {
  if (engine === "virtual") return new VirtualEngine();
  try {
    const ready = await XsEngine.make(onProgress);
    if (ready.note !== undefined) onNote(sentence(ready.note));
    return ready;
  } catch (error) {
    if (error instanceof BuildFailed) throw new SimulationError(sentence(error.message));
    if (!(error instanceof NoCompiler)) throw error;
    if (engine === "xs") throw new SimulationError(sentence(error.message));
    onNote(
      "There is no C compiler here, so the boards run in Node instead of the XS engine and have no heap figures; install gcc or clang to change that.",
    );
    return new VirtualEngine();
  }
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
