/** The anomaly score in the engine that a board runs. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { AnomalyScore } from "../../../firmware/sensing/stages/anomaly-score.ts";
import { joinCore } from "../../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../../host-tools/bundler/const-declarations.ts";
import { compileModule } from "../../../host-tools/simulator/xs-host/bytecode.ts";
import type { HeapFigures } from "../../../host-tools/simulator/xs-host/frames.ts";
import { XsProcess } from "../../../host-tools/simulator/xs-host/process.ts";
import { BUILD_TIMEOUT_MS, sharedHost } from "../../host-tools/simulator/xs-host/probe.ts";

const source = join(import.meta.dirname, "../../../firmware/sensing/stages/anomaly-score.ts");
const hourMs = 3_600_000;

/** Each turn pushes a hundred samples of a made-up stream for each unit of the byte that it is sent, and tells the sum of their scores. */
const main = `
  import { AnomalyScore } from "core";
  const score = new AnomalyScore(24 * ${hourMs});
  const told = new Float64Array(1);
  let i = 0;
  host.turn = (message) => {
    const samples = message === undefined ? 0 : 100 * new Uint8Array(message)[0];
    let sum = 0;
    for (let taken = 0; taken < samples; taken++) {
      const wave = 20 + 5 * ((i % 24) - 12) * ((i % 24) - 12) / 144;
      sum += score.push(wave + (i * 7919 % 1009) / 1009 + (i % 613 === 612 ? 40 + i : 0), i * ${hourMs});
      i++;
    }
    told[0] = sum;
    host.call(new Uint8Array(told.buffer));
    return Infinity;
  };
`;

/** The same here. */
function sums(turns: readonly number[]): number[] {
  const score = new AnomalyScore(24 * hourMs);
  let i = 0;
  return turns.map((samples) => {
    let sum = 0;
    for (let taken = 0; taken < samples; taken++) {
      const wave = 20 + (5 * ((i % 24) - 12) * ((i % 24) - 12)) / 144;
      sum += score.push(wave + ((i * 7919) % 1009) / 1009 + (i % 613 === 612 ? 40 + i : 0), i * hourMs);
      i++;
    }
    return sum;
  });
}

let board: XsProcess | undefined;
afterEach(() => board?.kill());

test(
  "is the same to the bit as on a desktop, and takes no memory a sample",
  async () => {
    const host = await sharedHost();
    const core = constDeclarations((await joinCore(source)).code);
    const told: number[] = [];
    board = new XsProcess({
      host,
      core: await compileModule(host, "core", core),
      main: await compileModule(host, "main", main),
      onCall: (bytes) => {
        told.push(new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true));
        return new Uint8Array(0);
      },
    });
    // The first turn starts the board, and brings it no message.
    const hundreds = [0, 7, 7, 7, 14, 14, 7];
    const heaps: HeapFigures[] = [];
    for (const [turn, byte] of hundreds.entries()) {
      heaps.push((await board.turn(turn, Uint8Array.of(byte))).heap);
    }
    const here = sums(hundreds.map((each) => 100 * each));
    expect(here.filter((sum) => sum > 0)).toHaveLength(6);
    expect(told).toEqual(here);
    // A turn leaves its message and its answer behind: of twice the samples, no more.
    const left = heaps.slice(1).map((heap, turn) => heap.usedBytes - heaps[turn]!.usedBytes);
    expect(heaps.map((heap) => heap.collections)).toEqual(hundreds.map(() => 0));
    expect(new Set(left.slice(2)).size).toBe(1);
  },
  BUILD_TIMEOUT_MS,
);
