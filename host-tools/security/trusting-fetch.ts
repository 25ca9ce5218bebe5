/** `fetch` as a swarm needs it over HTTPS: it trusts the swarm's own authority, and no other one. */
import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { Readable } from "node:stream";

export interface FetchOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal | null;
}

export type Fetch = (url: URL, options: FetchOptions) => Promise<Response>;

/** @param authority certificate, DER or PEM; whatever speaks plain HTTP is asked as always. */
export function fetchTrusting(authority: Uint8Array | string): Fetch {
  const ca = new X509Certificate(authority).toString();
  return (url, options) => (url.protocol === "https:" ? fetchOver(url, options, ca) : fetch(url, options));
}

/** Rejects as `fetch` does: with the reason as the error's cause. */
function fetchOver(url: URL, { method, headers, body, signal }: FetchOptions, ca: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(signal?.aborted ? signal.reason : new TypeError("fetch failed", { cause: error }));
    const asked = request(url, { method, headers, ca, ...(signal ? { signal } : {}) }, (answer) => {
      const given = new Headers();
      for (const [name, value] of Object.entries(answer.headers)) {
        for (const each of [value ?? []].flat()) given.append(name, each);
      }
      const status = answer.statusCode!;
      const hasBody = status !== 204 && status !== 304;
      if (!hasBody) answer.resume();
      resolve(
        new Response(hasBody ? (Readable.toWeb(answer) as ReadableStream) : null, { status, headers: given }),
      );
    });
    asked.on("error", fail);
    asked.end(body);
  });
}
