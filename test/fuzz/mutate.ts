/** Changes an input as what matters to these decoders changes: bits, lengths, CBOR's initial bytes, pieces moved, repeated, left out. */
import type { Random } from "./random.ts";

/** Bytes of the longest input. */
export const inputBytesMax = 4096;

/** `times` changes, each where chance says; `others` lend pieces. */
export function mutate(
  input: Uint8Array,
  others: readonly Uint8Array[],
  random: Random,
  times: number,
): Uint8Array {
  let bytes = input;
  for (let i = 0; i < times; i++) bytes = mutations[random(mutations.length)]!(bytes, others, random);
  return bytes.slice(0, inputBytesMax);
}

type Mutation = (bytes: Uint8Array, others: readonly Uint8Array[], random: Random) => Uint8Array;

const mutations: readonly Mutation[] = [
  // A bit.
  (bytes, _others, random) => put(bytes, random(bytes.length), (byte) => byte ^ (1 << random(8))),
  // A byte, of those that mean something in CBOR, MQTT or a length.
  (bytes, _others, random) => put(bytes, random(bytes.length), () => telling[random(telling.length)]!),
  (bytes, _others, random) => put(bytes, random(bytes.length), () => random(256)),
  // A little more or less: lengths and counts.
  (bytes, _others, random) => put(bytes, random(bytes.length), (byte) => byte + random(5) - 2),
  // Another major type, the argument as it is; the other way round.
  (bytes, _others, random) => put(bytes, random(bytes.length), (byte) => (byte & 0x1f) | (random(8) << 5)),
  (bytes, _others, random) => put(bytes, random(bytes.length), (byte) => (byte & 0xe0) | random(32)),
  // Cut off.
  (bytes, _others, random) => bytes.slice(0, random(bytes.length + 1)),
  // A piece left out, repeated, or put elsewhere.
  (bytes, _others, random) => {
    const [from, to] = span(bytes, random);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, _others, random) => {
    const [from, to] = span(bytes, random);
    return join(bytes.subarray(0, to), bytes.subarray(from));
  },
  // A piece of another input, put in or laid over.
  (bytes, others, random) => {
    const other = others[random(others.length)] ?? bytes;
    const [from, to] = span(other, random);
    const at = random(bytes.length + 1);
    const rest = random(2) === 0 ? at : at + to - from;
    return join(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(rest));
  },
  // A number in its largest forms.
  (bytes, _others, random) => {
    const at = random(bytes.length + 1);
    const type = random(8) << 5;
    const size = random(4);
    const number = new Uint8Array(1 + (1 << size)).fill([0xff, 0, 0x80][random(3)]!);
    number[0] = type | (24 + size);
    return join(bytes.subarray(0, at), number, bytes.subarray(at + 1));
  },
];

/** Borders: of arguments and major types, simple values, floats, indefinite lengths. */
const telling = [
  0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1f, 0x20, 0x3b, 0x40, 0x58, 0x5f, 0x60, 0x7f, 0x80, 0x9b,
  0x9f, 0xa0, 0xbf, 0xc0, 0xd8, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xff,
];

function put(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const changed = bytes.slice();
  if (changed.length > 0) changed[at] = change(changed[at]!);
  return changed;
}

function span(bytes: Uint8Array, random: Random): [number, number] {
  const from = random(bytes.length + 1);
  return [from, Math.min(bytes.length, from + 1 + random(32))];
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
