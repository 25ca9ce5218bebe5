/** How much a host keeps, and what it drops for what. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  ImageNotTaken,
  ImageStore,
  imageStoreLimits,
} from "../../../../host-tools/leader/images/image-store.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import { temporaryFolder } from "../leader-under-test.ts";
import { type SomeRelease, someRelease } from "./some-release.ts";

const kilobyte = 1024;
const named = new Set<string>();

async function storeIn(directory: string): Promise<ImageStore> {
  return ImageStore.open({
    directory,
    log: createLog("error", () => {}),
    isNamed: (id) => named.has(id),
    onChange: () => {},
    bytesMax: 100 * kilobyte,
  });
}

async function put(store: ImageStore, { release, image }: SomeRelease): Promise<boolean> {
  const receiver = await store.receive(release);
  for (let at = 0; at < image.length; at += 10_000) await receiver.write(image.subarray(at, at + 10_000));
  return receiver.complete();
}

it("drops for a new image those that no release names, the first that came first, and no other", async () => {
  const directory = join(temporaryFolder(), "images");
  const store = await storeIn(directory);
  const [one, two, three, four] = [1, 2, 3, 4].map((i) => someRelease(i, { sizeBytes: 40 * kilobyte })) as [
    SomeRelease,
    SomeRelease,
    SomeRelease,
    SomeRelease,
  ];
  named.add(one.id);
  for (const each of [one, two, three]) expect(await put(store, each)).toBe(true);
  expect(store.ids).toEqual([one.id, three.id]);
  expect(readdirSync(directory).sort()).toEqual([one.digest, three.digest].sort());
  named.add(three.id);
  await expect(put(store, four)).rejects.toThrow(ImageNotTaken);
  expect(store.ids).toEqual([one.id, three.id]);
  await store.close();
  const again = await storeIn(directory);
  expect([...again.ids].sort()).toEqual([one.id, three.id].sort());
  expect(await again.find(one.id)!.chunks(0, 2)).toHaveLength(2);
  await again.close();
});

it("takes in a few at a time, and gives their places back", async () => {
  const store = await storeIn(join(temporaryFolder(), "images"));
  const releases = Array.from({ length: imageStoreLimits.receiversMax }, (_, i) => someRelease(10 + i));
  const receivers = await Promise.all(releases.map(({ release }) => store.receive(release)));
  const last = someRelease(99);
  await expect(store.receive(last.release)).rejects.toThrow(/taking in other images/);
  await receivers[0]!.abort();
  expect(await put(store, last)).toBe(true);
  for (const receiver of receivers) await receiver.abort();
  expect(store.ids).toEqual([last.id]);
  await store.close();
});

it("the same image twice at once is kept once", async () => {
  const directory = join(temporaryFolder(), "images");
  const store = await storeIn(directory);
  const one = someRelease(1);
  expect(await Promise.all([put(store, one), put(store, one)])).toEqual([true, true]);
  expect(readdirSync(directory)).toEqual([one.digest]);
  await store.close();
});
