/** Images of nobody's firmware, releases of them by the root of the swarm under test, and how they come to a host. */
import {
  type ReleaseAgreed,
  type Releases,
  releaseHeader,
} from "../../../../host-tools/leader/api/types/releases.ts";
import { digestText, imageIdOf } from "../../../../host-tools/leader/images/image-id.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import {
  type CheckedChunk,
  checkChunk,
  chunkCount,
  chunkDigests,
} from "../../../../protocols/update/chunks.ts";
import { type Release, signRelease } from "../../../../protocols/update/release.ts";
import type { LeaderUnderTest } from "../leader-under-test.ts";
import type { RawBoard } from "../raw-board.ts";
import { rootOf } from "../test-swarm.ts";

export interface SomeRelease {
  readonly image: Uint8Array;
  readonly release: Release;
  readonly signed: Uint8Array;
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** 64 hexadecimal digits. */
  readonly digest: string;
}

export function someImage(sizeBytes: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 31 + (i >> 8) * seed + seed) & 0xff);
}

/** @param by whose root signs it. */
export function someRelease(
  sequence: number,
  { sizeBytes = 5_000, ...said }: Partial<Release> = {},
  by = "greenhouse",
): SomeRelease {
  const image = someImage(sizeBytes, sequence);
  const digest = chunkDigests(nodeCiphers, image).slice(0, 32);
  const release: Release = {
    swarm: "greenhouse",
    model: "esp32c3-devkit",
    firmware: `0.${sequence}.0`,
    ...{ sequence, sizeBytes, digest },
    ...said,
  };
  const signed = signRelease(nodeCiphers, rootOf(by).keys.privateKey, release);
  return { image, release, signed, id: imageIdOf(digest), digest: digestText(digest) };
}

export type Answer<T> = T & { readonly status: number; readonly error?: { code: string; message: string } };

export async function upload(
  host: Pick<LeaderUnderTest, "url">,
  { signed, digest }: SomeRelease,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer<object>> {
  const response = await fetch(`${host.url}/api/images/${digest}`, {
    method: "PUT",
    headers: {
      "content-type": "application/octet-stream",
      [releaseHeader]: Buffer.from(signed).toString("base64url"),
      ...headers,
    },
    body,
  });
  return { status: response.status, ...((await response.json()) as object) };
}

export async function propose(
  host: Pick<LeaderUnderTest, "url">,
  { signed }: Pick<SomeRelease, "signed">,
  boards?: readonly string[],
): Promise<Answer<ReleaseAgreed>> {
  const response = await fetch(`${host.url}/api/releases`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ release: Buffer.from(signed).toString("base64url"), boards }),
  });
  return { status: response.status, ...((await response.json()) as ReleaseAgreed) };
}

export async function listing(host: Pick<LeaderUnderTest, "url">): Promise<Releases> {
  return (await fetch(`${host.url}/api/releases`)).json() as Promise<Releases>;
}

/** What a board does: asks for chunks, four at a time, and checks each. Gives the image; undefined where the host has none. */
export async function fetchImage(board: RawBoard, { release }: SomeRelease): Promise<Uint8Array | undefined> {
  const { digest, sizeBytes } = release;
  const data: Uint8Array[] = [];
  let next: Uint8Array | undefined = digest;
  for (let i = 0; i < chunkCount(sizeBytes); i++) {
    if (i % 4 === 0) board.want(digest.slice(0, 8), i, Math.min(4, chunkCount(sizeBytes) - i));
    const from = performance.now();
    while (!board.chunks.some(({ chunk }) => chunk === i)) {
      if (performance.now() - from > 5_000) throw new Error(`chunk ${i} did not come`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const { bytes } = board.chunks.splice(
      board.chunks.findIndex(({ chunk }) => chunk === i),
      1,
    )[0]!;
    if (bytes === undefined) return undefined;
    const checked: CheckedChunk = checkChunk(nodeCiphers, sizeBytes, i, next!, bytes)!;
    data.push(checked.data);
    next = checked.next;
  }
  return new Uint8Array(Buffer.concat(data));
}

/** As `eventually`, for what has to be asked for. */
export async function until(check: () => Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
