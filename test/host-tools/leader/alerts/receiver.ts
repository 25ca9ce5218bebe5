/** A webhook's receiver: a real HTTP server on loopback that writes down what it is told and checks each signature. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { reservedPort } from "../../../reserved-port.ts";

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
  #port: number | undefined;

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
    this.#port ??= await reservedPort();
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
