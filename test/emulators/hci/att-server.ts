/**
 * The attribute protocol (Core Specification 5.4, Vol. 3, Part F) as a GATT server speaks it: discovery, reads and writes, long ones too, and
 * notifications. One service beside that of the device's name.
 */
import type { GattService } from "../../../firmware/platform/ports.ts";

export interface AttEvents {
  send(pdu: Uint8Array): void;
  /** A whole value was written to the characteristic with this index. */
  onWrite(index: number, value: Uint8Array): void;
}

interface Attribute {
  readonly handle: number;
  /** Type, 2 or 16 bytes, least first. */
  readonly type: Uint8Array;
  read?: () => Uint8Array;
  write?: (value: Uint8Array) => void;
}

const opcode = Object.freeze({
  error: 0x01,
  mtuRequest: 0x02,
  mtuResponse: 0x03,
  findInformation: 0x04,
  findInformationResponse: 0x05,
  readByType: 0x08,
  readByTypeResponse: 0x09,
  read: 0x0a,
  readResponse: 0x0b,
  readBlob: 0x0c,
  readBlobResponse: 0x0d,
  readByGroup: 0x10,
  readByGroupResponse: 0x11,
  write: 0x12,
  writeResponse: 0x13,
  prepareWrite: 0x16,
  prepareWriteResponse: 0x17,
  executeWrite: 0x18,
  executeWriteResponse: 0x19,
  notification: 0x1b,
  writeCommand: 0x52,
});

const fault = Object.freeze({
  invalidHandle: 0x01,
  readNotPermitted: 0x02,
  writeNotPermitted: 0x03,
  invalidPdu: 0x04,
  requestNotSupported: 0x06,
  invalidOffset: 0x07,
  notFound: 0x0a,
  invalidLength: 0x0d,
});

const [primaryService, characteristic, clientConfiguration, deviceName] = [0x2800, 0x2803, 0x2902, 0x2a00];
const valueBytesMax = 512;

/** For one connection. */
export class AttServer {
  readonly #events: AttEvents;
  readonly #attributes: Attribute[] = [];
  readonly #groups: { readonly first: number; last: number; readonly uuid: Uint8Array }[] = [];
  readonly #values: Uint8Array[];
  readonly #subscribed = new Set<number>();
  readonly #valueHandles: number[] = [];
  readonly #mtuMax: number;
  #mtu = 23;
  #prepared: { readonly handle: number; readonly offset: number; readonly value: Uint8Array }[] = [];

  /** @param values of the characteristics as they are now; kept up by `set` */
  constructor(service: GattService, values: readonly Uint8Array[], mtuMax: number, events: AttEvents) {
    this.#events = events;
    this.#mtuMax = mtuMax;
    this.#values = [...values];
    this.#addService(short(0x1800), () =>
      this.#addCharacteristic(short(deviceName), 0x02, { read: () => Buffer.from("covey") }),
    );
    this.#addService(long(service.uuid), () => {
      for (const [index, { uuid, kind }] of service.characteristics.entries()) {
        if (kind === "command") {
          const write = (value: Uint8Array) => events.onWrite(index, value);
          this.#valueHandles.push(this.#addCharacteristic(long(uuid), 0x04 | 0x08, { write }));
        } else {
          const read = () => this.#values[index] ?? new Uint8Array(0);
          this.#valueHandles.push(this.#addCharacteristic(long(uuid), 0x02 | 0x10, { read }));
          this.#add(short(clientConfiguration), {
            read: () => Uint8Array.of(this.#subscribed.has(index) ? 1 : 0, 0),
            write: (value) =>
              void (value[0] === 1 ? this.#subscribed.add(index) : this.#subscribed.delete(index)),
          });
        }
      }
    });
  }

  /** Tells those who subscribed, as much as one packet holds. */
  set(index: number, value: Uint8Array): void {
    this.#values[index] = value;
    if (!this.#subscribed.has(index)) return;
    const handle = this.#valueHandles[index]!;
    this.#send(opcode.notification, [handle & 0xff, handle >> 8, ...value.subarray(0, this.#mtu - 3)]);
  }

  receive(pdu: Uint8Array): void {
    const [code = 0] = pdu;
    const view = Buffer.from(pdu);
    const u16 = (at: number) => view.readUInt16LE(at);
    const least: Record<number, number> = {
      [opcode.read]: 3,
      [opcode.write]: 3,
      [opcode.writeCommand]: 3,
      [opcode.executeWrite]: 2,
    };
    if (pdu.length < (least[code] ?? (code === opcode.mtuRequest ? 3 : 5))) {
      this.#refuse(code, 0, fault.invalidPdu);
      return;
    }
    switch (code) {
      case opcode.mtuRequest:
        this.#send(opcode.mtuResponse, [this.#mtuMax & 0xff, this.#mtuMax >> 8]);
        this.#mtu = Math.max(23, Math.min(this.#mtuMax, u16(1)));
        return;
      case opcode.readByGroup:
        this.#readByGroup(u16(1), u16(3), pdu.subarray(5));
        return;
      case opcode.readByType:
        this.#readByType(u16(1), u16(3), pdu.subarray(5));
        return;
      case opcode.findInformation:
        this.#findInformation(u16(1), u16(3));
        return;
      case opcode.read:
        this.#read(code, u16(1), 0);
        return;
      case opcode.readBlob:
        this.#read(code, u16(1), u16(3));
        return;
      case opcode.write:
      case opcode.writeCommand:
        this.#write(code, u16(1), pdu.slice(3));
        return;
      case opcode.prepareWrite:
        this.#prepared.push({ handle: u16(1), offset: u16(3), value: pdu.slice(5) });
        this.#send(opcode.prepareWriteResponse, pdu.subarray(1));
        return;
      case opcode.executeWrite:
        this.#execute(pdu[1] === 1);
        return;
      default:
        // A command (bit 6) has no answer.
        if ((code & 0x40) === 0) this.#refuse(code, 0, fault.requestNotSupported);
    }
  }

  #readByGroup(start: number, end: number, type: Uint8Array): void {
    const groups = this.#groups.filter(({ first }) => first >= start && first <= end);
    const [head] = groups;
    if (!same(type, short(primaryService)) || head === undefined) {
      this.#refuse(opcode.readByGroup, start, fault.notFound);
      return;
    }
    const entry = 4 + head.uuid.length;
    const bytes = [entry];
    for (const { first, last, uuid } of groups) {
      if (uuid.length !== head.uuid.length || bytes.length + entry + 1 > this.#mtu) break;
      bytes.push(first & 0xff, first >> 8, last & 0xff, last >> 8, ...uuid);
    }
    this.#send(opcode.readByGroupResponse, bytes);
  }

  #readByType(start: number, end: number, type: Uint8Array): void {
    const found = this.#attributes.filter(
      (each) => each.handle >= start && each.handle <= end && same(each.type, type),
    );
    const [head] = found;
    if (head?.read === undefined) {
      this.#refuse(opcode.readByType, start, fault.notFound);
      return;
    }
    const length = Math.min(head.read().length, this.#mtu - 4);
    const bytes = [2 + length];
    for (const { handle, read } of found) {
      const value = read!();
      if (value.length !== length || bytes.length + 2 + length + 1 > this.#mtu) break;
      bytes.push(handle & 0xff, handle >> 8, ...value);
    }
    this.#send(opcode.readByTypeResponse, bytes);
  }

  #findInformation(start: number, end: number): void {
    const found = this.#attributes.filter(({ handle }) => handle >= start && handle <= end);
    const [head] = found;
    if (head === undefined) {
      this.#refuse(opcode.findInformation, start, fault.notFound);
      return;
    }
    const bytes = [head.type.length === 2 ? 1 : 2];
    for (const { handle, type } of found) {
      if (type.length !== head.type.length || bytes.length + 3 + type.length > this.#mtu) break;
      bytes.push(handle & 0xff, handle >> 8, ...type);
    }
    this.#send(opcode.findInformationResponse, bytes);
  }

  #read(code: number, handle: number, offset: number): void {
    const attribute = this.#attributes.find((each) => each.handle === handle);
    if (attribute === undefined) {
      this.#refuse(code, handle, fault.invalidHandle);
      return;
    }
    if (attribute.read === undefined) {
      this.#refuse(code, handle, fault.readNotPermitted);
      return;
    }
    const value = attribute.read();
    if (offset > value.length) {
      this.#refuse(code, handle, fault.invalidOffset);
      return;
    }
    this.#send(code + 1, value.subarray(offset, offset + this.#mtu - 1));
  }

  #write(code: number, handle: number, value: Uint8Array): void {
    const problem = this.#put(handle, value);
    if (code === opcode.writeCommand) return;
    if (problem === undefined) this.#send(opcode.writeResponse, []);
    else this.#refuse(code, handle, problem);
  }

  #execute(isMeant: boolean): void {
    const prepared = this.#prepared;
    this.#prepared = [];
    const [head] = prepared;
    if (isMeant && head !== undefined) {
      const whole: number[] = [];
      for (const { offset, value } of prepared) {
        if (offset !== whole.length) {
          this.#refuse(opcode.executeWrite, head.handle, fault.invalidOffset);
          return;
        }
        whole.push(...value);
      }
      const problem = this.#put(head.handle, Uint8Array.from(whole));
      if (problem !== undefined) {
        this.#refuse(opcode.executeWrite, head.handle, problem);
        return;
      }
    }
    this.#send(opcode.executeWriteResponse, []);
  }

  #put(handle: number, value: Uint8Array): number | undefined {
    const attribute = this.#attributes.find((each) => each.handle === handle);
    if (attribute === undefined) return fault.invalidHandle;
    if (attribute.write === undefined) return fault.writeNotPermitted;
    if (value.length > valueBytesMax) return fault.invalidLength;
    attribute.write(value);
    return undefined;
  }

  #refuse(code: number, handle: number, why: number): void {
    this.#send(opcode.error, [code, handle & 0xff, handle >> 8, why]);
  }

  #send(code: number, rest: Uint8Array | readonly number[]): void {
    this.#events.send(Uint8Array.from([code, ...rest]));
  }

  #addService(uuid: Uint8Array, addCharacteristics: () => void): void {
    const first = this.#add(short(primaryService), { read: () => uuid });
    const group = { first, last: first, uuid };
    this.#groups.push(group);
    addCharacteristics();
    group.last = this.#attributes.length;
  }

  /** The handle of its value. */
  #addCharacteristic(uuid: Uint8Array, properties: number, ends: Pick<Attribute, "read" | "write">): number {
    const value = this.#attributes.length + 2;
    this.#add(short(characteristic), {
      read: () => Uint8Array.of(properties, value & 0xff, value >> 8, ...uuid),
    });
    return this.#add(uuid, ends);
  }

  #add(type: Uint8Array, ends: Pick<Attribute, "read" | "write">): number {
    const handle = this.#attributes.length + 1;
    this.#attributes.push({ handle, type, ...ends });
    return handle;
  }
}

function short(uuid: number): Uint8Array {
  return Uint8Array.of(uuid & 0xff, uuid >> 8);
}

function long(uuid: string): Uint8Array {
  return Uint8Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex").reverse());
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
