import { existsSync } from "node:fs";
import { mkdtemp, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeOnce, SILENCE_MS_MAX } from "../../../../host-tools/simulator/xs-host/make-once.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "covey-once-"));
  path = join(directory, "thing");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function put(): Promise<void> {
  await writeFile(`${path}.new`, "made");
  await rename(`${path}.new`, path);
}

test("one makes, the others wait and see its progress", async () => {
  let made = 0;
  const seen: number[][] = [];
  const make = async (tell: (progress: number) => void) => {
    made++;
    tell(1);
    await sleep(700);
    tell(2);
    await put();
  };
  await Promise.all(
    [0, 1, 2].map((one) => {
      seen[one] = [];
      return makeOnce<number>(path, make, (progress) => seen[one]!.push(progress));
    }),
  );
  expect(made).toBe(1);
  expect(seen.filter((steps) => steps.includes(1))).toHaveLength(3);
  expect(await readdir(directory)).toEqual(["thing"]);
});

test("when the maker fails, the next one tries, and nothing is left behind", async () => {
  const began = Promise.withResolvers<void>();
  const failing = makeOnce(path, async () => {
    began.resolve();
    await sleep(300);
    throw new Error("no luck");
  });
  await began.promise;
  const next = makeOnce(path, put);
  await expect(failing).rejects.toThrow("no luck");
  await next;
  expect(await readdir(directory)).toEqual(["thing"]);
});

test("a claim whose maker died is taken over", async () => {
  await writeFile(`${path}.claim`, "");
  const longAgo = new Date(Date.now() - SILENCE_MS_MAX - 1000);
  await utimes(`${path}.claim`, longAgo, longAgo);
  await makeOnce(path, put);
  expect(existsSync(path)).toBe(true);
});

test("what is there is not made again", async () => {
  await put();
  await makeOnce(path, () => Promise.reject(new Error("made again")));
});
