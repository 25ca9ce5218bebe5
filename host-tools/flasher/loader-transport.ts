/**
 * esptool-js's transport, with what it lacks over a bad cable: what stands outside a frame is passed over, a wait ends when the port goes away, and nothing is polled.
 * SLIP: RFC 1055; Espressif, "Serial Protocol", "Low Level Protocol".
 */
import { Transport } from "esptool-js";
import type { BoardPort } from "./serial/board-port.ts";

/** No whole packet came in time. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

export class LoaderTransport extends Transport {
  readonly #port: BoardPort;
  readonly #packets: Uint8Array[] = [];
  #packet: number[] = [];
  #state: "outside" | "inside" | "escaping" = "outside";
  #wake = () => {};

  constructor(port: BoardPort) {
    // Its types ask for the browser's whole SerialPort; it uses what BoardPort has.
    super(port as never);
    this.#port = port;
  }

  override trace(): void {}

  override async readLoop(): Promise<void> {
    const reader = this.#port.readable?.getReader();
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
      if (done) return;
      this.#take(value!);
      this.#wake();
    }
  }

  override flushInput(): void {
    this.#packets.length = 0;
    this.#state = "outside";
  }

  override async drainInput(quietMs = 100): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    this.flushInput();
  }

  override inWaiting(): number {
    return this.#packets.length;
  }

  override peek(): Uint8Array {
    return new Uint8Array(0);
  }

  /** @throws {NoAnswer} when nothing came for `timeoutMs`, {PortLost} */
  override async read(timeoutMs: number): Promise<Uint8Array> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) return packet;
      await this.#port.unlessLost(this.#more(timeoutMs));
    }
  }

  #more(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new NoAnswer(`no answer within ${timeoutMs} ms`)), timeoutMs);
      // A wait whose port is gone must not keep the process.
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#state === "outside") {
        if (byte === end) this.#begin();
      } else if (this.#state === "escaping") {
        this.#state = "inside";
        if (byte === escapedEnd) this.#packet.push(end);
        else if (byte === escapedEscape) this.#packet.push(escapeByte);
        else this.#state = "outside";
      } else if (byte === escapeByte) this.#state = "escaping";
      else if (byte !== end) {
        if (this.#packet.length < packetBytesMax) this.#packet.push(byte);
        else this.#state = "outside";
      } else if (this.#packet.length > 0) {
        this.#packets.push(Uint8Array.from(this.#packet));
        this.#state = "outside";
      }
    }
  }

  #begin(): void {
    this.#packet = [];
    this.#state = "inside";
  }
}

const end = 0xc0;
const escapeByte = 0xdb;
const escapedEnd = 0xdc;
const escapedEscape = 0xdd;
/** READ_FLASH sends at most one sector at a time. */
const packetBytesMax = 0x2000;
