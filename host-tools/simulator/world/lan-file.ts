/**
 * Which boards of a simulation are cut off from the other boards, from a file that may be changed while it runs: `{ "cut": ["north-1"] }`. Their hosts they
 * reach as before.
 */
import { readFileSync, watchFile } from "node:fs";
import { SimulationError } from "../simulation-error.ts";
import { SimulatedLan } from "./simulated-lan.ts";

const lookEveryMs = 300;

/** @param boards all that there are @param onProblem hears of a change that cannot be used; the network stays as it was @throws {SimulationError} */
export function lanFromFile(
  path: string,
  boards: readonly string[],
  onProblem: (text: string) => void,
): SimulatedLan {
  const lan = new SimulatedLan();
  lan.cut(read(path, boards));
  watchFile(path, { interval: lookEveryMs, persistent: false }, () => {
    try {
      lan.cut(read(path, boards));
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error;
      onProblem(error.message);
    }
  });
  return lan;
}

function read(path: string, boards: readonly string[]): string[] {
  let value: { cut?: unknown };
  try {
    value = JSON.parse(readFileSync(path, "utf8")) as typeof value;
  } catch (error) {
    throw new SimulationError(`${path} cannot be read as JSON: ${(error as Error).message}.`);
  }
  const cut = value?.cut;
  if (!Array.isArray(cut)) throw new SimulationError(`${path}: "cut" must be a list of boards.`);
  for (const each of cut) {
    if (typeof each !== "string" || !boards.includes(each))
      throw new SimulationError(`${path}: no board of this swarm is called ${JSON.stringify(each)}.`);
  }
  return cut as string[];
}
