/** DNS answers as others write them: names compressed against all that was written before (RFC 1035, section 4.1.4). */
export interface WrittenRecord {
  readonly name: string;
  readonly type: "A" | "PTR" | "SRV" | "TXT" | "AAAA";
  /** Of A: four numbers; of PTR: a name; of SRV: port and name; of TXT: texts; of AAAA: sixteen zeros. */
  readonly data: readonly (string | number)[];
}

const types = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const;

export function writeAnswer(
  id: number,
  question: string | undefined,
  records: readonly WrittenRecord[],
  isCompressed = true,
): Uint8Array {
  const bytes: number[] = [];
  const places = new Map<string, number>();
  const two = (value: number) => bytes.push(value >> 8, value & 0xff);
  const name = (text: string) => {
    const labels = text.split(".");
    for (let i = 0; i < labels.length; i++) {
      const rest = labels.slice(i).join(".");
      const place = places.get(rest);
      if (isCompressed && place !== undefined) return two(0xc000 | place);
      places.set(rest, bytes.length);
      bytes.push(labels[i]!.length, ...Buffer.from(labels[i]!, "latin1"));
    }
    return bytes.push(0);
  };
  for (const each of [id, 0x8400, question === undefined ? 0 : 1, records.length, 0, 0]) two(each);
  if (question !== undefined) {
    name(question);
    two(12);
    two(1);
  }
  for (const { name: owner, type, data } of records) {
    name(owner);
    two(types[type]);
    two(1);
    two(0);
    two(10);
    const lengthAt = bytes.length;
    two(0);
    if (type === "A") bytes.push(...(data as number[]));
    else if (type === "PTR") name(data[0] as string);
    else if (type === "AAAA") bytes.push(...new Array(16).fill(0));
    else if (type === "TXT") {
      for (const text of data as string[]) bytes.push(text.length, ...Buffer.from(text, "latin1"));
    } else {
      for (const each of [0, 0, data[0] as number]) two(each);
      name(data[1] as string);
    }
    const length = bytes.length - lengthAt - 2;
    bytes[lengthAt] = length >> 8;
    bytes[lengthAt + 1] = length & 0xff;
  }
  return Uint8Array.from(bytes);
}

/** What a host of a swarm says of itself. */
export function hostRecords(
  swarm: string,
  host: string,
  address: readonly number[],
  port: number,
): WrittenRecord[] {
  const instance = `${swarm} ${host}._covey._tcp.local`;
  const target = `covey-${swarm}-${host}.local`;
  return [
    { name: "_covey._tcp.local", type: "PTR", data: [instance] },
    { name: instance, type: "SRV", data: [port, target] },
    { name: instance, type: "TXT", data: ["v=1", `swarm=${swarm}`, `host=${host}`] },
    { name: target, type: "A", data: address },
  ];
}
