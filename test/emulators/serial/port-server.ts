/** A serial port on the network, once as RFC 2217 and once as bare bytes, held by one client at a time as ser2net does. */
import { createServer, type Server, type Socket } from "node:net";
import { type PortControl, Rfc2217Server } from "./rfc2217.ts";

export interface PortOwner {
  /** Why nobody can have the port now, as the device server tells it; undefined when it is free. */
  refusal(): string | undefined;
  /** Both ends start at the port's usual rate, with its lines off. */
  opened(): void;
  closed(): void;
  data(bytes: Uint8Array): void;
  setBaud(baud: number): void;
  baud(): number;
  setLines(lines: { readonly dtr?: boolean; readonly rts?: boolean }): void;
  lines(): { readonly dtr: boolean; readonly rts: boolean };
}

export class PortServer {
  readonly #owner: PortOwner;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #client: { readonly socket: Socket; readonly send: (bytes: Uint8Array) => void } | undefined;

  constructor(owner: PortOwner) {
    this.#owner = owner;
  }

  /** On loopback, at ports that the system gives. */
  async listen(): Promise<{ readonly url: string; readonly socketUrl: string }> {
    const telnet = await this.#serve((socket) => this.#telnet(socket));
    const bare = await this.#serve((socket) => this.#bare(socket));
    return { url: `rfc2217://127.0.0.1:${telnet}`, socketUrl: `socket://127.0.0.1:${bare}` };
  }

  /** To the client; lost when there is none. */
  send(bytes: Uint8Array): void {
    this.#client?.send(bytes);
  }

  /** Ends the client's connection, as a device server does whose device is gone. */
  drop(): void {
    this.#client?.socket.destroy();
    this.#client = undefined;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    this.#servers.length = 0;
  }

  async #serve(attach: (socket: Socket) => (bytes: Uint8Array) => void): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
      const refusal = this.#client === undefined ? this.#owner.refusal() : "Port already in use";
      if (refusal !== undefined) {
        socket.end(`${refusal}\r\n`);
        // What it still sends is read, or its end would never be seen.
        socket.resume();
        return;
      }
      this.#client = { socket, send: attach(socket) };
      socket.on("close", () => {
        if (this.#client?.socket !== socket) return;
        this.#client = undefined;
        this.#owner.closed();
      });
      this.#owner.opened();
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as { port: number }).port;
  }

  #bare(socket: Socket): (bytes: Uint8Array) => void {
    socket.on("data", (bytes) => this.#owner.data(bytes));
    return (bytes) => socket.write(bytes);
  }

  #telnet(socket: Socket): (bytes: Uint8Array) => void {
    const owner = this.#owner;
    const control: PortControl = {
      data: (bytes) => owner.data(bytes),
      setBaud: (baud) => owner.setBaud(baud),
      baud: () => owner.baud(),
      setLines: (lines) => owner.setLines(lines),
      lines: () => owner.lines(),
      reply: (bytes) => socket.write(bytes),
    };
    const telnet = new Rfc2217Server(control);
    socket.on("data", (bytes) => telnet.receive(bytes));
    return (bytes) => socket.write(telnet.escape(bytes));
  }
}
