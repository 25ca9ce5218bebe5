/** A refusal on its way to the client: one sentence, a code that programs can read, the HTTP status that goes with it. */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Log } from "../log.ts";
import type { ApiError } from "./types/error.ts";

const statusOf: Readonly<Record<ApiError["code"], ContentfulStatusCode>> = {
  "bad-request": 400,
  "not-found": 404,
  "out-of-limits": 422,
  "unexpected-value": 412,
  forgotten: 410,
  "not-newer": 409,
  conflict: 409,
  "no-image": 409,
  "not-logged-in": 401,
  forbidden: 403,
  "too-many": 429,
  "no-quorum": 409,
  unwise: 409,
  internal: 500,
  "not-leader": 503,
  timeout: 504,
};

export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly code: ApiError["code"];
  readonly status: ContentfulStatusCode;

  /** @param status where HTTP has a closer word than the code. */
  constructor(code: ApiError["code"], message: string, status: ContentfulStatusCode = statusOf[code]) {
    super(message);
    this.code = code;
    this.status = status;
  }

  /** What HTTP wants to be told beside the status. */
  get headers(): Readonly<Record<string, string>> {
    // RFC 9110, section 11.6.1: a 401 says how one may authenticate.
    return this.code === "not-logged-in" ? { "www-authenticate": "Bearer" } : {};
  }

  get body(): { error: ApiError } {
    return { error: { message: this.message, code: this.code } };
  }
}

/** Too many attempts: the client may come again after `waitMs`. */
export class TooManyAttempts extends ApiFailure {
  readonly #waitS: number;

  constructor(waitMs: number) {
    const waitS = Math.ceil(waitMs / 1_000);
    super("too-many", `Too many attempts to log in; try again in ${waitS} s.`);
    this.#waitS = waitS;
  }

  override get headers(): Readonly<Record<string, string>> {
    return { "retry-after": String(this.#waitS) };
  }
}

/** What the client is told of an error; one that is no refusal goes into the log. */
export function failureOf(error: Error, path: string, log: Log): ApiFailure {
  if (error instanceof ApiFailure) return error;
  log.error("request-failed", { path, reason: error.stack });
  return new ApiFailure("internal", `This host failed: ${error.message}. Its log on stderr says more.`);
}
