import { Encoder } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { CborEncoder, encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError, type CborFault } from "../../../protocols/cbor/error.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";

/** The library as the host configures it. */
const library = new Encoder({ useRecords: false, tagUint8Array: false });

const numbers = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 23, 24, 255, 256, 65535, 65536),
  fc.constantFrom(
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 31),
    -(2 ** 31) - 1,
    -(2 ** 32),
    -(2 ** 32) - 1,
  ),
  fc.constantFrom(2 ** 53, -(2 ** 53), Number.MAX_VALUE, Number.MIN_VALUE),
);
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme", minLength: 20, maxLength: 300 }),
  fc.string({ minLength: 200, maxLength: 300 }),
);
const { value: values } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    numbers,
    texts,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 30 }),
  ),
}));
const limits = { depthMax: 8, itemsMax: 1e6 };

/** Buffers as plain arrays of bytes, and minus zero as zero where the wire cannot tell. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  return Object.is(value, -0) ? 0 : value;
}

describe("the board's codec and cbor-x", () => {
  test("encode every value to the same bytes", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(encodeCbor(value)).toEqual(Uint8Array.from(library.encode(value)));
      }),
      { numRuns: 500 },
    );
  });

  test("the board reads what the library writes", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decodeCbor(Uint8Array.from(library.encode(value)), limits)).toEqual(plain(value));
      }),
      { numRuns: 500 },
    );
  });

  test("the library reads what the board writes", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(plain(library.decode(encodeCbor(value)))).toEqual(plain(value));
      }),
      { numRuns: 500 },
    );
  });

  test("agree on floats of every width", () => {
    const bytes = new Uint8Array(3);
    for (let bits = 0; bits < 0x10000; bits++) {
      bytes[0] = 0xf9;
      bytes[1] = bits >> 8;
      bytes[2] = bits & 0xff;
      const mine = decodeCbor(bytes);
      const theirs = library.decode(bytes);
      if (!Object.is(mine, theirs)) throw new Error(`half ${bits.toString(16)}: ${mine}, ${theirs}`);
    }
    fc.assert(
      fc.property(fc.float(), (value) => {
        const single = new Uint8Array(5);
        single[0] = 0xfa;
        new DataView(single.buffer).setFloat32(1, value);
        expect(decodeCbor(single)).toBe(library.decode(single));
      }),
    );
  });
});

describe("the decoder", () => {
  const cases: [string, string, CborFault][] = [
    ["nothing", "", "truncated"],
    ["half an integer", "19 01", "truncated"],
    ["half a text", "63 61 62", "truncated"],
    ["a text that claims 4 GB", "7a ff ff ff ff 61", "truncated"],
    ["an array that claims 4 billion items", "9a ff ff ff ff 01", "truncated"],
    ["two values", "01 02", "trailing"],
    ["a reserved length", "1c", "malformed"],
    ["overlong UTF-8", "62 c0 80", "malformed"],
    ["a surrogate in UTF-8", "63 ed a0 80", "malformed"],
    ["a character beyond U+10FFFF", "64 f4 90 80 80", "malformed"],
    ["a character cut short by the end of its text", "82 61 c3 a9", "malformed"],
    ["a tag", "c0 01", "unsupported"],
    ["a map", "a0", "unsupported"],
    ["an indefinite array", "9f ff", "unsupported"],
    ["undefined", "f7", "unsupported"],
    ["an integer beyond 2^53", "1b 00 20 00 00 00 00 00 00", "unsupported"],
    ["nesting without end", `${"81 ".repeat(9)}01`, "too-large"],
  ];
  test.each(cases)("refuses %s", (_, hex, fault) => {
    const bytes = Uint8Array.from(
      hex.split(" ").filter((byte) => byte !== ""),
      (byte) => parseInt(byte, 16),
    );
    const error = failure(() => decodeCbor(bytes));
    expect(error).toMatchObject({ name: "CborError", fault });
    expect(error.offset).toBeLessThanOrEqual(bytes.length);
  });

  test("refuses more items than the limit", () => {
    expect(failure(() => decodeCbor(encodeCbor(new Array(1024).fill(0)))).fault).toBe("too-large");
    expect(decodeCbor(encodeCbor(new Array(1023).fill(0)))).toHaveLength(1023);
  });

  test("answers any bytes with a value or a CborError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeCbor(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CborError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("reads a view into a larger buffer", () => {
    const bytes = Uint8Array.from([0xff, ...encodeCbor([1.5, "x"]), 0xff]);
    expect(decodeCbor(bytes.subarray(1, -1))).toEqual([1.5, "x"]);
  });
});

describe("the encoder", () => {
  test("keeps its buffer from one value to the next and stays within its limit", () => {
    const encoder = new CborEncoder(16, 4);
    expect(encoder.encode("0123456789abcde")).toHaveLength(16);
    expect(encoder.encode([1])).toEqual(Uint8Array.of(0x81, 0x01));
    expect(failure(() => encoder.encode("0123456789abcdef")).fault).toBe("too-large");
    expect(encoder.encode(2)).toEqual(Uint8Array.of(0x02));
  });

  test("refuses half a surrogate pair", () => {
    expect(failure(() => encodeCbor("\ud83d")).fault).toBe("malformed");
  });
});

function failure(act: () => unknown): CborError {
  try {
    act();
  } catch (error) {
    if (error instanceof CborError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
