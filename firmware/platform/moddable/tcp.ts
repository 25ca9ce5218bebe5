import TCP from "embedded:io/socket/tcp";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK has a module of this name
import Net from "net";
import type { TcpConnection, TcpEvents } from "../ports.ts";
import type { Traffic } from "./traffic.ts";

/** Received bytes are handed on in pieces of at most this many, so that a burst costs no more heap than one piece. */
const pieceBytesMax = 512;

/**
 * A TCP connection over the SDK's socket, which needs an address and tells how much it will take: less than a packet on
 * lin, so what does not fit is kept and follows when there is room. Only one such rest is kept.
 */
export class SocketConnection implements TcpConnection {
  readonly #events: TcpEvents;
  readonly #traffic: Traffic;
  #socket: TCP | undefined;
  #writableBytes = 0;
  #rest: Uint8Array | undefined;
  #isOpen = false;
  #isClosed = false;

  constructor(host: string, port: number, events: TcpEvents, traffic: Traffic) {
    this.#events = events;
    this.#traffic = traffic;
    Net.resolve(host, (_, address) => {
      if (this.#isClosed) return;
      if (address === undefined) this.fail(`can't find the address of ${host}`);
      else this.open(address, port);
    });
  }

  /** Whether `write` will take bytes. */
  get hasRoom(): boolean {
    return this.#isOpen && !this.#isClosed && this.#rest === undefined;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.hasRoom) return false;
    this.#traffic.sentBytes += bytes.length;
    this.send(bytes);
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#rest = undefined;
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** Hands as much to the socket as it takes and keeps a copy of the rest. */
  private send(bytes: Uint8Array): void {
    const fitting = Math.min(bytes.length, this.#writableBytes);
    if (fitting > 0) {
      this.#writableBytes =
        this.#socket!.write(fitting === bytes.length ? bytes : bytes.subarray(0, fitting)) ?? 0;
    }
    this.#rest = fitting === bytes.length ? undefined : bytes.slice(fitting);
  }

  private open(address: string, port: number): void {
    try {
      this.#socket = new TCP({
        address,
        port,
        nodelay: true,
        onReadable: (byteCount) => this.read(byteCount),
        onWritable: (byteCount) => this.writable(byteCount),
        onError: () =>
          this.fail(this.#isOpen ? "the other side closed the connection" : "the connection was refused"),
      });
    } catch (error) {
      this.fail(String(error));
    }
  }

  private read(byteCount: number): void {
    let left = byteCount;
    while (left > 0 && this.#socket !== undefined) {
      const piece = Math.min(left, pieceBytesMax);
      left -= piece;
      this.#traffic.receivedBytes += piece;
      this.#events.onData(new Uint8Array(this.#socket.read(piece)));
    }
  }

  private writable(byteCount: number): void {
    this.#writableBytes = byteCount;
    if (this.#rest !== undefined) this.send(this.#rest);
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#events.onOpen();
  }

  private fail(reason: string): void {
    this.close();
    this.#events.onClose(reason);
  }
}
