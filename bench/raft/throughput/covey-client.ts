/** Covey's client path as every program uses it: `PUT /api/settings/KEY` on the leader, one keep-alive connection a client. */
import { Agent, request } from "node:http";
import type { PutClient } from "./load.ts";

export class CoveyClient implements PutClient {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(url: string, clients: number) {
    this.#url = new URL(url);
    this.#agent = new Agent({ keepAlive: true, maxSockets: clients });
  }

  /** Resolves once the put is committed and applied; rejects with what the host says. */
  put(_client: number, key: string, value: string): Promise<void> {
    const body = JSON.stringify({ value });
    return new Promise((resolve, reject) => {
      const call = request(
        {
          agent: this.#agent,
          host: this.#url.hostname,
          port: this.#url.port,
          method: "PUT",
          path: `/api/settings/${key}`,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          if (response.statusCode === 200) {
            response.resume();
            response.on("end", resolve);
            response.on("error", reject);
            return;
          }
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => {
            text += part;
          });
          response.on("end", () => reject(new Error(`${key}: ${response.statusCode} ${text}`)));
        },
      );
      call.on("error", reject);
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
