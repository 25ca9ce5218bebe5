/**
 * What a local server owes to whoever browses on the same computer: pages from elsewhere can reach 127.0.0.1 too.
 *
 * A foreign name that resolves to this address (DNS rebinding) is refused by the Host header. A foreign page's request is refused
 * by its Origin; and a body must be JSON by its type, which a foreign page cannot send without asking first (CORS).
 */
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { ApiFailure } from "./api-failure.ts";

const ownNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

export const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

export const guardRequests: MiddlewareHandler = async (context, next) => {
  // Before there is a response: afterwards each of them would make another one.
  for (const [name, value] of Object.entries(securityHeaders)) context.header(name, value);
  checkOrigin(context.req.header("host"), context.req.header("origin"));
  await next();
};

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

/** Of the headers of those names. @throws {ApiFailure} */
export function checkOrigin(host = "", origin: string | undefined): void {
  if (!ownNames.has(host.replace(/:\d+$/, ""))) {
    throw new ApiFailure(
      "bad-request",
      "This leader answers only under localhost, 127.0.0.1 or [::1]; use one of these in the address.",
      403,
    );
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new ApiFailure("bad-request", `A page of ${origin} may not use this leader.`, 403);
  }
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
