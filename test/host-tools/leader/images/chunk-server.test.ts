/** Who gets its chunks when, where many boards ask at once; links are the test's, images lie on a disk. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { decodeCbor } from "../../../../host-tools/codec/cbor.ts";
import type { BoardLink } from "../../../../host-tools/leader/broker/broker-types.ts";
import { ChunkServer, chunkServerLimits } from "../../../../host-tools/leader/images/chunk-server.ts";
import { ImageFile } from "../../../../host-tools/leader/images/image-file.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import { chunkFromWire } from "../../../../protocols/update/messages.ts";
import { eventually, temporaryFolder } from "../leader-under-test.ts";
import { someImage } from "./some-release.ts";

async function serverOf(sizeBytes: number) {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "image");
  writeFileSync(path, someImage(sizeBytes));
  const image = (await ImageFile.open(path))!;
  const sent: { board: string; chunk: number; isThere: boolean }[] = [];
  const server = new ChunkServer({
    log: createLog("error", () => {}),
    find: (id) => (id === "01".repeat(8) ? image : undefined),
  });
  const link = (board: string): BoardLink => ({
    board,
    send: (_channel, payload) => {
      const { chunk, bytes } = chunkFromWire(decodeCbor(payload));
      sent.push({ board, chunk, isThere: bytes !== undefined });
      return true;
    },
    close: () => {},
  });
  return { server, link, sent, image };
}

const id = new Uint8Array(8).fill(1);

it("boards take turns: whoever asks for much waits behind those who ask for little", async () => {
  const { server, link, sent, image } = await serverOf(100_000);
  const greedy = link("greedy");
  for (let i = 0; i < 8; i++) server.want(greedy, { image: id, chunk: 4 * i, count: 4 });
  for (let i = 0; i < 99; i++) server.want(link(`board-${i}`), { image: id, chunk: 0, count: 1 });
  await eventually(() => sent.length === 32 + 99);
  // One answer was under way before the others came, and one was first in line.
  expect(sent.slice(0, 8 + 99).filter(({ board }) => board === "greedy")).toHaveLength(8);
  // Its own in their order.
  const own = sent.filter(({ board }) => board === "greedy").map(({ chunk }) => chunk);
  expect(own).toEqual(Array.from({ length: 32 }, (_, i) => i));
  await image.close();
});

it("of one board only so many questions wait; the rest it asks again", async () => {
  const { server, link, sent, image } = await serverOf(100_000);
  const board = link("north-1");
  for (let i = 0; i < 20; i++) server.want(board, { image: id, chunk: i, count: 1 });
  await eventually(() => sent.length >= chunkServerLimits.questionsMax);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // The one that was being answered has left its place.
  expect(sent.length).toBeLessThanOrEqual(chunkServerLimits.questionsMax + 1);
  expect(server.counters.dropped).toBe(20 - sent.length);
  await image.close();
});

it("whoever asks for an image that is not there, or beyond its end, is told so once", async () => {
  const { server, link, sent, image } = await serverOf(3_000);
  const board = link("north-1");
  server.want(board, { image: new Uint8Array(8), chunk: 0, count: 4 });
  server.want(board, { image: id, chunk: 3, count: 4 });
  server.want(board, { image: id, chunk: 2, count: 4 });
  await eventually(() => sent.length === 3);
  expect(sent.map(({ chunk, isThere }) => [chunk, isThere])).toEqual([
    [0, false],
    [3, false],
    [2, true],
  ]);
  await image.close();
});

it("whoever is gone has no turn any more", async () => {
  const { server, link, sent, image } = await serverOf(100_000);
  const [gone, there] = [link("gone"), link("there")];
  for (let i = 0; i < 4; i++) server.want(gone, { image: id, chunk: 4 * i, count: 4 });
  server.want(there, { image: id, chunk: 0, count: 4 });
  server.gone(gone);
  await eventually(() => sent.filter(({ board }) => board === "there").length === 4);
  await new Promise((resolve) => setTimeout(resolve, 30));
  // What was under way when it left.
  expect(sent.filter(({ board }) => board === "gone").length).toBeLessThanOrEqual(4);
  await image.close();
});
