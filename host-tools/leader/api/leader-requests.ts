/**
 * A host that does not lead asks the one that does, over the same HTTP interface that everybody uses: one hop, because a request that a host
 * sent is never sent on. It vouches for who asks (`hosts/vouching.ts`); what that one may do, the leader decides.
 */
import { Agent, type IncomingMessage, type RequestOptions, request as requestPlain } from "node:http";
import { request as requestSecure, Agent as SecureAgent } from "node:https";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import type { Context, MiddlewareHandler } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { Caller } from "../access/access.ts";
import type { Actor } from "../access/actor.ts";
import { type ForwardedRequest, forwardedHeader } from "../hosts/vouching.ts";
import { commandIdToText } from "../raft/command-id.ts";
import type { Command } from "../state/commands.ts";
import { ApiFailure } from "./api-failure.ts";
import type { ApiError } from "./types/error.ts";
import type { SetRequest, SetResult } from "./types/settings.ts";

/** For the leader's answer to begin; a stream of events may go on for ever. */
const answerMs = 5_000;

/** The host that leads, where that is another one. */
export interface Leader {
  readonly url: string;
  /** Who has to have signed its certificate, as PEM, if its URL is one of HTTPS; undefined where this host knows no such authority. */
  readonly authority: string | undefined;
  /** For `forwardedHeader`; undefined when that host is not connected any more. */
  vouch(request: ForwardedRequest, actor: Actor): string | undefined;
}

/** Rejects with an `ApiFailure`: what the leader said, or `timeout` when it is not known whether it heard. */
export async function askToSet(
  leader: Leader,
  { key, value, expected, id }: Command,
  actor: Actor,
  timeoutMs: number,
): Promise<SetResult> {
  const body: SetRequest = expected === undefined ? { value } : { value, expected };
  const target = `/api/settings/${encodeURIComponent(key)}`;
  const given = new AbortController();
  const slow = setTimeout(() => given.abort(), Math.max(1, timeoutMs));
  try {
    const response = await ask(leader, { method: "PUT", target, body: JSON.stringify(body) }, actor, {
      signal: given.signal,
      headers: { "idempotency-key": commandIdToText(id) },
    });
    const answer = (await json(response)) as SetResult | { error: ApiError };
    if (response.statusCode === disbelieved) throw unvouched(leader);
    if ("error" in answer) throw new ApiFailure(answer.error.code, answer.error.message);
    return answer;
  } catch (error) {
    throw error instanceof ApiFailure ? error : unanswered(leader, error as NodeJS.ErrnoException);
  } finally {
    clearTimeout(slow);
  }
}

/** What another host, this one, has under `target`: bytes, at most `bytesMax`. Rejects unless it answers with 200 in time. */
export async function fetchFrom(
  host: Leader,
  target: string,
  actor: Actor,
  bytesMax: number,
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(answerMs);
  const response = await ask(host, { method: "GET", target, body: "" }, actor, { signal });
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > bytesMax)
      throw new ApiFailure("out-of-limits", `${host.url} sends more than ${bytesMax} bytes.`);
  }
  if (response.statusCode === 200) return new Uint8Array(Buffer.concat(parts));
  throw new ApiFailure("not-found", `${host.url} answers ${response.statusCode}.`);
}

export interface Forwarder {
  /** See `Leadership`. */
  readonly leader: "here" | Leader | undefined;
}

/** Sends a request on to the leader, if that is another host and can be reached; otherwise this host answers as well as it can. */
export function atLeader(host: Forwarder): MiddlewareHandler {
  return async (context, next) => {
    const { leader } = host;
    const { actor, isForwarded } = context.get("caller") as Caller;
    if (leader === undefined || leader === "here" || isForwarded) return next();
    return (await forward(context, leader, actor)) ?? next();
  };
}

/** undefined when the leader does not answer, or leads no more. */
async function forward(context: Context, leader: Leader, actor: Actor): Promise<Response | undefined> {
  const { raw, method } = context.req;
  const { pathname, search } = new URL(context.req.url);
  const isRead = method === "GET";
  const given = new AbortController();
  const slow = setTimeout(() => given.abort(), answerMs);
  raw.signal.addEventListener("abort", () => given.abort(), { once: true });
  try {
    const body = isRead ? "" : await context.req.text();
    const request = { method, target: pathname + search, body };
    const response = await ask(leader, request, actor, { signal: given.signal });
    const status = response.statusCode!;
    if (status === disbelieved || (status === 503 && isRead)) {
      response.resume();
      if (isRead) return undefined;
      throw unvouched(leader);
    }
    return handedOn(context, response);
  } catch (error) {
    if (isRead) return undefined;
    if (error instanceof ApiFailure) throw error;
    throw unanswered(leader, error as NodeJS.ErrnoException);
  } finally {
    clearTimeout(slow);
  }
}

/** The status with which a host answers one that vouches for somebody in vain: their connection is another one by now. */
const disbelieved = 401;

const agent = new Agent({ keepAlive: true });
const secureAgent = new SecureAgent({ keepAlive: true });

/** Resolves when the answer begins. Rejects with an `ApiFailure`, or with what the network says. */
function ask(
  leader: Leader,
  request: ForwardedRequest,
  actor: Actor,
  { headers, signal }: Pick<RequestOptions, "signal"> & { readonly headers?: Record<string, string> },
): Promise<IncomingMessage> {
  const { method, target, body } = request;
  const vouched = leader.vouch(request, actor);
  if (vouched === undefined) throw unvouched(leader);
  const isSecure = leader.url.startsWith("https:");
  const content =
    method === "GET"
      ? {}
      : { "content-type": "application/json", "content-length": `${Buffer.byteLength(body)}` };
  const options = {
    method,
    agent: isSecure ? secureAgent : agent,
    headers: { ...headers, ...content, [forwardedHeader]: vouched },
    ...(signal === undefined ? {} : { signal }),
    ...(isSecure && leader.authority !== undefined ? { ca: leader.authority } : {}),
  };
  return new Promise((resolve, reject) => {
    const url = new URL(leader.url);
    // As it is vouched for: a URL would be written anew.
    const sent = (isSecure ? requestSecure : requestPlain)(url, { ...options, path: target });
    sent.on("response", resolve);
    sent.on("error", reject);
    sent.end(body);
  });
}

function unvouched({ url }: Leader): ApiFailure {
  return new ApiFailure(
    "not-leader",
    `The connection with the leader at ${url} has just changed; try again.`,
  );
}

function unanswered({ url }: Leader, { code, message }: NodeJS.ErrnoException): ApiFailure {
  if (code === "ECONNREFUSED") {
    return new ApiFailure("not-leader", `The leader at ${url} does not answer; try again.`);
  }
  if (code?.startsWith("ERR_TLS_CERT") || certificateFaults.test(code ?? "")) {
    const what = `The leader at ${url} shows a certificate that this swarm's authority did not sign (${message})`;
    return new ApiFailure(
      "internal",
      `${what}; nothing was sent to it. Issue its identity anew with covey keys.`,
      502,
    );
  }
  return new ApiFailure("timeout", `The leader at ${url} did not answer; look before you ask again.`);
}

/** Of OpenSSL's codes (X509_V_ERR_...), those that are about a certificate. */
const certificateFaults = /CERT|ISSUER|SIGNATURE/;

const handedOnHeaders = ["content-type", "content-disposition", "cache-control", "idempotency-key"];

function handedOn(context: Context, response: IncomingMessage): Response {
  const headers = new Headers();
  for (const name of handedOnHeaders) {
    const value = response.headers[name];
    if (value !== undefined) headers.set(name, value.toString());
  }
  const body = Readable.toWeb(response) as ReadableStream;
  return context.newResponse(body, { status: response.statusCode as StatusCode, headers });
}
