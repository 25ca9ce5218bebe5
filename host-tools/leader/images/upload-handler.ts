/**
 * `PUT /api/images/DIGEST`, answered on Node's own request and response, because its body is a thousand times as long as those of `api.ts` and goes to the disk as it
 * comes. Only the image of a release that the root has signed, and that is newer than what was agreed on, is taken: nobody fills the disk with anything else. What breaks
 * off leaves nothing.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import type { Release } from "../../../protocols/update/release.ts";
import { coveyResource, demand, toUpdate } from "../access/rights.ts";
import { ApiFailure, failureOf } from "../api/api-failure.ts";
import { checkLength, securityHeaders } from "../api/request-guard.ts";
import type { Door } from "../api/routes.ts";
import { type ImageTaken, releaseHeader } from "../api/types/releases.ts";
import { forwardedHeader } from "../hosts/vouching.ts";
import type { Log } from "../log.ts";
import type { Firmware } from "./firmware.ts";
import { digestFromText, digestText, imageIdOf } from "./image-id.ts";
import { ImageNotTaken } from "./image-store.ts";

const path = "/api/images/";
const answerHeaders = Object.freeze({ "content-type": "application/json", "cache-control": "no-store" });

/** Gives whether it takes the request; else nothing has happened to it. */
export type UploadHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

export function createUploadHandler(firmware: Firmware, door: Door, log: Log): UploadHandler {
  return (request, response) => {
    const { method, url = "" } = request;
    if (method !== "PUT" || !url.startsWith(path)) return false;
    const answer = (status: number, value: object, more: object = {}) => {
      // Whoever was refused early reads the answer only after it has sent everything.
      request.resume();
      if (response.destroyed) return;
      const body = JSON.stringify(value);
      const headers = { ...securityHeaders(door.reach, request.headers.host), ...answerHeaders, ...more };
      response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
      response.end(body);
    };
    take(firmware, door, url.slice(path.length), request).then(
      (taken) => answer(200, taken),
      (error: Error) => {
        const refused =
          error instanceof ImageNotTaken ? new ApiFailure("too-many", error.message, 507) : error;
        const failure = failureOf(refused, url, log);
        answer(failure.status, failure.body, failure.headers);
      },
    );
    return true;
  };
}

async function take(
  firmware: Firmware,
  { reach, access, audit }: Door,
  name: string,
  request: IncomingMessage,
): Promise<ImageTaken> {
  const { headers } = request;
  reach.checkNames(headers.host, headers.origin);
  if (headers["content-type"] !== "application/octet-stream") {
    throw new ApiFailure("bad-request", "Send the image with content-type application/octet-stream.", 415);
  }
  // Nothing of this size is sent on by another host.
  if (headers[forwardedHeader] !== undefined)
    throw new ApiFailure("bad-request", "Send images to each host itself.");
  const { actor } = await access.identify(request, async () => "");
  demand(actor, toUpdate(coveyResource.firmware), audit);
  const release = releaseOf(firmware, name, headers[releaseHeader]?.toString() ?? "", (what) =>
    audit.refused(actor.name, what),
  );
  const { digest, sizeBytes } = release;
  checkLength(headers["content-length"], sizeBytes);
  if (!firmware.images.has(imageIdOf(digest))) await receive(firmware, release, request);
  return { digest: digestText(digest), sizeBytes };
}

function releaseOf(
  { releases }: Firmware,
  name: string,
  header: string,
  refused: (what: string) => void,
): Release {
  const signed = new Uint8Array(Buffer.from(header, "base64url"));
  const release = releases.read(signed);
  const digest = digestFromText(name);
  if (release === undefined || digest === undefined || !isSameBytes(digest, release.digest)) {
    refused("send an image without a release");
    throw new ApiFailure(
      "bad-request",
      `An image comes with its release in the header ${releaseHeader}, which the root of this swarm has signed for one of its kinds of boards; covey update sends it so.`,
    );
  }
  if (releases.isCurrent(release, signed)) return release;
  refused(`send the older release ${release.sequence} of ${release.model}`);
  throw new ApiFailure(
    "not-newer",
    `Release ${releases.floorOf(release.model)} of ${release.model} was agreed on already, and this image is of release ${release.sequence}.`,
  );
}

async function receive({ images }: Firmware, release: Release, request: IncomingMessage): Promise<void> {
  const receiver = await images.receive(release);
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      if (!(await receiver.write(part))) break;
    }
    if (await receiver.complete()) return;
  } finally {
    await receiver.abort();
  }
  throw new ApiFailure(
    "bad-request",
    `These bytes are not the image of ${release.sizeBytes} bytes that the release names; nothing of them was kept.`,
  );
}
