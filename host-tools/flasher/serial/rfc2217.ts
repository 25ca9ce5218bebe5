/**
 * The client's end of RFC 2217, a serial port over Telnet: control lines and rate as sub-negotiations of option 44, each of which the server answers with its number
 * plus 100. A change is waited for, so that a reset sequence keeps its times on a slow network too.
 */
import type { Lines } from "./wire.ts";

export interface TelnetEnds {
  /** To the server. */
  send(bytes: Uint8Array): Promise<void>;
  /** From the serial line. */
  data(bytes: Uint8Array): void;
}

export class Rfc2217Client {
  readonly #ends: TelnetEnds;
  #state: "data" | "command" | "option" | "subnegotiation" | "subnegotiation-command" = "data";
  #verb = 0;
  #sub: number[] = [];
  #waiting: { readonly command: number; left: number; readonly answered: () => void } | undefined;

  constructor(ends: TelnetEnds) {
    this.#ends = ends;
  }

  /** Agrees on the options, and sets 8N1 without flow control at that rate. */
  async start(baud: number): Promise<void> {
    const offers = [will, comPort, will, binary, doIt, binary, will, suppressGoAhead, doIt, suppressGoAhead];
    const bytes: number[] = [];
    for (let at = 0; at < offers.length; at += 2) bytes.push(iac, offers[at]!, offers[at + 1]!);
    await this.#ends.send(Uint8Array.from(bytes));
    await this.setBaud(baud);
    for (const [command, value] of [
      [setDataSize, 8],
      [setParity, 1],
      [setStopSize, 1],
      [setControl, noFlow],
    ] as const) {
      await this.#command(command, [[value]]);
    }
  }

  /** To the serial line. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#ends.send(doubled(bytes));
  }

  /** Both in one packet: a board samples its boot pin some milliseconds after its reset is let go. */
  async setLines({ dtr, rts }: Lines): Promise<void> {
    const values: number[][] = [];
    if (dtr !== undefined) values.push([dtr ? dtrOn : dtrOff]);
    if (rts !== undefined) values.push([rts ? rtsOn : rtsOff]);
    await this.#command(setControl, values);
  }

  async setBaud(baud: number): Promise<void> {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, baud);
    await this.#command(setBaudRate, [[...value]]);
  }

  /** From the server. */
  receive(bytes: Uint8Array): void {
    const plain = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (this.#state === "data") {
        if (byte === iac) this.#state = "command";
        else plain[length++] = byte;
      } else if (this.#state === "command" && byte === iac) {
        plain[length++] = iac;
        this.#state = "data";
      } else this.#control(byte);
    }
    if (length > 0) this.#ends.data(plain.subarray(0, length));
  }

  #control(byte: number): void {
    if (this.#state === "command") {
      this.#verb = byte;
      this.#sub = [];
      this.#state = byte === sb ? "subnegotiation" : byte >= will && byte <= dont ? "option" : "data";
    } else if (this.#state === "option") {
      this.#state = "data";
      this.#refuse(this.#verb, byte);
    } else if (this.#state === "subnegotiation") {
      if (byte === iac) this.#state = "subnegotiation-command";
      else if (this.#sub.length < subBytesMax) this.#sub.push(byte);
    } else if (byte === iac) {
      this.#sub.push(iac);
      this.#state = "subnegotiation";
    } else {
      this.#state = "data";
      const waiting = this.#waiting;
      if (waiting === undefined || byte !== se || this.#sub[0] !== comPort) return;
      if (this.#sub[1] === waiting.command + 100 && --waiting.left === 0) waiting.answered();
    }
  }

  /** What was not offered is not wanted; what was offered needs no second word. RFC 854. */
  #refuse(verb: number, option: number): void {
    if (option === comPort || option === binary || option === suppressGoAhead) return;
    if (verb === will || verb === doIt)
      void this.#ends.send(Uint8Array.of(iac, verb === will ? dont : wont, option)).catch(() => undefined);
  }

  /** Says the command once for each value. Some servers leave answers out: then it counts as done after a while. */
  async #command(command: number, values: readonly (readonly number[])[]): Promise<void> {
    const answer = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, answerMs);
      const answered = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting = { command, left: values.length, answered };
    });
    const said = values.flatMap((value) => {
      return [iac, sb, comPort, command, ...doubled(Uint8Array.from(value)), iac, se];
    });
    await this.#ends.send(Uint8Array.from(said));
    await answer;
    this.#waiting = undefined;
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

const answerMs = 500;
const subBytesMax = 64;
const [se, sb, will, wont, doIt, dont, iac] = [240, 250, 251, 252, 253, 254, 255];
const [binary, suppressGoAhead, comPort] = [0, 3, 44];
const [setBaudRate, setDataSize, setParity, setStopSize, setControl] = [1, 2, 3, 4, 5];
const [noFlow, dtrOn, dtrOff, rtsOn, rtsOff] = [1, 8, 9, 11, 12];
