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
  const host = context.req.header("host") ?? "";
  if (!ownNames.has(host.replace(/:\d+$/, ""))) {
    throw new ApiFailure(
      "bad-request",
      "This leader answers only under localhost, 127.0.0.1 or [::1]; use one of these in the address.",
      403,
    );
  }
  const origin = context.req.header("origin");
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new ApiFailure("bad-request", `A page of ${origin} may not use this leader.`, 403);
  }
  await next();
};

/** For requests with a body. */
export const requireJson: MiddlewareHandler = async (context, next) => {
  const type = context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new ApiFailure("bad-request", "Send the body with content-type application/json.", 415);
  }
  await next();
};

/** For requests with a body: refuses one of more than `bytesMax`, unread where its length is said. */
export function limitBody(bytesMax: number): MiddlewareHandler {
  const refuse = () => {
    throw new ApiFailure("bad-request", `The body is limited to ${bytesMax} bytes.`, 413);
  };
  const limitRead = bodyLimit({ maxSize: bytesMax, onError: refuse });
  return async (context, next) => {
    const length = context.req.header("content-length");
    // Looking at the body makes a stream of it, which costs more than all else that a small request does.
    if (length === undefined || context.req.header("transfer-encoding") !== undefined) {
      return limitRead(context, next);
    }
    if (Number(length) > bytesMax) refuse();
    await next();
  };
}
