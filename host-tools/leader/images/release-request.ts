/** What `POST /api/releases` is sent. */
import { isName } from "../../swarm-file/given.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";
import { type ReleaseRequest, releaseBoardsMax } from "../api/types/releases.ts";

export interface ReadRequest {
  readonly signed: Uint8Array;
  readonly boards: readonly string[] | undefined;
}

/** Body of `POST /api/releases`. @throws {ApiFailure} */
export function parseReleaseRequest(text: string): ReadRequest {
  const example = '{"release": "...", "boards": ["north-1"]}';
  const { release, boards } = parseObject(text, example) as Partial<ReleaseRequest>;
  const areNames =
    boards === undefined ||
    (Array.isArray(boards) &&
      boards.length > 0 &&
      boards.length <= releaseBoardsMax &&
      boards.every((name) => typeof name === "string" && isName(name)));
  if (typeof release !== "string" || !areNames) {
    throw new ApiFailure(
      "bad-request",
      `Send a release as covey update signs it, in base64url, and at most ${releaseBoardsMax} names of boards: ${example}.`,
    );
  }
  return { signed: new Uint8Array(Buffer.from(release, "base64url")), boards };
}
