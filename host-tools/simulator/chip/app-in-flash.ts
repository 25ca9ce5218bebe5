/** The app that lies in a slot, as the bootloader looks at it before it starts it: header, segments, checksum, SHA-256, chip. */
import type { FlashRegion } from "../../../firmware/platform/ports.ts";
import { chipLabel } from "../../chips/chips.ts";
import { type AppImage, readAppImage } from "../../images/app-image.ts";
import { ImageError } from "../../images/image-error.ts";

export interface AppInFlash {
  readonly image: AppImage;
  /** The whole of it and nothing more. */
  readonly bytes: Uint8Array;
}

/** @throws {ImageError} for what the chip with this number would not start */
export function appInFlash(region: FlashRegion, chipId: number): AppInFlash {
  const whole = region.read(0, imageBytesIn(region));
  const image = readAppImage(whole);
  if (image.chipId !== chipId)
    throw new ImageError("app image", 12, `it is for an ${chipLabel(image.chipId)}`);
  return { image, bytes: whole.subarray(0, image.sizeBytes) };
}

const headerBytes = 24;
const segmentHeadBytes = 8;
/** At most: what fills up a block, the checksum's block, the hash. */
const tailBytes = 15 + 16 + 32;

/** What has to be read for the image to be in it; a slot is far larger than most images. */
function imageBytesIn(region: FlashRegion): number {
  const segments = region.read(0, headerBytes)[1]!;
  let at = headerBytes;
  for (let i = 0; i < segments && at + segmentHeadBytes <= region.sizeBytes; i++) {
    const head = region.read(at, segmentHeadBytes);
    at += segmentHeadBytes + new DataView(head.buffer, head.byteOffset).getUint32(4, true);
  }
  return Math.min(at + tailBytes, region.sizeBytes);
}
