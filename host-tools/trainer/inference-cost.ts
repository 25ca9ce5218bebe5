/** What deciding a row costs a board: counted on the chip's instruction set where its tools are there, else an estimate from what was counted before. */
import { PackedReader } from "../../protocols/model/packed.ts";
import { int8Max, int16Max } from "../../protocols/model/quantiser.ts";
import { NoCompiler } from "../simulator/xs-host/build.ts";
import { runCommand } from "../simulator/xs-host/compiler.ts";
import { buildRv32Host, NoRv32Compiler, RV32_EMULATOR } from "../simulator/xs-host/rv32.ts";
import { EngineProbe } from "./engine-probe.ts";
import { Random } from "./random.ts";

export interface CostOfInference {
  /** Of rv32imac, a row. */
  readonly instructions: number;
  /** False for an estimate, which may be a third off. */
  readonly isMeasured: boolean;
}

/** Over `rows`; where there are none, over rows of chance from the range that the model was made for. */
export async function inferenceCost(
  bytes: Uint8Array,
  rows: readonly Float64Array[] = likelyRows(bytes),
): Promise<CostOfInference> {
  const host = await rv32Host();
  if (host === undefined) return { instructions: estimateInstructions(bytes), isMeasured: false };
  const probe = await EngineProbe.start(host);
  try {
    await probe.load(bytes, rows[0]!.length);
    return { instructions: (await probe.cost(rows)).instructions, isMeasured: true };
  } finally {
    await probe.stop();
  }
}

/** undefined where the compilers or the emulator are not there. */
async function rv32Host() {
  try {
    const { code } = await runCommand(RV32_EMULATOR, ["--version"]);
    return code === 0 ? await buildRv32Host() : undefined;
  } catch (error) {
    const isMissing = error instanceof NoRv32Compiler || error instanceof NoCompiler;
    if (isMissing || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Instructions of XS on rv32imac, as `npm run bench:models` counts them, in round figures. */
const costs = {
  start: 12_000,
  quantisedFeature: 5_900,
  tree: 2_500,
  decision: 2_700,
  weight: 3_000,
  neuron: 4_500,
  multiplication: 1_900,
  distribution: 4_000,
  halving: 4_800,
};

export function estimateInstructions(bytes: Uint8Array): number {
  const head = new PackedReader(bytes);
  const next = () => head.integer("a number", 0, 0x7fff_ffff);
  const features = next();
  const quantised = costs.start + features * costs.quantisedFeature;
  switch (head.kind) {
    case "forest":
    case "boosted": {
      next();
      const trees = next();
      // Three words a decision, its share of the leaves included.
      const leaves = (next() / trees + 2) / 3;
      return Math.round(quantised + trees * (costs.tree + costs.decision * Math.log2(Math.max(2, leaves))));
    }
    case "logistic": {
      const classes = next();
      return costs.start + (classes === 2 ? 1 : classes) * (features + 1) * costs.weight;
    }
    case "network": {
      const classes = next();
      const widths = [...Array.from({ length: next() }, next), classes];
      let inputs = features;
      let sum = quantised;
      for (const width of widths) {
        sum += width * (costs.neuron + inputs * costs.multiplication);
        inputs = width;
      }
      return sum;
    }
    case "bayes":
    case "clusters":
      return costs.start + next() * features * costs.distribution;
    case "half-spaces":
      return quantised + next() * (costs.tree + next() * costs.halving);
  }
}

function likelyRows(bytes: Uint8Array): Float64Array[] {
  const reader = new PackedReader(bytes);
  const random = new Random(1);
  const features = reader.integer("features", 0, 0xffff);
  const hasQuantiser = !["logistic", "bayes", "clusters"].includes(reader.kind);
  const table = hasQuantiser ? firstTable(bytes, 2 * features) : undefined;
  const span = reader.kind === "network" ? int8Max : int16Max;
  return Array.from({ length: 50 }, () =>
    Float64Array.from({ length: features }, (_, j) => {
      const share = 2 * random.next() - 1;
      return table === undefined ? share : table[2 * j]! + (share * span) / table[2 * j + 1]!;
    }),
  );
}

/** The floats that follow the head, whatever the head says. */
function firstTable(bytes: Uint8Array, count: number): Float32Array {
  const reader = new PackedReader(bytes);
  for (let left = (bytes[0]! & 0x1f) - 2; left > 0; left--) reader.integer("a number", 0, 0x7fff_ffff);
  return reader.floats("quantiser", count);
}
