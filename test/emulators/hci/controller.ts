/**
 * A Bluetooth controller on a serial port (HCI UART transport, Core Specification 5.4, Vol. 4, Parts A and E), with the radios of boards in reach: as much
 * of it as a central needs that scans, connects and speaks the attribute protocol. What a computer sends that it should not is kept as a violation.
 */
import type { EmulatedRadio } from "./radio.ts";

const packet = Object.freeze({ command: 1, acl: 2, event: 4 });
const event = Object.freeze({
  disconnected: 0x05,
  complete: 0x0e,
  status: 0x0f,
  packetsDone: 0x13,
  lowEnergy: 0x3e,
});
const command = Object.freeze({
  disconnect: 0x0406,
  setEventMask: 0x0c01,
  reset: 0x0c03,
  readHostSupport: 0x0c6c,
  writeHostSupport: 0x0c6d,
  readVersion: 0x1001,
  readBufferSize: 0x1005,
  readAddress: 0x1009,
  readRssi: 0x1405,
  leSetEventMask: 0x2001,
  leReadBufferSize: 0x2002,
  leReadFeatures: 0x2003,
  leSetScanParameters: 0x200b,
  leSetScanEnable: 0x200c,
  leConnect: 0x200d,
  leConnectCancel: 0x200e,
});
const [attCid, headerBytes] = [4, 4];
const connectionHandle = 0x0040;
/** The least that a controller may have (Vol. 4, Part E, 7.8.2): everything longer comes in pieces. */
const aclBytes = 27;
const aclPackets = 4;
const reportEveryMs = 40;
const [userEnded, connectionTimeout, noConnection, commandDisallowed] = [0x16, 0x08, 0x02, 0x0c];

export class EmulatedController {
  readonly violations: string[] = [];
  readonly #radios: readonly EmulatedRadio[];
  readonly #send: (bytes: Uint8Array) => void;
  #input = Buffer.alloc(0);
  #scan: NodeJS.Timeout | undefined;
  #pending: NodeJS.Timeout | undefined;
  #connection: { readonly radio: EmulatedRadio; readonly receive: (pdu: Uint8Array) => void } | undefined;
  #l2cap = Buffer.alloc(0);

  /** @param send to the computer */
  constructor(radios: readonly EmulatedRadio[], send: (bytes: Uint8Array) => void) {
    this.#radios = radios;
    this.#send = send;
  }

  /** From the computer. */
  receive(bytes: Uint8Array): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    for (;;) {
      const length = this.#packetBytes();
      if (length === undefined || this.#input.length < length) return;
      const whole = this.#input.subarray(0, length);
      this.#input = this.#input.subarray(length);
      if (whole[0] === packet.command) this.#command(whole.readUInt16LE(1), whole.subarray(4));
      else this.#acl(whole.readUInt16LE(1), whole.subarray(5));
    }
  }

  close(): void {
    clearInterval(this.#scan);
    clearInterval(this.#pending);
    this.#connection?.radio.disconnected();
    this.#connection = undefined;
  }

  #packetBytes(): number | undefined {
    const input = this.#input;
    if (input.length === 0) return undefined;
    if (input[0] === packet.command) return input.length < 4 ? undefined : 4 + input[3]!;
    if (input[0] === packet.acl) return input.length < 5 ? undefined : 5 + input.readUInt16LE(3);
    this.violations.push(`a packet of type ${input[0]}`);
    this.#input = Buffer.alloc(0);
    return undefined;
  }

  #command(code: number, data: Buffer): void {
    switch (code) {
      case command.reset:
        this.close();
        this.#complete(code, [0]);
        return;
      case command.setEventMask:
      case command.leSetEventMask:
      case command.writeHostSupport:
      case command.leSetScanParameters:
        this.#complete(code, [0]);
        return;
      case command.readHostSupport:
        this.#complete(code, [0, 1, 0]);
        return;
      case command.readVersion:
        // Version 4.2, of no manufacturer in particular.
        this.#complete(code, [0, 0x08, 0, 0, 0x08, 0xff, 0xff, 0, 0]);
        return;
      case command.readAddress:
        this.#complete(code, [0, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
        return;
      case command.leReadFeatures:
        this.#complete(code, [0, 0, 0, 0, 0, 0, 0, 0, 0]);
        return;
      case command.leReadBufferSize:
        this.#complete(code, [0, aclBytes, 0, aclPackets]);
        return;
      case command.leSetScanEnable:
        this.#setScan(data[0] === 1);
        this.#complete(code, [0]);
        return;
      case command.leConnect:
        this.#connect(code, data);
        return;
      case command.leConnectCancel:
        this.#complete(code, [this.#pending === undefined ? commandDisallowed : 0]);
        if (this.#pending !== undefined) this.#connected(noConnection, undefined);
        return;
      case command.disconnect:
        this.#status(code, 0);
        this.#disconnected(userEnded);
        return;
      case command.readRssi:
        this.#complete(code, [0, data[0]!, data[1]!, 0xd0]);
        return;
      default:
        this.violations.push(`the command 0x${code.toString(16)}`);
        // Unknown command.
        this.#complete(code, [0x01]);
        return;
    }
  }

  #setScan(isOn: boolean): void {
    clearInterval(this.#scan);
    if (isOn) this.#scan = setInterval(() => this.#report(), reportEveryMs);
  }

  /** Each radio's advertisement, and its scan response, because the scan is an active one. */
  #report(): void {
    for (const { address, advertised } of this.#radios) {
      if (advertised === undefined) continue;
      for (const [type, data] of [
        [0, advertised.data],
        [4, advertised.scanResponse],
      ] as const) {
        this.#event(event.lowEnergy, [
          0x02,
          1,
          type,
          0,
          ...[...address].reverse(),
          data.length,
          ...data,
          0xd0,
        ]);
      }
    }
  }

  #connect(code: number, data: Buffer): void {
    if (this.#connection !== undefined || this.#pending !== undefined) {
      this.#status(code, commandDisallowed);
      return;
    }
    this.#status(code, 0);
    const address = Buffer.from(data.subarray(6, 12)).reverse();
    const attempt = () => {
      const radio = this.#radios.find(
        (each) => address.equals(each.address) && each.advertised !== undefined,
      );
      if (radio !== undefined) this.#connected(0, radio);
    };
    this.#pending = setInterval(attempt, reportEveryMs);
  }

  #connected(status: number, radio: EmulatedRadio | undefined): void {
    clearInterval(this.#pending);
    this.#pending = undefined;
    const receive = radio?.connect({
      send: (pdu) => this.#sendAtt(pdu),
      lost: () => this.#disconnected(connectionTimeout),
    });
    if (radio !== undefined && receive !== undefined) this.#connection = { radio, receive };
    const address = radio === undefined ? [0, 0, 0, 0, 0, 0] : [...radio.address].reverse();
    const parameters = [0x18, 0, 0, 0, 0x2a, 0, 0];
    this.#event(event.lowEnergy, [0x01, status, connectionHandle, 0, 0, 0, ...address, ...parameters]);
  }

  #disconnected(reason: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#l2cap = Buffer.alloc(0);
    connection.radio.disconnected();
    this.#event(event.disconnected, [0, connectionHandle, 0, reason]);
  }

  /** L2CAP (Vol. 3, Part A): the pieces of one packet after another. */
  #acl(handleAndFlags: number, data: Buffer): void {
    const flags = (handleAndFlags >> 12) & 3;
    if (data.length > aclBytes)
      this.violations.push(`${data.length} bytes in one packet for a controller of ${aclBytes}`);
    if ((handleAndFlags & 0xfff) !== connectionHandle) this.violations.push("a packet for no connection");
    this.#l2cap = flags === 1 ? Buffer.concat([this.#l2cap, data]) : Buffer.from(data);
    this.#event(event.packetsDone, [1, connectionHandle, 0, 1, 0]);
    if (this.#l2cap.length < headerBytes || this.#l2cap.length < headerBytes + this.#l2cap.readUInt16LE(0))
      return;
    const [length, cid] = [this.#l2cap.readUInt16LE(0), this.#l2cap.readUInt16LE(2)];
    const pdu = Uint8Array.from(this.#l2cap.subarray(headerBytes, headerBytes + length));
    this.#l2cap = Buffer.alloc(0);
    if (cid === attCid) this.#connection?.receive(pdu);
  }

  #sendAtt(pdu: Uint8Array): void {
    const whole = Uint8Array.of(pdu.length & 0xff, pdu.length >> 8, attCid, 0, ...pdu);
    for (let at = 0; at < whole.length; at += aclBytes) {
      const piece = whole.subarray(at, at + aclBytes);
      const flags = at === 0 ? 2 : 1;
      this.#send(Uint8Array.of(packet.acl, connectionHandle, flags << 4, piece.length, 0, ...piece));
    }
  }

  #complete(code: number, result: readonly number[]): void {
    this.#event(event.complete, [1, code & 0xff, code >> 8, ...result]);
  }

  #status(code: number, status: number): void {
    this.#event(event.status, [status, 1, code & 0xff, code >> 8]);
  }

  #event(code: number, data: readonly number[]): void {
    this.#send(Uint8Array.of(packet.event, code, data.length, ...data));
  }
}
