/** The loaders' protocol by hand: one request, what comes back, byte by byte. */
import { dataChecksum } from "./loader/packet.ts";
import { SlipReader, slipFrame } from "./serial/slip.ts";
import { SerialClient } from "./serial-client.ts";

export interface Answer {
  readonly command: number;
  readonly value: number;
  /** With the status bytes at its end. */
  readonly data: readonly number[];
}

export class RawClient {
  readonly port: SerialClient;
  /** Everything that came, as text. */
  heard = "";
  readonly #slip = new SlipReader(70_000);
  readonly #packets: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  /** Settles when the connection ends. */
  readonly ended: Promise<void>;

  private constructor(port: SerialClient) {
    this.port = port;
    this.ended = this.#listen();
  }

  static async open(url: string, baudRate = 115_200): Promise<RawClient> {
    const port = new SerialClient(url);
    await port.open({ baudRate });
    return new RawClient(port);
  }

  /** The classic sequence: EN low, then EN high with IO0 low, then neither. */
  async enterDownload(): Promise<void> {
    await this.port.setSignals({ dataTerminalReady: false, requestToSend: true });
    await pause(20);
    await this.port.setSignals({ dataTerminalReady: true, requestToSend: false });
    await pause(30);
    await this.port.setSignals({ dataTerminalReady: false, requestToSend: false });
  }

  /** Sends it and takes the next packet as its answer. */
  async ask(command: number, body: Uint8Array = new Uint8Array(0), checksum = 0): Promise<Answer> {
    await this.send(command, body, checksum);
    return this.answer();
  }

  /** SYNC, with all its eight answers. */
  async sync(): Promise<Answer[]> {
    const answers = [await this.ask(0x08, syncBody)];
    while (answers.length < 8) answers.push(await this.answer());
    return answers;
  }

  /** A DATA command with its header and checksum. */
  block(command: number, data: Uint8Array, sequence: number): Promise<Answer> {
    return this.ask(command, Buffer.concat([words(data.length, sequence, 0, 0), data]), dataChecksum(data));
  }

  send(command: number, body: Uint8Array, checksum = 0): Promise<void> {
    const header = Buffer.from([0, command, body.length & 255, body.length >> 8, 0, 0, 0, 0]);
    header.writeUInt32LE(checksum, 4);
    return this.write(slipFrame(Buffer.concat([header, body])));
  }

  async write(bytes: Uint8Array): Promise<void> {
    const writer = this.port.writable!.getWriter();
    await writer.write(bytes);
    writer.releaseLock();
  }

  async answer(timeoutMs?: number): Promise<Answer> {
    const packet = Buffer.from(await this.packet(timeoutMs));
    if (packet[0] !== 1 || packet.readUInt16LE(2) !== packet.length - 8)
      throw new Error(`not a response: ${packet.toString("hex")}`);
    return { command: packet[1]!, value: packet.readUInt32LE(4), data: [...packet.subarray(8)] };
  }

  /** @throws {Error} when none comes in time */
  async packet(timeoutMs = 2000): Promise<Uint8Array> {
    const deadline = performance.now() + timeoutMs;
    while (this.#packets.length === 0) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no packet came; what came: ${JSON.stringify(this.heard.slice(-200))}`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), pause(left)]);
    }
    return this.#packets.shift()!;
  }

  /** Whether nothing is answered for a while. */
  async silent(ms = 60): Promise<boolean> {
    await pause(ms);
    return this.#packets.length === 0;
  }

  async #listen(): Promise<void> {
    const reader = this.port.readable!.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.heard += Buffer.from(value).toString("latin1");
      this.#packets.push(...this.#slip.read(value));
      this.#wake?.();
    }
  }
}

/** 32-bit words, lowest byte first. */
export function words(...values: number[]): Uint8Array {
  const body = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) body.writeUInt32LE(value >>> 0, index * 4);
  return body;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const syncBody = Buffer.concat([Buffer.from([0x07, 0x07, 0x12, 0x20]), Buffer.alloc(32, 0x55)]);
