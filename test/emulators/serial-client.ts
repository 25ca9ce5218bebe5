/** The host's end of an emulated port, shaped as Web Serial: just enough to drive the emulator with esptool-js and by hand. */
import { connect, type Socket } from "node:net";

export interface Signals {
  readonly dataTerminalReady?: boolean;
  readonly requestToSend?: boolean;
}

export class SerialClient {
  readonly #url: URL;
  #socket: Socket | undefined;
  #telnet: TelnetReader | undefined;
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;

  /** @param url `rfc2217://host:port` or `socket://host:port` */
  constructor(url: string) {
    this.#url = new URL(url);
  }

  getInfo(): Record<string, never> {
    return {};
  }

  async open({ baudRate }: { readonly baudRate: number }): Promise<void> {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    if (this.#url.protocol === "rfc2217:") {
      this.#telnet = new TelnetReader();
      socket.write(Uint8Array.of(255, 251, 44, 255, 251, 0, 255, 253, 0));
      this.setBaudRate(baudRate);
    }
    this.readable = new ReadableStream({
      start: (controller) => {
        socket.on("data", (bytes: Uint8Array) => {
          const plain = this.#telnet?.plain(bytes) ?? bytes;
          if (plain.length > 0) controller.enqueue(plain);
        });
        socket.on("error", () => undefined);
        socket.on("close", () => {
          try {
            controller.close();
          } catch {
            // Its reader cancelled it.
          }
        });
      },
    });
    this.writable = new WritableStream({ write: (bytes) => this.#send(bytes) });
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    this.readable = null;
    this.writable = null;
  }

  async setSignals({ dataTerminalReady, requestToSend }: Signals): Promise<void> {
    if (this.#telnet === undefined) return;
    if (requestToSend !== undefined) this.#control(5, [requestToSend ? 11 : 12]);
    if (dataTerminalReady !== undefined) this.#control(5, [dataTerminalReady ? 8 : 9]);
  }

  setBaudRate(baud: number): void {
    this.#control(1, [(baud >>> 24) & 255, (baud >>> 16) & 255, (baud >>> 8) & 255, baud & 255]);
  }

  #control(command: number, value: readonly number[]): void {
    const escaped = value.flatMap((byte) => (byte === 255 ? [255, 255] : [byte]));
    if (this.#telnet !== undefined)
      this.#socket?.write(Uint8Array.from([255, 250, 44, command, ...escaped, 255, 240]));
  }

  #send(bytes: Uint8Array): void {
    const out =
      this.#telnet === undefined
        ? bytes
        : Uint8Array.from([...bytes].flatMap((b) => (b === 255 ? [255, 255] : [b])));
    this.#socket?.write(out);
  }
}

/** Takes Telnet's commands out of a stream. */
class TelnetReader {
  #state: "data" | "command" | "option" | "sub" | "sub-command" = "data";

  plain(bytes: Uint8Array): Uint8Array {
    const out: number[] = [];
    for (const byte of bytes) {
      if (this.#state === "data") {
        if (byte === 255) this.#state = "command";
        else out.push(byte);
      } else if (this.#state === "command") {
        if (byte === 255) out.push(255);
        this.#state = byte === 250 ? "sub" : byte >= 251 && byte <= 254 ? "option" : "data";
      } else if (this.#state === "option") this.#state = "data";
      else if (this.#state === "sub") this.#state = byte === 255 ? "sub-command" : "sub";
      else this.#state = byte === 240 ? "data" : "sub";
    }
    return Uint8Array.from(out);
  }
}
