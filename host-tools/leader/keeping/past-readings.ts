/** Readings of blocks that boards kept. */
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { CborError } from "../../codec/cbor.ts";
import type { NewReading } from "../telemetry/telemetry.ts";
import { unpackBlock } from "./packed-block.ts";
import { readSeriesName } from "./series-name.ts";

/** In the order of their time, each once; of blocks that no host of this version wrote, none. `onUnreadable` hears of each of those. */
export function pastReadings(
  blocks: readonly KeptBlock[],
  onUnreadable: () => void = () => {},
): NewReading[] {
  const readings: NewReading[] = [];
  for (const { series, firstMs, bytes } of blocks) {
    const name = readSeriesName(series);
    if (name === undefined) {
      onUnreadable();
      continue;
    }
    const { board, metric } = name;
    const own: NewReading[] = [];
    try {
      unpackBlock(bytes, firstMs, (atMs, value) => own.push({ board, metric, atMs, value, quality: 0 }));
      readings.push(...own);
    } catch (error) {
      if (!(error instanceof ShapeError || error instanceof CborError)) throw error;
      onUnreadable();
    }
  }
  readings.sort((a, b) => a.atMs - b.atMs);
  return readings.filter(({ board, metric, atMs }, i) => {
    const before = readings[i - 1];
    return before === undefined || before.atMs !== atMs || before.metric !== metric || before.board !== board;
  });
}
