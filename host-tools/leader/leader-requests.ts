/**
 * A host that does not lead asks the one that does, over the same HTTP interface that everybody uses: one hop, because a request that a host
 * sent is never sent on.
 */
import type { Context, MiddlewareHandler } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import { ApiFailure } from "./api-failure.ts";
import type { ApiError, SetRequest, SetResult } from "./api-types.ts";
import type { Command } from "./commands.ts";
import { commandIdToText } from "./raft/command-id.ts";

/** Names the host that sends a request on. */
export const forwardedHeader = "covey-forwarded-by";

/** For the leader's answer to begin; a stream of events may go on for ever. */
const answerMs = 5_000;

export interface Leader {
  readonly url: string;
  /** This host. */
  readonly hostName: string;
  readonly timeoutMs: number;
}

/** Rejects with an `ApiFailure`: what the leader said, or `timeout` when it is not known whether it heard. */
export async function askToSet({ url, hostName, timeoutMs }: Leader, command: Command): Promise<SetResult> {
  const { key, value, expected, id } = command;
  const body: SetRequest = expected === undefined ? { value } : { value, expected };
  let response: Response;
  try {
    response = await fetch(new URL(`/api/settings/${encodeURIComponent(key)}`, url), {
      method: "PUT",
      headers: {
        "content-type": "application/json",
        "idempotency-key": commandIdToText(id),
        [forwardedHeader]: hostName,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
    });
  } catch (error) {
    const code = (error as { cause?: { code?: string } }).cause?.code;
    const isUnheard = code === "ECONNREFUSED";
    throw new ApiFailure(
      isUnheard ? "not-leader" : "timeout",
      `The leader at ${url} does not answer; try again.`,
    );
  }
  const answer = (await response.json()) as SetResult | { error: ApiError };
  if ("error" in answer) throw new ApiFailure(answer.error.code, answer.error.message);
  return answer;
}

export interface Forwarder {
  readonly hostName: string;
  /** See `HostView`. */
  readonly leader: "here" | string | undefined;
}

/** Sends a request on to the leader, if that is another host and can be reached; otherwise this host answers as well as it can. */
export function atLeader(host: Forwarder): MiddlewareHandler {
  return async (context, next) => {
    const { leader } = host;
    if (leader === undefined || leader === "here" || isForwarded(context)) return next();
    return (await forward(context, leader, host.hostName)) ?? next();
  };
}

/** Whether another host sent this request on. */
function isForwarded(context: Context): boolean {
  return context.req.header(forwardedHeader) !== undefined;
}

/** undefined when the leader does not answer, or leads no more. */
async function forward(context: Context, url: string, hostName: string): Promise<Response | undefined> {
  const { raw, path, method } = context.req;
  const { search } = new URL(context.req.url);
  const headers: Record<string, string> = { [forwardedHeader]: hostName };
  if (method !== "GET") headers["content-type"] = "application/json";
  const given = new AbortController();
  const slow = setTimeout(() => given.abort(), answerMs);
  raw.signal.addEventListener("abort", () => given.abort(), { once: true });
  try {
    const init: RequestInit = { method, headers, signal: given.signal };
    if (method !== "GET") init.body = await context.req.text();
    const response = await fetch(new URL(path + search, url), init);
    if (response.status === 503 && method === "GET") {
      await response.body?.cancel();
      return undefined;
    }
    return handedOn(context, response);
  } catch {
    if (method === "GET") return undefined;
    throw new ApiFailure("timeout", `The leader at ${url} did not answer; look before you ask again.`);
  } finally {
    clearTimeout(slow);
  }
}

const handedOnHeaders = ["content-type", "content-disposition", "cache-control", "idempotency-key"];

function handedOn(context: Context, response: Response): Response {
  const headers = new Headers();
  for (const name of handedOnHeaders) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return context.newResponse(response.body, { status: response.status as StatusCode, headers });
}
