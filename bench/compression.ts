/**
 * What readings cost on the wire: each series of the benchmark's data as JSON, one message a sample, over MQTT in the clear; and as blocks in sealed reports, exact and
 * within half a percent of the series' range. Beside them, the blocks alone next to Gorilla's coding of the same series. Counted, so it repeats to the byte.
 *
 *     npm run bench:compression -- --data DIR --windows FILE [--json]
 */
import { parseArgs } from "node:util";
import { encodeCbor } from "../host-tools/codec/cbor.ts";
import { reportToWire } from "../protocols/messages/codec.ts";
import { boardTopics } from "../protocols/messages/topics.ts";
import { BitWriter } from "../protocols/series/bits.ts";
import { type Block, blockToWire } from "../protocols/series/block.ts";
import { decodeBlock } from "../protocols/series/decoder.ts";
import { BlockEncoder } from "../protocols/series/encoder.ts";
import { XorWriter } from "../protocols/series/xor.ts";
import { publishBytes } from "./mqtt-bytes.ts";
import { readCorpus, type Series } from "./nab/series.ts";

/** Of the range of a series, that a value may be off. */
const boundOfRange = 0.005;
/** What a record adds to what it seals (docs/security.md): COSE's head, the counter, a tag of eight bytes. */
const recordBytes = 20;
const metric = "temperature";
const board = "north-1";
const swarm = "greenhouse";
/** Pelkonen et al. 2015, section 4.1: bytes a sample of their data, time and value together. */
const gorillaPublished = 1.37;

interface Figures {
  readonly file: string;
  readonly samples: number;
  /** On the wire, a sample. */
  readonly jsonBytes: number;
  readonly exactBytes: number;
  readonly boundedBytes: number;
  /** Of the blocks, and of the same series by Gorilla, a sample. */
  readonly exactBlockBytes: number;
  readonly gorillaBytes: number;
}

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    windows: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
if (values.data === undefined || values.windows === undefined) {
  console.error("Name the data: npm run bench:compression -- --data DIR --windows FILE");
  process.exit(2);
}
const figures = readCorpus(values.data, values.windows).map(measure);
if (values.json) console.log(JSON.stringify({ gorillaPublished, series: figures }));
else print(figures);

function measure(series: Series): Figures {
  const { file, timesMs, values: samples } = series;
  const range = Math.max(...samples) - Math.min(...samples);
  const exact = pack(series, 0);
  const bounded = pack(series, boundOfRange * range);
  const count = samples.length;
  let jsonBytes = 0;
  for (const [i, value] of samples.entries()) {
    const text = JSON.stringify({ metric, at: timesMs[i], value });
    jsonBytes += publishBytes(`covey/${swarm}/${board}/${metric}`, Buffer.from(text));
  }
  return {
    file,
    samples: count,
    jsonBytes: jsonBytes / count,
    exactBytes: sum(exact.map(reportBytes)) / count,
    boundedBytes: sum(bounded.map(reportBytes)) / count,
    exactBlockBytes: sum(exact.map((block) => encodeCbor(blockToWire({ metric, ...block })).length)) / count,
    gorillaBytes: gorillaBytes(series) / count,
  };
}

/** In blocks as a board would make them, and checked: what the leader reads of them is within the bound. */
function pack({ timesMs, values: samples }: Series, within: number): Block[] {
  const encoder = new BlockEncoder(timesMs[1]! - timesMs[0]!, within);
  const blocks: Block[] = [];
  let lastMs = 0;
  for (const [i, value] of samples.entries()) {
    if (encoder.isFull) blocks.push(encoder.take()!);
    // Some files repeat an hour, which no board's clock does.
    lastMs = Math.max(lastMs, timesMs[i]!);
    encoder.push(lastMs, value);
  }
  blocks.push(encoder.take()!);
  let at = 0;
  for (const block of blocks) {
    decodeBlock(block, (_, value) => {
      if (!(Math.abs(value - samples[at++]!) <= within))
        throw new Error("A value came back beyond its bound.");
    });
  }
  return blocks;
}

/** Each block in a report of its own, sealed, as MQTT writes it. */
function reportBytes(block: Block): number {
  const sentMs = block.startMs + 600_000;
  const report = encodeCbor(
    reportToWire({ sentMs, sequence: 1_000, readings: [], blocks: [{ metric, ...block }] }),
  );
  const sealed = new Uint8Array(report.length + recordBytes);
  return publishBytes(`${boardTopics(swarm, board).up}report`, sealed);
}

/** Section 4.1: seconds, in blocks of two hours as there. */
function gorillaBytes({ timesMs, values: samples }: Series): number {
  const perBlock = 7_200_000;
  let bits = 0;
  let writer = new BitWriter(1 << 20);
  let xor = new XorWriter();
  let [startMs, lastS, stepS] = [-Infinity, 0, 0];
  for (const [i, value] of samples.entries()) {
    const seconds = Math.round(timesMs[i]! / 1_000);
    if (timesMs[i]! - startMs >= perBlock) {
      bits += (1 << 23) - writer.room;
      writer = new BitWriter(1 << 20);
      xor = new XorWriter();
      startMs = timesMs[i]!;
      stepS = 0;
      // The block's time, the first sample's place in it, its value.
      bits += 64 + 14 + 64;
      xor.begin(value);
    } else {
      bits += timeBits(seconds - lastS - stepS);
      stepS = seconds - lastS;
      xor.write(writer, value);
    }
    lastS = seconds;
  }
  return Math.ceil((bits + (1 << 23) - writer.room) / 8);
}

function timeBits(change: number): number {
  if (change === 0) return 1;
  if (change >= -63 && change <= 64) return 9;
  if (change >= -255 && change <= 256) return 12;
  return change >= -2047 && change <= 2048 ? 16 : 36;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function print(all: readonly Figures[]): void {
  const head = [
    "series",
    "samples",
    "JSON",
    "exact",
    "times less",
    "within 0.5 %",
    "times less",
    "block",
    "Gorilla",
  ];
  const rows = all.map((each) => [
    each.file.replace(/^.*\//, "").replace(/\.csv$/, ""),
    `${each.samples}`,
    each.jsonBytes.toFixed(1),
    each.exactBytes.toFixed(2),
    (each.jsonBytes / each.exactBytes).toFixed(0),
    each.boundedBytes.toFixed(2),
    (each.jsonBytes / each.boundedBytes).toFixed(0),
    each.exactBlockBytes.toFixed(2),
    each.gorillaBytes.toFixed(2),
  ]);
  const widths = head.map((text, i) => Math.max(text.length, ...rows.map((row) => row[i]!.length)));
  for (const row of [head, ...rows]) {
    console.log(
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
    );
  }
  console.log(
    `\nBytes a sample: on the wire (JSON in the clear, blocks sealed, each in a report of its own), then of the blocks alone. Gorilla's own data took ${gorillaPublished}.`,
  );
}
