/**
 * An image that an ESP32 boots: an application, or the bootloader itself. ESP-IDF, "App Image Format".
 *
 * ```
 * header, 24     E9 | segments | SPI mode | speed and size | entry, 4 | WP pin | drive, 3 | chip id, 2 | old min rev | min rev, 2 | max rev, 2 | 4 | hash appended
 * segments       load address, 4 | length, 4 | data, a multiple of 4
 * padding        so that the checksum's byte ends a block of 16
 * checksum       0xEF xored with every byte of every segment's data
 * SHA-256        of all before, when the header says so
 * ```
 *
 * The first segment of an application begins with its descriptor (`esp_app_desc_t`). What may follow the hash, such as a signature, is not looked at.
 */
import { createHash } from "node:crypto";
import { ImageError } from "./image-error.ts";

export interface AppImage {
  readonly chipId: number;
  readonly entry: number;
  readonly flash: FlashHeader;
  /** Of the chip, major * 100 + minor; 0 for any. */
  readonly minRevision: number;
  /** Of the chip, major * 100 + minor; 65,535 for any. */
  readonly maxRevision: number;
  readonly segments: readonly Segment[];
  /** undefined for a bootloader. */
  readonly app: AppDescriptor | undefined;
  readonly sha256: Uint8Array | undefined;
  /** Bytes of the whole image; more may follow in a partition's dump. */
  readonly sizeBytes: number;
}

export interface FlashHeader {
  /** 0 QIO, 1 QOUT, 2 DIO, 3 DOUT. */
  readonly mode: number;
  /** Lower half-byte of byte 3: the chip's code of a frequency. */
  readonly frequency: number;
  readonly sizeBytes: number;
}

export interface Segment {
  readonly address: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** As the Moddable SDK names every application that it builds. */
export const chipProject = "xs_esp32";
/** Firmware for simulated boards, and for no chip. */
export const simulatorProject = "covey-simulator";

export interface AppDescriptor {
  readonly version: string;
  /** Of Covey's, `chipProject` or `simulatorProject`. */
  readonly project: string;
  /** `Nov 23 2026 04:54:03`: as C writes date and time. */
  readonly built: string;
  readonly idfVersion: string;
  readonly secureVersion: number;
  /** SHA-256 of the ELF file that the image was made of. */
  readonly elfSha256: Uint8Array;
}

/** Reads the image at the beginning of `bytes` and checks checksum and hash. @throws {ImageError} */
export function readAppImage(bytes: Uint8Array): AppImage {
  if (bytes.length < headerBytes) throw new ImageError(what, bytes.length, "it is shorter than a header");
  if (bytes[0] !== magic)
    throw new ImageError(what, 0, `it begins with 0x${bytes[0]!.toString(16)}, not 0xe9`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes[1]!;
  if (count < 1 || count > segmentsMax)
    throw new ImageError(what, 1, `it says that it has ${count} segments`);
  const segments: Segment[] = [];
  let at = headerBytes;
  let checksum = checksumSeed;
  for (let i = 0; i < count; i++) {
    if (at + 8 > bytes.length) throw new ImageError(what, at, "it ends within a segment's header");
    const lengthBytes = view.getUint32(at + 4, true);
    const offsetBytes = at + 8;
    if (lengthBytes % 4 !== 0) throw new ImageError(what, at, "a segment's length is no multiple of 4");
    if (lengthBytes > bytes.length - offsetBytes) throw new ImageError(what, at, "it ends within a segment");
    segments.push({ address: view.getUint32(at, true), offsetBytes, lengthBytes });
    at = offsetBytes + lengthBytes;
    for (let byte = offsetBytes; byte < at; byte++) checksum ^= bytes[byte]!;
  }
  // The checksum is the last byte of a block of 16.
  at = Math.floor(at / 16) * 16 + 16;
  if (at > bytes.length) throw new ImageError(what, bytes.length, "it ends before its checksum");
  if (bytes[at - 1] !== checksum) throw new ImageError(what, at - 1, "its checksum is wrong");
  const sha256 = bytes[23] !== 0 ? hashAt(bytes, at) : undefined;
  return {
    chipId: view.getUint16(12, true),
    entry: view.getUint32(4, true),
    flash: { mode: bytes[2]!, frequency: bytes[3]! & 0x0f, sizeBytes: flashSizeOf(bytes[3]! >> 4) },
    ...revisions(view),
    segments,
    app: descriptor(bytes, segments[0]!),
    sha256,
    sizeBytes: sha256 === undefined ? at : at + hashBytes,
  };
}

/** Whether bytes look like an image, to tell one from other files. */
export function isAppImage(bytes: Uint8Array): boolean {
  return bytes[0] === magic && bytes.length > headerBytes && bytes[1]! >= 1 && bytes[1]! <= segmentsMax;
}

/** The descriptor of an app of which only the beginning was read, `appStartBytes` of it; undefined when it is no app. */
export function readAppStart(bytes: Uint8Array): AppDescriptor | undefined {
  if (!isAppImage(bytes) || bytes.length < appStartBytes) return undefined;
  return descriptor(bytes, { address: 0, offsetBytes: headerBytes + 8, lengthBytes: descriptorBytes });
}

export interface NewImage {
  readonly chipId: number;
  readonly entry: number;
  readonly flash: FlashHeader;
  readonly minRevision?: number;
  readonly maxRevision?: number;
  readonly segments: readonly { readonly address: number; readonly data: Uint8Array }[];
}

/**
 * An image with checksum and hash, as a linker's last step makes it; data is filled up with 0 to a multiple of 4.
 * @throws {RangeError} for no segment, or too many, or a size of flash that has no code
 */
export function writeAppImage({
  chipId,
  entry,
  flash,
  minRevision = 0,
  maxRevision = anyRevision,
  segments,
}: NewImage): Uint8Array {
  if (segments.length < 1 || segments.length > segmentsMax)
    throw new RangeError(`An image has 1 to ${segmentsMax} segments.`);
  const dataBytes = segments.reduce((sum, { data }) => sum + 8 + filled(data), headerBytes);
  const checksumAt = Math.floor(dataBytes / 16) * 16 + 15;
  const bytes = new Uint8Array(checksumAt + 1 + hashBytes);
  const view = new DataView(bytes.buffer);
  bytes.set([magic, segments.length, flash.mode, flash.frequency | (flashCodeOf(flash.sizeBytes) << 4)]);
  view.setUint32(4, entry, true);
  bytes[8] = 0xee; // No pin for write protection.
  view.setUint16(12, chipId, true);
  bytes[14] = chipId === esp32c3Id ? minRevision % 100 : Math.floor(minRevision / 100);
  view.setUint16(15, minRevision, true);
  view.setUint16(17, maxRevision, true);
  bytes[23] = 1;
  let at = headerBytes;
  let checksum = checksumSeed;
  for (const { address, data } of segments) {
    view.setUint32(at, address, true);
    view.setUint32(at + 4, filled(data), true);
    bytes.set(data, at + 8);
    at += 8 + filled(data);
    for (const byte of data) checksum ^= byte;
  }
  bytes[checksumAt] = checksum;
  bytes.set(
    createHash("sha256")
      .update(bytes.subarray(0, checksumAt + 1))
      .digest(),
    checksumAt + 1,
  );
  return bytes;
}

/** The first 256 bytes of an application's first segment. */
export function writeAppDescriptor({
  version,
  project,
  built,
  idfVersion,
  secureVersion,
  elfSha256,
}: AppDescriptor): Uint8Array {
  const bytes = new Uint8Array(descriptorBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, descriptorMagic, true);
  view.setUint32(4, secureVersion, true);
  const day = built.slice(0, built.lastIndexOf(" "));
  const time = built.slice(day.length + 1);
  for (const [at, length, text] of [
    [16, 32, version],
    [48, 32, project],
    [80, 16, time],
    [96, 16, day],
    [112, 32, idfVersion],
  ] as const) {
    bytes.set(new TextEncoder().encode(text).subarray(0, length - 1), at);
  }
  bytes.set(elfSha256, 144);
  return bytes;
}

const what = "app image";
const magic = 0xe9;
const headerBytes = 24;
const segmentsMax = 16;
const checksumSeed = 0xef;
const hashBytes = 32;
const descriptorMagic = 0xabcd5432;
const descriptorBytes = 256;
export const appStartBytes = headerBytes + 8 + descriptorBytes;
const anyRevision = 0xffff;
const esp32c3Id = 5;

/**
 * Images made before there were revisions like 3.1 have 0 in both fields of 16 bits, and byte 14 alone counts: the major revision, on an ESP32-C3 the minor one
 * (`esp_image_header_t`).
 */
function revisions(view: DataView): Pick<AppImage, "minRevision" | "maxRevision"> {
  const min = view.getUint16(15, true);
  const max = view.getUint16(17, true);
  const isOld = min === 0 && (max === 0 || max === anyRevision);
  const unit = view.getUint16(12, true) === esp32c3Id ? 1 : 100;
  return {
    minRevision: isOld ? view.getUint8(14) * unit : min,
    maxRevision: max === 0 ? anyRevision : max,
  };
}

function filled(data: Uint8Array): number {
  return Math.ceil(data.length / 4) * 4;
}

function hashAt(bytes: Uint8Array, at: number): Uint8Array {
  const stated = new Uint8Array(bytes.subarray(at, at + hashBytes));
  if (stated.length < hashBytes) throw new ImageError(what, bytes.length, "it ends within its hash");
  const found = createHash("sha256").update(bytes.subarray(0, at)).digest();
  if (Buffer.compare(stated, found) !== 0) throw new ImageError(what, at, "its SHA-256 does not fit");
  return stated;
}

function descriptor(bytes: Uint8Array, { offsetBytes, lengthBytes }: Segment): AppDescriptor | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offsetBytes, lengthBytes);
  if (lengthBytes < descriptorBytes || view.getUint32(0, true) !== descriptorMagic) return undefined;
  const text = (at: number, length: number) => {
    const field = bytes.subarray(offsetBytes + at, offsetBytes + at + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  };
  return {
    secureVersion: view.getUint32(4, true),
    version: text(16, 32),
    project: text(48, 32),
    built: `${text(96, 16)} ${text(80, 16)}`.trim(),
    idfVersion: text(112, 32),
    elfSha256: new Uint8Array(bytes.subarray(offsetBytes + 144, offsetBytes + 176)),
  };
}

/** Half-byte codes: 0 is 1 MB, each next one twice as much, up to 128 MB. */
function flashSizeOf(code: number): number {
  if (code > 7) throw new ImageError(what, 3, `its size of flash has the code ${code}`);
  return 0x10_0000 * 2 ** code;
}

function flashCodeOf(sizeBytes: number): number {
  const code = Math.log2(sizeBytes / 0x10_0000);
  if (!Number.isInteger(code) || code < 0 || code > 7)
    throw new RangeError(`A flash of ${sizeBytes} bytes has no code.`);
  return code;
}
