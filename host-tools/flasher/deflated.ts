/** A stream for FLASH_DEFL_DATA, cut into blocks, each with what it inflates to: that is what the chip erases and writes for it, and so how long it may take. */
import { promisify } from "node:util";
import { createInflate, deflate } from "node:zlib";

export interface DeflatedBlock {
  readonly deflated: Uint8Array;
  readonly inflatedBytes: number;
}

export async function deflateInBlocks(bytes: Uint8Array, blockBytes: number): Promise<DeflatedBlock[]> {
  const whole = await promisify(deflate as (data: Uint8Array, options: object, done: Done) => void)(bytes, {
    level: 9,
    memLevel: 9,
  });
  const inflate = createInflate();
  let inflated = 0;
  inflate.on("data", (piece: Buffer) => {
    inflated += piece.length;
  });
  const blocks: DeflatedBlock[] = [];
  for (let at = 0; at < whole.length; at += blockBytes) {
    const deflated = whole.subarray(at, at + blockBytes);
    const before = inflated;
    await new Promise<void>((resolve, reject) => {
      inflate.write(deflated, (error) => (error ? reject(error) : resolve()));
    });
    blocks.push({ deflated, inflatedBytes: inflated - before });
  }
  inflate.destroy();
  return blocks;
}

type Done = (error: Error | null, result: Buffer) => void;
