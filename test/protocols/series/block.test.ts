import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import {
  type Block,
  BlockMode,
  blockFromWire,
  blockLimits,
  blockToWire,
} from "../../../protocols/series/block.ts";
import { decodeBlock } from "../../../protocols/series/decoder.ts";
import { BlockEncoder } from "../../../protocols/series/encoder.ts";

type Sample = readonly [atMs: number, value: number];

function pack(samples: readonly Sample[], stepMs: number, within = 0): Block[] {
  const encoder = new BlockEncoder(stepMs, within);
  const blocks: Block[] = [];
  for (const [atMs, value] of samples) {
    if (encoder.isFull) blocks.push(encoder.take()!);
    encoder.push(atMs, value);
  }
  const last = encoder.take();
  return last === undefined ? blocks : [...blocks, last];
}

function unpack(blocks: readonly Block[]): Sample[] {
  const samples: Sample[] = [];
  for (const block of blocks) {
    const { metric: _, ...read } = blockFromWire(blockToWire({ ...block, metric: "x" }), "block 0");
    expect(read).toEqual(block);
    expect(block.bits.length).toBeLessThanOrEqual(blockLimits.bytesMax);
    decodeBlock(block, (atMs, value) => samples.push([atMs, value]));
  }
  return samples;
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const sensorLike = fc.oneof(
  finite,
  fc.integer({ min: -4000, max: 4000 }).map((tenths) => tenths / 10),
  fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((parts) => parts / 10 ** 6),
  fc.constantFrom(0, -0, 1, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** 53, 0.1),
);
const gaps = fc.oneof(
  fc.constant(1000),
  fc.integer({ min: 0, max: 20 }).map((ms) => 990 + ms),
  fc.nat(2 ** 40),
);
const rows = fc.array(fc.tuple(gaps, sensorLike), { maxLength: 400 }).map((steps) => {
  let atMs = 0;
  return steps.map(([gapMs, value]): Sample => {
    atMs += gapMs;
    return [atMs, value];
  });
});

describe("blocks of readings", () => {
  test("lossless ones give back every bit of every value, and every time", () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const back = unpack(pack(samples, 1000));
        expect(back.length).toBe(samples.length);
        for (const [i, [atMs, value]] of samples.entries()) {
          expect(back[i]![0]).toBe(atMs);
          expect(Object.is(back[i]![1], value)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("ones within a bound keep it, and every time", () => {
    const bounds = fc.double({ min: 1e-9, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(rows, bounds, (samples, within) => {
        const back = unpack(pack(samples, 1000, within));
        expect(back.map(([atMs]) => atMs)).toEqual(samples.map(([atMs]) => atMs));
        for (const [i, [, value]] of samples.entries()) {
          expect(Math.abs(back[i]![1] - value)).toBeLessThanOrEqual(within);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a steady value at a steady pace takes two bits", () => {
    const samples = Array.from({ length: 800 }, (_, i): Sample => [i * 1000, 21.5]);
    const [block, ...rest] = pack(samples, 1000);
    expect(rest).toEqual([]);
    expect(block!.bits.length).toBeLessThanOrEqual(204);
  });

  test("decimals are tried again after a run of values that are none", () => {
    const rough = Array.from({ length: 2000 }, (_, i): Sample => [i * 1000, Math.sin(i)]);
    const plain = Array.from({ length: 6000 }, (_, i): Sample => [(2000 + i) * 1000, 20 + (i % 3) / 10]);
    const blocks = pack([...rough, ...plain], 1000);
    expect(blocks.some(({ mode }) => mode === BlockMode.xor)).toBe(true);
    expect(blocks.at(-1)!.mode).toBe(BlockMode.decimal);
    expect(unpack(blocks)).toEqual([...rough, ...plain]);
  });

  test("what no encoder makes is refused", () => {
    const [block] = pack(
      [
        [0, 1],
        [1000, 2.5],
        [2000, 3],
      ],
      1000,
    ) as [Block];
    const read = (changed: Partial<Block>) => decodeBlock({ ...block, ...changed }, () => undefined);
    expect(() => read({ mode: BlockMode.steps, scale: 1e300, first: 1e300 })).toThrow(ShapeError);
    expect(() => read({ count: 200 })).toThrow(ShapeError);
    expect(() => read({ count: 2 })).toThrow(ShapeError);
    expect(() => read({ bits: new Uint8Array(20) })).toThrow(ShapeError);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(0, 1, 2),
        (bits, count, mode) => {
          try {
            decodeBlock(
              { ...block, bits, count, mode: mode as BlockMode, scale: mode === 2 ? 0.5 : 0 },
              (atMs, value) => {
                expect(Number.isSafeInteger(atMs) && Number.isFinite(value)).toBe(true);
              },
            );
          } catch (error) {
            expect(error).toBeInstanceOf(ShapeError);
          }
        },
      ),
    );
  });
});
