/** Improv's packets as they pass by in a log: what they are, never what they carry, which may be an address or a password. */

export interface ImprovPacket {
  readonly type: number;
  readonly data: Uint8Array;
}

/** `IMPROV` */
export const improvMark: readonly number[] = [0x49, 0x4d, 0x50, 0x52, 0x4f, 0x56];

/** The sum of all bytes before it. */
export function improvChecksum(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

/** In words. Improv Wi-Fi, "Serial", version 1. */
export function improvText({ type, data }: ImprovPacket): string {
  const first = data[0];
  if (type === 1 && first !== undefined) return `Improv: ${states[first] ?? `state ${first}`}`;
  if (type === 2 && first !== undefined) return `Improv: ${errors[first] ?? `error ${first}`}`;
  if (type === 3 && first !== undefined) return `Improv: asked to ${commands[first] ?? `do ${first}`}`;
  if (type === 4 && first !== undefined)
    return `Improv: answer to "${commands[first] ?? first}" (${data.length} bytes)`;
  return `Improv: packet of type ${type} (${data.length} bytes)`;
}

const states: Readonly<Record<number, string>> = {
  1: "waits to be authorized",
  2: "ready for Wi-Fi credentials",
  3: "trying the Wi-Fi credentials",
  4: "on the Wi-Fi",
};

const errors: Readonly<Record<number, string>> = {
  0: "no error",
  1: "the packet was invalid",
  2: "it does not know that command",
  3: "it can't connect to that Wi-Fi",
  4: "not authorized",
  255: "unknown error",
};

const commands: Readonly<Record<number, string>> = {
  1: "take Wi-Fi credentials",
  2: "tell its state",
  3: "tell about itself",
  4: "look for networks",
};
