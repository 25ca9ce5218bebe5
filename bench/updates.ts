/**
 * What it costs a host when all boards update at once: a real host process on loopback, a hundred boards of bytes before it that fetch an image of 1 MiB, each as
 * fast as it is answered - faster than any flash is written. Meanwhile a setting is set again and again: that is how long the swarm takes to agree.
 *
 * `npx node bench/updates.ts` prints the table.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { releaseHeader } from "../host-tools/leader/api/types/releases.ts";
import { nodeCiphers } from "../host-tools/security/node-ciphers.ts";
import { type CheckedChunk, checkChunk, chunkCount, chunkDigests } from "../protocols/update/chunks.ts";
import { updateLimits } from "../protocols/update/messages.ts";
import { type Release, signRelease } from "../protocols/update/release.ts";
import { RawBoard } from "../test/host-tools/leader/raw-board.ts";
import { TestRoot } from "../test/members.ts";
import { cost, startHostProcess } from "./host-process.ts";
import { percentile } from "./percentile.ts";
import { megabytes, milliseconds, percentOfCore, printTable } from "./table.ts";

const boardCount = 100;
const imageBytes = 1024 * 1024;

const root = new TestRoot("bench");
const names = Array.from({ length: boardCount }, (_, i) => `n${i}`);
const folder = mkdtempSync(join(tmpdir(), "covey-bench-"));
const settings = { level: { type: "number", unit: "", min: 0, max: 1e6, initial: 0 } } as const;
const host = await startHostProcess(folder, names, root.issue("host", "a"), settings);
try {
  const { mqttPort: port, httpPort, pid } = host.ready;
  const url = `http://127.0.0.1:${httpPort}`;
  const boards: RawBoard[] = [];
  for (const name of names)
    boards.push(await RawBoard.join({ swarm: "bench", name, port, member: root.issue("board", name) }));
  const release = await publish(url);
  const alone = await settingLatencies(url, sleep(3_000));
  const before = { ...cost(pid), atMs: performance.now() };
  const fetched = Promise.all(boards.map((board) => fetchImage(board, release)));
  const during = await settingLatencies(url, fetched);
  const seconds = (performance.now() - before.atMs) / 1_000;
  const after = cost(pid);
  printTable(`${boardCount} boards fetch an image of ${megabytes(imageBytes)} at once from one host`, [
    { what: "until all have it", figure: `${seconds.toFixed(1)} s`, how: "boards that write no flash" },
    {
      what: "chunks go out at",
      figure: `${megabytes((boardCount * imageBytes) / seconds)}/s`,
      how: "sealed for each board",
    },
    {
      what: "the host works",
      figure: percentOfCore((after.cpuMs - before.cpuMs) / seconds / 10),
      how: "of one core",
    },
    {
      what: "its memory",
      figure: `${megabytes(before.memoryBytes)} -> ${megabytes(after.memoryBytes)}`,
      how: "before and after",
    },
    {
      what: "a setting is agreed on in",
      figure: latency(during),
      how: "meanwhile: median, 99th percentile, worst",
    },
    { what: "otherwise in", figure: latency(alone), how: "the same, without an update" },
  ]);
  for (const board of boards) board.cut();
} finally {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function publish(url: string): Promise<Release> {
  const image = new Uint8Array(imageBytes);
  nodeCiphers.random(image);
  const digest = chunkDigests(nodeCiphers, image).slice(0, 32);
  const about = { swarm: "bench", model: "esp32c3-devkit", sequence: 1, firmware: "0.2.0" };
  const release = { ...about, sizeBytes: imageBytes, digest };
  const signed = Buffer.from(signRelease(nodeCiphers, root.keys.privateKey, release)).toString("base64url");
  const upload = await fetch(`${url}/api/images/${Buffer.from(digest).toString("hex")}`, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream", [releaseHeader]: signed },
    body: image,
  });
  const propose = await fetch(`${url}/api/releases`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ release: signed }),
  });
  if (!upload.ok || !propose.ok) throw new Error(`${await upload.text()} ${await propose.text()}`);
  return release;
}

async function fetchImage(board: RawBoard, { digest, sizeBytes }: Release): Promise<void> {
  const count = chunkCount(sizeBytes);
  let next: Uint8Array | undefined = digest;
  for (let at = 0; at < count; at += updateLimits.wantedMax) {
    board.want(digest.slice(0, updateLimits.imageIdBytes), at, Math.min(updateLimits.wantedMax, count - at));
    const wanted = Math.min(updateLimits.wantedMax, count - at);
    while (board.chunks.length < wanted) await sleep(2);
    for (const { chunk, bytes } of board.chunks.splice(0)) {
      const checked: CheckedChunk | undefined = checkChunk(nodeCiphers, sizeBytes, chunk, next!, bytes!);
      if (checked === undefined) throw new Error(`chunk ${chunk} is false`);
      next = checked.next;
    }
  }
}

/** ms of each setting that was agreed on until `end`; in a thread of its own, because a hundred boards keep this one busy. */
async function settingLatencies(url: string, end: Promise<unknown>): Promise<readonly number[]> {
  const worker = new Worker(new URL("setting-latencies.ts", import.meta.url), { workerData: url });
  await end;
  worker.postMessage("end");
  const [latencies] = (await once(worker, "message")) as [readonly number[]];
  return latencies;
}

function latency(values: readonly number[]): string {
  return [percentile(values, 50), percentile(values, 99), Math.max(...values)].map(milliseconds).join(", ");
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
