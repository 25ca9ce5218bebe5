/**
 * `PUT /api/settings/KEY`, answered on Node's own request and response. It is the one request that programs send thousands of times a
 * second, and going through fetch's objects cost as much as agreeing did. Everything else is `api.ts`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { demand, toWrite } from "../access/rights.ts";
import type { Log } from "../log.ts";
import { failureOf } from "./api-failure.ts";
import type { HostView } from "./host-view.ts";
import { parseCommandId, parseSetRequest } from "./request-body.ts";
import { bodyTooLong, checkJson, checkLength, securityHeaders } from "./request-guard.ts";
import { apiLimits, type Door } from "./routes.ts";

const path = "/api/settings/";
const answerHeaders = Object.freeze({ "content-type": "application/json", "cache-control": "no-store" });

/** Gives whether it takes the request; else nothing has happened to it. */
export type SetHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

export function createSetHandler(settings: HostView["settings"], door: Door, log: Log): SetHandler {
  return (request, response) => {
    const { method, url = "" } = request;
    if (method !== "PUT" || !url.startsWith(path)) return false;
    const key = keyOf(url);
    if (key === undefined) return false;
    const answer = (status: number, value: object, more: object = {}) => {
      const headers = { ...securityHeaders(door.reach, request.headers.host), ...answerHeaders, ...more };
      send(response, status, headers, value);
    };
    carryOut(settings, door, key, request).then(
      (result) => answer(200, result),
      (error: Error) => {
        const failure = failureOf(error, url, log);
        answer(failure.status, failure.body, failure.headers);
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

async function carryOut(
  settings: HostView["settings"],
  { reach, access, audit }: Door,
  key: string,
  request: IncomingMessage,
): Promise<object> {
  const { headers } = request;
  reach.checkNames(headers.host, headers.origin);
  checkJson(headers["content-type"]);
  checkLength(headers["content-length"], apiLimits.bodyBytesMax);
  const text = readText(request);
  const { actor, isForwarded } = await access.identify(request, () => text);
  demand(actor, toWrite(key), audit);
  const id = parseCommandId(headers["idempotency-key"]?.toString());
  const { value, expected } = parseSetRequest(await text);
  return settings.set({ key, value, expected, id, actor, isForwarded });
}

/** Rejects with `ApiFailure` beyond `apiLimits.bodyBytesMax`. */
function readText(request: IncomingMessage): Promise<string> {
  const text = new Promise<string>((resolve, reject) => {
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
  // Whoever is refused before is told that, and not of its body.
  text.catch(() => {});
  return text;
}

function send(response: ServerResponse, status: number, headers: object, value: object): void {
  if (response.destroyed) return;
  const body = JSON.stringify(value);
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
