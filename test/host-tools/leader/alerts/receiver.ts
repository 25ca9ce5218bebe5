/** A webhook's receiver: a real HTTP server on loopback that writes down what it is told and checks each signature. */
import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export const secret = Uint8Array.from({ length: 32 }, (_, i) => i);

export interface Told {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly isSigned: boolean;
}

export class Receiver {
  readonly told: Told[] = [];
  /** What it answers. */
  status = 204;
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.start();
    onTestFinished(() => receiver.stop());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/covey`;
  }

  get ids(): string[] {
    return this.told.map(({ id }) => id);
  }

  /** At the port of before, if it was started before. */
  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      const body = await text(request);
      const id = String(request.headers["webhook-id"]);
      const signed = `${id}.${request.headers["webhook-timestamp"]}.${body}`;
      const tag = createHmac("sha256", secret).update(signed).digest("base64");
      const isSigned = request.headers["webhook-signature"] === `v1,${tag}`;
      const { type, data } = JSON.parse(body);
      if (this.status < 300) this.told.push({ id, type, data, isSigned });
      response.writeHead(this.status).end();
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
