/** An image and its release on their way to the hosts. */
import { setTimeout as sleep } from "node:timers/promises";
import type { SignedRelease } from "../../keys/release.ts";
import {
  type ReleaseAgreed,
  type ReleaseRequest,
  releaseBoardsMax,
  releaseHeader,
} from "../../leader/api/types/releases.ts";
import type { HostStatus, Status } from "../../leader/api/types/status.ts";
import { digestText } from "../../leader/images/image-id.ts";
import { Failed } from "../failure.ts";
import type { SwarmClient } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";

/** For the host that leads to fetch the image from another one. */
const imageWaitMs = 30_000;
const pauseMs = 500;

/** Sends the image to every host that can be reached. Gives the hosts' names. @throws {Failed} when none took it */
export async function sendImage(
  terminal: Terminal,
  swarm: SwarmClient,
  { release, signed }: SignedRelease,
  image: Uint8Array<ArrayBuffer>,
): Promise<string[]> {
  const { hosts } = await swarm.get<Status>("/api/status");
  const taken: string[] = [];
  let refused: Failed | undefined;
  for (const [name, url] of addressesOf(hosts, swarm.url)) {
    terminal.progress(`Sending ${release.firmware} to ${name}`);
    try {
      await swarm.upload(url, `/api/images/${digestText(release.digest)}`, image, {
        [releaseHeader]: Buffer.from(signed).toString("base64url"),
      });
      taken.push(name);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      // What a host says of the image the others would say too.
      if (!isUnreachable(error)) throw error;
      refused = error;
    }
  }
  terminal.endProgress();
  if (taken.length === 0) throw refused ?? new Failed("No host can be reached.", "unreachable");
  return taken;
}

/** Has the swarm agree on it. @param boards undefined for all of its kind @throws {Failed} */
export async function agreeOn(
  terminal: Terminal,
  swarm: SwarmClient,
  { release, signed }: SignedRelease,
  boards: readonly string[] | undefined,
): Promise<void> {
  terminal.progress(`The swarm agrees on release ${release.sequence}`);
  try {
    const text = Buffer.from(signed).toString("base64url");
    if (boards === undefined) await post(swarm, { release: text });
    for (let at = 0; at < (boards?.length ?? 0); at += releaseBoardsMax)
      await post(swarm, { release: text, boards: boards!.slice(at, at + releaseBoardsMax) });
  } finally {
    terminal.endProgress();
  }
}

/** The same release again is agreed on once, so it may be repeated. */
async function post(swarm: SwarmClient, request: ReleaseRequest): Promise<ReleaseAgreed> {
  const deadlineMs = performance.now() + imageWaitMs;
  for (;;) {
    try {
      return await swarm.post<ReleaseAgreed>("/api/releases", request);
    } catch (error) {
      const mayRepeat = error instanceof Failed && repeated.has(error.code);
      if (!mayRepeat || performance.now() > deadlineMs) throw error;
      await sleep(pauseMs);
    }
  }
}

const repeated: ReadonlySet<string> = new Set([
  "no-image",
  "timeout",
  "unreachable",
  "not-leader",
  "unexpected-value",
]);

/** Where hosts say that they are reached; and the one that was asked is, whatever it says. */
function addressesOf(hosts: readonly HostStatus[], asked: string): [name: string, url: string][] {
  const known = hosts.flatMap(({ name, url, link }): [string, string][] =>
    url === undefined || link === "down" ? [] : [[name, url]],
  );
  return known.some(([, url]) => url === asked) ? known : [...known, ["the host that was asked", asked]];
}

function isUnreachable({ code }: Failed): boolean {
  return ["unreachable", "timeout", "bad-certificate", "not-logged-in"].includes(code);
}
