/** What a client says when it gives up boards of an action: `{id, boards, acceptLoss: true}`. */
import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";
import { areNames } from "./action-request.ts";

export interface ForgetRequest {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly boards: readonly string[];
}

/** @throws {ApiFailure} */
export function parseForgetRequest(name: string, body: string): ForgetRequest {
  const example = '{"id": "1f3a5c7e", "boards": ["north-1"], "acceptLoss": true}';
  const { id, boards, acceptLoss } = parseObject(body, example);
  if (acceptLoss !== true) {
    throw new ApiFailure(
      "bad-request",
      `Nobody will know what these boards did; say that you accept it: ${example}.`,
    );
  }
  if (typeof id !== "string" || !areNames(boards)) {
    throw new ApiFailure("bad-request", `Say which action and which boards, as in ${example}.`);
  }
  return { name, id, boards };
}
