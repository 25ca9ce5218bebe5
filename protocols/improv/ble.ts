/**
 * Improv over Bluetooth Low Energy (improv-wifi.com/ble, 2.4): the GATT service, what the board advertises, and commands in pieces.
 *
 * Commands and results are those of `rpc.ts` with one byte after them, the sum of all others modulo 256.
 */
import { joinBytes, sumOf } from "./bytes.ts";
import { decodeCommand, type Rpc } from "./rpc.ts";

/** Lower case, as Bluetooth libraries of both ends write them. */
export const improvService = "00467768-6228-2272-4663-277478268000";

/** In the order of `characteristics`: what each is called in a board's service. */
export const Characteristic = Object.freeze({
  state: 0,
  error: 1,
  command: 2,
  result: 3,
  capabilities: 4,
} as const);

export const characteristicUuids: readonly string[] = Object.freeze([
  "00467768-6228-2272-4663-277478268001",
  "00467768-6228-2272-4663-277478268002",
  "00467768-6228-2272-4663-277478268003",
  "00467768-6228-2272-4663-277478268004",
  "00467768-6228-2272-4663-277478268005",
]);

/** Bits of the capabilities. */
export const Capability = Object.freeze({ identify: 1, deviceInfo: 2, scan: 4, hostname: 8 } as const);

/** Under which the state is advertised, `IMPR` of a telephone's keys. */
export const serviceDataUuid = 0x4677;

/**
 * What the board advertises: that it can be found, the service and the service's data, in 31 bytes of which there are 31: 3, 18 and 10.
 */
export function advertisement(state: number, capabilities: number): Uint8Array {
  const bytes = new Uint8Array(31);
  // Flags: general discoverable, no BR/EDR (Core Specification Supplement, Part A, 1.3).
  bytes[0] = 2;
  bytes[1] = 0x01;
  bytes[2] = 0x06;
  // Complete list of 128-bit service UUIDs, least byte first (1.1).
  bytes[3] = 17;
  bytes[4] = 0x07;
  let at = 20;
  for (let i = 0; i < improvService.length; i += 2) {
    if (improvService[i] === "-") i++;
    bytes[at--] = Number.parseInt(improvService.slice(i, i + 2), 16);
  }
  // Service data of a 16-bit UUID (1.11): state, capabilities, four bytes that are reserved.
  bytes[21] = 9;
  bytes[22] = 0x16;
  bytes[23] = serviceDataUuid & 0xff;
  bytes[24] = serviceDataUuid >> 8;
  bytes[25] = state;
  bytes[26] = capabilities;
  return bytes;
}

/** What the service data says; undefined for data of another service or length. */
export function decodeServiceData(data: Uint8Array): { state: number; capabilities: number } | undefined {
  if (data.length !== 6) return undefined;
  return { state: data[0]!, capabilities: data[1]! };
}

/** A command or a result with its sum after it. */
export function withSum(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes, 0);
  out[bytes.length] = sumOf(bytes, 0, bytes.length);
  return out;
}

/** Without the sum; undefined when that is wrong or there is nothing but a sum. */
export function withoutSum(bytes: Uint8Array): Uint8Array | undefined {
  const end = bytes.length - 1;
  return end >= 0 && sumOf(bytes, 0, end) === bytes[end] ? bytes.subarray(0, end) : undefined;
}

/** Puts a command together from several writes, each of which holds only as many bytes as one packet of the radio. */
export class CommandAssembler {
  #bytes: Uint8Array | undefined;

  /** The command, once it is whole; "more" as long as it is not; "invalid" for what can't become one, and then it starts over. */
  push(piece: Uint8Array): Rpc | "more" | "invalid" {
    const bytes = this.#bytes === undefined ? piece : joinBytes(this.#bytes, piece);
    this.#bytes = undefined;
    const wanted = bytes.length < 2 ? minimumBytes : minimumBytes + bytes[1]!;
    if (bytes.length < wanted) {
      this.#bytes = bytes.slice();
      return "more";
    }
    const plain = bytes.length === wanted ? withoutSum(bytes) : undefined;
    return (plain && decodeCommand(plain)) ?? "invalid";
  }

  /** Forgets a command that did not become whole: its sender went away. */
  clear(): void {
    this.#bytes = undefined;
  }
}

/** Command, length, sum. */
const minimumBytes = 3;
