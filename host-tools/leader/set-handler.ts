/**
 * `PUT /api/settings/KEY`, answered on Node's own request and response. It is the one request that programs send thousands of times a
 * second, and going through fetch's objects cost as much as agreeing did. Everything else is `api.ts`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { apiLimits, type HostView } from "./api.ts";
import { failureOf } from "./api-failure.ts";
import { forwardedHeader } from "./leader-requests.ts";
import type { Log } from "./log.ts";
import { parseCommandId, parseSetRequest } from "./request-body.ts";
import { bodyTooLong, checkJson, checkLength, checkOrigin, securityHeaders } from "./request-guard.ts";

const path = "/api/settings/";
const answerHeaders = Object.freeze({
  ...securityHeaders,
  "content-type": "application/json",
  "cache-control": "no-store",
});

/** Gives whether it takes the request; else nothing has happened to it. */
export type SetHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

export function createSetHandler(host: HostView, log: Log): SetHandler {
  return (request, response) => {
    const { method, url = "" } = request;
    if (method !== "PUT" || !url.startsWith(path)) return false;
    const key = keyOf(url);
    if (key === undefined) return false;
    carryOut(host, key, request).then(
      (result) => answer(response, 200, result),
      (error: Error) => {
        const failure = failureOf(error, url, log);
        answer(response, failure.status, failure.body);
      },
    );
    return true;
  };
}

/** undefined for a path that names no key. */
function keyOf(url: string): string | undefined {
  const end = url.indexOf("?");
  const name = url.slice(path.length, end < 0 ? undefined : end);
  if (name === "" || name.includes("/")) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

async function carryOut(host: HostView, key: string, request: IncomingMessage): Promise<object> {
  const { headers } = request;
  checkOrigin(headers.host, headers.origin);
  checkJson(headers["content-type"]);
  checkLength(headers["content-length"], apiLimits.bodyBytesMax);
  const id = parseCommandId(headers["idempotency-key"]?.toString());
  const { value, expected } = parseSetRequest(await readText(request));
  const isForwarded = headers[forwardedHeader] !== undefined;
  return host.set({ key, value, expected, id, isForwarded });
}

/** Rejects with `ApiFailure` beyond `apiLimits.bodyBytesMax`. */
function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes > apiLimits.bodyBytesMax) reject(bodyTooLong(apiLimits.bodyBytesMax));
      else parts.push(part);
    });
    request.on("end", () => resolve((parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString()));
    request.on("error", reject);
  });
}

function answer(response: ServerResponse, status: number, value: object): void {
  if (response.destroyed) return;
  const body = JSON.stringify(value);
  response.writeHead(status, { ...answerHeaders, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
