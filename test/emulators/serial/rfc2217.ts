/**
 * The server's end of a serial port over Telnet: RFC 2217 (Com Port Control) on RFC 854, with RFC 856 (binary).
 *
 * It answers every option and every sub-command as a device server does, so that a client's negotiation is
 * really exercised. Bits of data, parity and stops are taken and confirmed but do nothing: the chip's UART is 8N1.
 */

export interface PortControl {
  /** Bytes for the serial line. */
  data(bytes: Uint8Array): void;
  /** In bit/s. */
  setBaud(baud: number): void;
  baud(): number;
  /** What is left undefined stays. */
  setLines(lines: { readonly dtr?: boolean; readonly rts?: boolean }): void;
  lines(): { readonly dtr: boolean; readonly rts: boolean };
  /** Bytes for the client's socket. */
  reply(bytes: Uint8Array): void;
}

export class Rfc2217Server {
  readonly #port: PortControl;
  #state: "data" | "command" | "option" | "subnegotiation" | "subnegotiation-command" = "data";
  #verb = 0;
  #sub: number[] = [];
  /** Options that were offered or asked for once: an answer to an answer would go on for ever (RFC 854). */
  readonly #settled = new Set<number>();
  #settings = new Map<number, number>([
    [setDataSize, 8],
    [setParity, 1],
    [setStopSize, 1],
  ]);

  constructor(port: PortControl) {
    this.#port = port;
  }

  /** Bytes from the client's socket. */
  receive(bytes: Uint8Array): void {
    let plain: number[] = [];
    const flush = () => {
      if (plain.length > 0) this.#port.data(Uint8Array.from(plain));
      plain = [];
    };
    for (const byte of bytes) {
      if (this.#state === "data") {
        if (byte === iac) this.#state = "command";
        else plain.push(byte);
      } else if (this.#state === "command" && byte === iac) {
        plain.push(iac);
        this.#state = "data";
      } else {
        flush();
        this.#control(byte);
      }
    }
    flush();
  }

  /** Bytes of the serial line, as they go to the client. */
  escape(bytes: Uint8Array): Uint8Array {
    return doubled(bytes);
  }

  #control(byte: number): void {
    switch (this.#state) {
      case "command":
        if (byte === sb) {
          this.#sub = [];
          this.#state = "subnegotiation";
        } else if (byte >= will && byte <= dont) {
          this.#verb = byte;
          this.#state = "option";
        } else this.#state = "data";
        return;
      case "option":
        this.#state = "data";
        this.#negotiate(this.#verb, byte);
        return;
      case "subnegotiation":
        if (byte === iac) this.#state = "subnegotiation-command";
        else if (this.#sub.length < maxSubBytes) this.#sub.push(byte);
        return;
      case "subnegotiation-command":
        if (byte === iac) {
          this.#sub.push(iac);
          this.#state = "subnegotiation";
          return;
        }
        this.#state = "data";
        if (byte === se && this.#sub[0] === comPort) this.#comPort(this.#sub[1]!, this.#sub.slice(2));
        return;
      default:
        return;
    }
  }

  #negotiate(verb: number, option: number): void {
    const known = option === comPort || option === binary || option === suppressGoAhead;
    const settled = this.#settled.has(verb * 256 + option);
    this.#settled.add(verb * 256 + option);
    if (settled) return;
    if (verb === will) this.#send(iac, known ? doIt : dont, option);
    if (verb === doIt) this.#send(iac, known ? will : wont, option);
    if (verb === wont || verb === dont) {
      this.#settled.delete((verb === wont ? will : doIt) * 256 + option);
      this.#send(iac, verb === wont ? dont : wont, option);
    }
  }

  /** RFC 2217, section 3: each command is answered with its number + 100 and the value that now holds. */
  #comPort(command: number, value: readonly number[]): void {
    switch (command) {
      case signature:
        if (value.length === 0) this.#answer(command, [...Buffer.from("covey chip emulator")]);
        return;
      case setBaudRate: {
        const baud = Buffer.from(value).readUInt32BE(0);
        if (baud !== 0) this.#port.setBaud(baud);
        const now = Buffer.alloc(4);
        now.writeUInt32BE(this.#port.baud());
        this.#answer(command, [...now]);
        return;
      }
      case setDataSize:
      case setParity:
      case setStopSize:
        if (value[0] !== 0) this.#settings.set(command, value[0]!);
        this.#answer(command, [this.#settings.get(command)!]);
        return;
      case setControl:
        this.#answer(command, [this.#control2217(value[0]!)]);
        return;
      case purgeData:
        // Nothing waits here that could be thrown away.
        this.#answer(command, [value[0]!]);
        return;
      case setLineStateMask:
      case setModemStateMask:
        this.#answer(command, [value[0]!]);
        return;
      default:
        return;
    }
  }

  #control2217(value: number): number {
    if (value === dtrOn || value === dtrOff) this.#port.setLines({ dtr: value === dtrOn });
    if (value === rtsOn || value === rtsOff) this.#port.setLines({ rts: value === rtsOn });
    if (value === askDtr) return this.#port.lines().dtr ? dtrOn : dtrOff;
    if (value === askRts) return this.#port.lines().rts ? rtsOn : rtsOff;
    if (value === askFlow) return noFlow;
    if (value === askBreak) return breakOff;
    return value;
  }

  #answer(command: number, value: readonly number[]): void {
    const body = doubled(Uint8Array.from([command + 100, ...value]));
    this.#send(iac, sb, comPort, ...body, iac, se);
  }

  #send(...bytes: number[]): void {
    this.#port.reply(Uint8Array.from(bytes));
  }
}

function doubled(bytes: Uint8Array): Uint8Array {
  let count = 0;
  for (const byte of bytes) if (byte === iac) count++;
  if (count === 0) return bytes;
  const out = new Uint8Array(bytes.length + count);
  let at = 0;
  for (const byte of bytes) {
    out[at++] = byte;
    if (byte === iac) out[at++] = iac;
  }
  return out;
}

const maxSubBytes = 64;
const [se, sb, will, wont, doIt, dont, iac] = [240, 250, 251, 252, 253, 254, 255];
const [binary, suppressGoAhead, comPort] = [0, 3, 44];
const [signature, setBaudRate, setDataSize, setParity, setStopSize, setControl] = [0, 1, 2, 3, 4, 5];
const [setLineStateMask, setModemStateMask, purgeData] = [10, 11, 12];
const [askFlow, noFlow, askBreak, breakOff] = [0, 1, 4, 6];
const [askDtr, dtrOn, dtrOff, askRts, rtsOn, rtsOff] = [7, 8, 9, 10, 11, 12];
