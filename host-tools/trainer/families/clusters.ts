/** k-means (Lloyd 1982) from centres that k-means++ (Arthur and Vassilvitskii 2007) chose, the best of several tries, on standardised features. */
import { packClusters } from "../../../protocols/model/clusters.ts";
import type { Dataset } from "../dataset.ts";
import { Random } from "../random.ts";
import { scaleOf } from "../scaling.ts";

export interface ClusterOptions {
  readonly clusters: number;
  readonly seed: number;
}

const tries = 10;
const roundsMax = 300;

export function trainClusters(data: Dataset, { clusters, seed }: ClusterOptions): Uint8Array {
  const random = new Random(seed);
  // Divided by the deviation; a common offset moves no distance.
  const gains = Float32Array.from(scaleOf(data.rows).deviations, (deviation) => 1 / deviation);
  const rows = data.rows.map((row) => row.map((value, j) => value * gains[j]!));
  let best = { centres: [] as Float64Array[], cost: Infinity };
  for (let i = 0; i < tries; i++) {
    const found = lloyd(rows, firstCentres(rows, clusters, random));
    if (found.cost < best.cost) best = found;
  }
  return packClusters(clusters, gains, Float32Array.from(best.centres.flatMap((centre) => [...centre])));
}

/** Each next centre is a row, the likelier the further it is from those there are. */
function firstCentres(rows: readonly Float64Array[], clusters: number, random: Random): Float64Array[] {
  const centres = [rows[random.below(rows.length)]!];
  while (centres.length < clusters) {
    const squares = rows.map((row) => Math.min(...centres.map((centre) => squareBetween(row, centre))));
    let left = random.next() * squares.reduce((sum, square) => sum + square, 0);
    let chosen = 0;
    while (chosen < rows.length - 1 && left >= squares[chosen]!) left -= squares[chosen++]!;
    centres.push(rows[chosen]!);
  }
  return centres.map((centre) => centre.slice());
}

function lloyd(
  rows: readonly Float64Array[],
  from: Float64Array[],
): { centres: Float64Array[]; cost: number } {
  let centres = from;
  let cost = Infinity;
  for (let round = 0; round < roundsMax; round++) {
    const sums = centres.map((centre) => new Float64Array(centre.length));
    const counts = centres.map(() => 0);
    let total = 0;
    for (const row of rows) {
      const squares = centres.map((centre) => squareBetween(row, centre));
      const nearest = squares.indexOf(Math.min(...squares));
      total += squares[nearest]!;
      counts[nearest]!++;
      for (let j = 0; j < row.length; j++) sums[nearest]![j]! += row[j]!;
    }
    if (total >= cost) break;
    cost = total;
    // A centre that nothing is near to stays where it is.
    centres = centres.map((centre, i) =>
      counts[i] === 0 ? centre : sums[i]!.map((sum) => sum / counts[i]!),
    );
  }
  return { centres, cost };
}

function squareBetween(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += (a[j]! - b[j]!) ** 2;
  return sum;
}
