/**
 * A release: firmware of one kind of board, as the swarm's root has signed it. What a board is to run is agreed on in the replicated state, which holds the
 * signed release alone; the image travels outside it, in chunks (`chunks.ts`).
 *
 * ```
 * COSE_Sign1 of ["covey release", version, swarm, model, sequence, firmware, size, h'digest of the first chunk']
 * ```
 *
 * The digest of the first chunk covers every byte of the image. SUIT (an Internet-Draft still) says far more than boards of one program need.
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { Ciphers } from "../security/ciphers.ts";
import { openRoot, payloadUnchecked, signRoot } from "../security/cose/sign1.ts";
import { identityLimits } from "../security/identity/identity.ts";

/** What all boards of a kind are to run. */
export const releaseKeyPrefix = "covey/release/";
/** What one board is to run, whatever its kind is to: by the board's name. */
export const boardReleaseKeyPrefix = "covey/update/";

export interface Release {
  readonly swarm: string;
  /** The kind of board: the name of a file in `boards/`. */
  readonly model: string;
  /** 1 or more, and more than that of every release before: a board takes none that is older than what it runs. */
  readonly sequence: number;
  /** For people: `0.2.0`. */
  readonly firmware: string;
  readonly sizeBytes: number;
  /** Of the first chunk: `chunks.ts`. */
  readonly digest: Uint8Array;
}

export const releaseLimits = Object.freeze({
  sequenceMax: 0xff_ff_ff_ff,
  modelBytesMax: 48,
  firmwareBytesMax: 32,
  /** Of an image: no board's slot is larger. */
  sizeBytesMax: 16 * 1024 * 1024,
});

export const digestBytes = 32;

/** Signs with the root's private key. */
export function signRelease(ciphers: Ciphers, rootKey: Uint8Array, release: Release): Uint8Array {
  const { swarm, model, sequence, firmware, sizeBytes, digest } = release;
  return signRoot(
    ciphers,
    rootKey,
    encodeCbor([label, releaseVersion, swarm, model, sequence, firmware, sizeBytes, digest]),
  );
}

/** undefined for what the root did not sign as a release. */
export function readRelease(
  ciphers: Ciphers,
  rootPublicKey: Uint8Array,
  bytes: Uint8Array,
): Release | undefined {
  return readPayload(openRoot(ciphers, rootPublicKey, bytes));
}

/** What was read with `readRelease` before: nobody vouches for it here. */
export function releaseUnchecked(bytes: Uint8Array): Release | undefined {
  return readPayload(payloadUnchecked(bytes));
}

function readPayload(payload: Uint8Array | undefined): Release | undefined {
  if (payload === undefined) return undefined;
  try {
    const items = new ItemReader(decodeCbor(payload), "release", "", 8);
    if (items.text("the label", label.length) !== label) return undefined;
    items.version(releaseVersion);
    return {
      swarm: items.text("the swarm", identityLimits.nameLengthMax),
      model: items.text("the model", releaseLimits.modelBytesMax),
      sequence: items.integer("the sequence", 1, releaseLimits.sequenceMax),
      firmware: items.text("the firmware", releaseLimits.firmwareBytesMax),
      sizeBytes: items.integer("the size", 1, releaseLimits.sizeBytesMax),
      digest: items.bytesOf("the digest", digestBytes),
    };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}

/** No other statement of the root begins with a text, so none can be taken for a release. */
const label = "covey release";
const releaseVersion = 1;
