/**
 * A simulated board's console on a port of this computer (`socket://127.0.0.1:PORT`): its log and its serial line on one wire, as on a chip, whose bytes
 * get lost, doubled and turned as they are told.
 */

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { SerialLine } from "../../../firmware/platform/ports.ts";

/** What becomes of a byte. */
export type ByteFault = (byte: number) => readonly number[];

export interface ConsoleFaults {
  readonly toBoard?: ByteFault;
  readonly toHost?: ByteFault;
}

export class ConsoleLine implements SerialLine {
  /** Every byte that went over the wire, either way. */
  readonly passed: number[] = [];
  readonly #faults: ConsoleFaults;
  readonly #server: Server;
  #socket: Socket | undefined;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #listens = 0;

  private constructor(faults: ConsoleFaults) {
    this.#faults = faults;
    this.#server = createServer((socket) => {
      this.#socket = socket;
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("data", (bytes) => this.#toBoard(bytes));
    });
  }

  static async open(faults: ConsoleFaults = {}): Promise<ConsoleLine> {
    const line = new ConsoleLine(faults);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  get url(): string {
    return `socket://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  get isListening(): boolean {
    return this.#onData !== undefined;
  }

  /** How often the board began to listen. */
  get listens(): number {
    return this.#listens;
  }

  /** The board's log. */
  log(level: string, text: string): void {
    this.#toHost(Buffer.from(`${level}: ${text}\n`));
  }

  async shut(): Promise<void> {
    this.#socket?.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  // For the board.

  listen(onData: (bytes: Uint8Array) => void): void {
    this.#listens++;
    this.#onData = onData;
  }

  write(bytes: Uint8Array): void {
    this.#toHost(bytes);
  }

  close(): void {
    this.#onData = undefined;
  }

  #toBoard(bytes: Uint8Array): void {
    this.passed.push(...bytes);
    const heard = spoiled(bytes, this.#faults.toBoard);
    if (heard.length > 0) this.#onData?.(heard);
  }

  #toHost(bytes: Uint8Array): void {
    this.passed.push(...bytes);
    this.#socket?.write(spoiled(bytes, this.#faults.toHost));
  }
}

function spoiled(bytes: Uint8Array, fault: ByteFault | undefined): Uint8Array {
  return fault === undefined
    ? Uint8Array.from(bytes)
    : Uint8Array.from([...bytes].flatMap((byte) => fault(byte)));
}
