/**
 * The part of CBOR (RFC 8949) that Covey's messages use, as JavaScript values: what the board's codec and the host's
 * library agree on, byte for byte, in both directions.
 *
 * Integers within 32 bits (sign included) are encoded as integers, shortest form; every other number as a float64. Decoders also accept the other
 * float widths and 64-bit integers up to 2^53. Definite lengths only; no tags; maps are not used; text is UTF-8.
 */
export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[];
