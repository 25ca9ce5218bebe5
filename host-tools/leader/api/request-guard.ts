/**
 * What a server owes to whoever browses: pages from elsewhere can reach this address too.
 *
 * A foreign name that resolves to this address (DNS rebinding) is refused by the Host header. A foreign page's request is refused
 * by its Origin; and a body must be JSON by its type, which a foreign page cannot send without asking first (CORS).
 */
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Reach } from "../access/reach.ts";
import { ApiFailure } from "./api-failure.ts";

const always: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

/** With RFC 6797's: browsers speak HTTPS alone to this name from now on. */
const strict: typeof always = { ...always, "strict-transport-security": "max-age=31536000" };

/** For the answer to a request with that Host header. */
export function securityHeaders(reach: Reach, host: string | undefined): Readonly<Record<string, string>> {
  return reach.isStrict(host) ? strict : always;
}

export function guardRequests(reach: Reach): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header("host");
    // Before there is a response: afterwards each of them would make another one.
    for (const [name, value] of Object.entries(securityHeaders(reach, host))) context.header(name, value);
    reach.checkNames(host, context.req.header("origin"));
    await next();
  };
}

/** For requests with a body. */
export const requireJson: MiddlewareHandler = async (context, next) => {
  checkJson(context.req.header("content-type"));
  await next();
};

/** For requests with a body: refuses one of more than `bytesMax`, unread where its length is said. */
export function limitBody(bytesMax: number): MiddlewareHandler {
  const refuse = () => {
    throw bodyTooLong(bytesMax);
  };
  const limitRead = bodyLimit({ maxSize: bytesMax, onError: refuse });
  return async (context, next) => {
    checkLength(context.req.header("content-length"), bytesMax);
    return limitRead(context, next);
  };
}

/** Of the header content-type. @throws {ApiFailure} */
export function checkJson(contentType: string | undefined): void {
  if (contentType?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    throw new ApiFailure("bad-request", "Send the body with content-type application/json.", 415);
  }
}

/** Of the header content-length. @throws {ApiFailure} */
export function checkLength(contentLength: string | undefined, bytesMax: number): void {
  if (contentLength !== undefined && Number(contentLength) > bytesMax) throw bodyTooLong(bytesMax);
}

export function bodyTooLong(bytesMax: number): ApiFailure {
  return new ApiFailure("bad-request", `The body is limited to ${bytesMax} bytes.`, 413);
}
