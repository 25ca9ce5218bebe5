/**
 * Covey's client path as every program has it, `PUT /api/settings/KEY` on a host, with keep-alive connections that carry many
 * requests at once: HTTP/1.1 pipelining (RFC 9112, 9.3.2), as etcd's client has many streams on a connection. Answers come in the order of
 * the requests, which is how commits come anyway.
 */
import { connect, type Socket } from "node:net";
import type { PutClient } from "./load.ts";

/** Requests that share a connection, as with etcd. */
const requestsPerConnection = 32;

export class CoveyClient implements PutClient {
  readonly #connections: readonly Pipeline[];

  constructor(url: string, clients: number) {
    const count = Math.ceil(clients / requestsPerConnection);
    this.#connections = Array.from({ length: count }, () => new Pipeline(new URL(url)));
  }

  /** Resolves once the put is committed and applied; rejects with what the host says, or when the connection is lost. */
  put(client: number, key: string, value: string): Promise<void> {
    return this.#connections[client % this.#connections.length]!.put(key, value);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** One connection; a lost one is opened anew by the next request. */
class Pipeline {
  readonly #url: URL;
  #socket: Socket | undefined;
  #waiting: Waiting[] = [];
  #received = "";

  constructor(url: URL) {
    this.#url = url;
  }

  put(key: string, value: string): Promise<void> {
    const socket = this.#socket ?? this.#open();
    const body = JSON.stringify({ value });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      // All of one turn of the event loop leave in one write.
      if (socket.writableCorked === 0) {
        socket.cork();
        setImmediate(() => socket.uncork());
      }
      socket.write(
        `PUT /api/settings/${key} HTTP/1.1\r\nhost: ${this.#url.host}\r\ncontent-type: application/json\r\n` +
          `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true });
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      while (this.#takeAnswer()) {}
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#received = "";
      const lost = new Error(`The connection to ${this.#url.host} was lost.`);
      for (const { reject } of this.#waiting.splice(0)) reject(lost);
    });
    this.#socket = socket;
    return socket;
  }

  /** Whether there was a whole one. */
  #takeAnswer(): boolean {
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return false;
    const head = this.#received.slice(0, headEnd).toLowerCase();
    const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1]);
    const end = headEnd + 4 + length;
    if (this.#received.length < end) return false;
    const status = Number(head.slice(9, 12));
    const body = this.#received.slice(headEnd + 4, end);
    this.#received = this.#received.slice(end);
    const { resolve, reject } = this.#waiting.shift()!;
    if (status === 200) resolve();
    else reject(new Error(`${status} ${body}`));
    return true;
  }
}
