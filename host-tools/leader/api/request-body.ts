/** What the bodies and headers of requests say. Everything here throws `ApiFailure` with one sentence and an example. */

import { type CommandId, commandIdFromText } from "../raft/command-id.ts";
import { ApiFailure } from "./api-failure.ts";

/** A JSON object; of other JSON, an object without fields. */
export function parseObject(text: string, example: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiFailure("bad-request", `The body is no JSON; send for example ${example}.`);
  }
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

export function parseSetRequest(text: string): Record<string, unknown> {
  const body = parseObject(text, '{"value": 40}');
  if ("value" in body) return body;
  throw new ApiFailure("bad-request", 'The body has no value; send for example {"value": 40}.');
}

/** Of the header `idempotency-key`. */
export function parseCommandId(text: string | undefined): CommandId | undefined {
  if (text === undefined) return undefined;
  const id = commandIdFromText(text);
  if (id !== undefined) return id;
  throw new ApiFailure(
    "bad-request",
    "An idempotency-key is a log index, a dash and 16 hexadecimal digits, not all 0; answers about settings hand out new ones.",
  );
}
