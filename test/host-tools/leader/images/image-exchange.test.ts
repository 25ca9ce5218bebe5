/** Images between hosts: frames as they travel, stores on disk, and one of the hosts lies. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { frameFromWire, frameToWire } from "../../../../host-tools/leader/hosts/host-frame-codec.ts";
import type { HostFrame } from "../../../../host-tools/leader/hosts/host-frames.ts";
import { ImageExchange, type ImageFrame } from "../../../../host-tools/leader/images/image-exchange.ts";
import { ImageStore } from "../../../../host-tools/leader/images/image-store.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import type { Release } from "../../../../protocols/update/release.ts";
import { eventually, temporaryFolder } from "../leader-under-test.ts";
import { type SomeRelease, someRelease } from "./some-release.ts";

interface Host {
  readonly store: ImageStore;
  readonly exchange: ImageExchange;
  readonly directory: string;
  readonly audited: string[];
  /** What came, by who sent it. */
  readonly came: { readonly from: string; readonly frame: HostFrame }[];
}

const onWire = (frame: HostFrame) => frameFromWire(decodeCbor(encodeCbor(frameToWire(frame)))) as ImageFrame;

/** Hosts that are all connected. @param wanted what host a is to have @param lie what a host makes of a frame before it sends it */
async function hostsOf(
  names: readonly string[],
  wanted: readonly Release[],
  lie: (from: string, frame: HostFrame) => HostFrame = (_, frame) => frame,
): Promise<Map<string, Host>> {
  const hosts = new Map<string, Host>();
  for (const name of names) {
    const audited: string[] = [];
    const directory = join(temporaryFolder(), "images");
    const log = createLog("error", () => {});
    const send = (to: string, frame: HostFrame) => {
      const sent = onWire(lie(name, frame));
      setImmediate(() => {
        hosts.get(to)?.came.push({ from: name, frame: sent });
        hosts.get(to)?.exchange.take(name, sent);
      });
      return hosts.has(to);
    };
    const store: ImageStore = await ImageStore.open({
      ...{ directory, log, isNamed: () => true },
      onChange: () => exchange.storeChanged(),
    });
    const exchange: ImageExchange = new ImageExchange({
      ...{ store, log, send, wanted: () => (name === "a" ? wanted : []) },
      audit: { refused: (who, what) => audited.push(`${who}: ${what}`) },
      broadcast: (frame) => {
        for (const other of names) if (other !== name) send(other, frame);
      },
    });
    hosts.set(name, { store, exchange, directory, audited, came: [] });
    onTestFinished(async () => {
      exchange.stop();
      await store.close();
    });
  }
  return hosts;
}

async function give({ store }: Host, { release, image }: SomeRelease): Promise<void> {
  const receiver = await store.receive(release);
  await receiver.write(image);
  expect(await receiver.complete()).toBe(true);
}

it("a host that sends a false piece is told of, nothing of it is kept, and another one is asked", async () => {
  const one = someRelease(1, { sizeBytes: 100_000 });
  const hosts = await hostsOf(["a", "b", "c"], [one.release], (from, frame) => {
    if (from !== "b" || frame.kind !== "image-piece" || frame.chunk === 0) return frame;
    return {
      ...frame,
      chunks: frame.chunks!.map((chunk, i) => (i === 5 ? chunk.map((byte) => byte ^ 1) : chunk)),
    };
  });
  const [a, b, c] = ["a", "b", "c"].map((name) => hosts.get(name)!) as [Host, Host, Host];
  await give(b, one);
  await eventually(() => a.audited.length > 0);
  expect(a.audited).toEqual([`b: a false piece of image ${one.id}`]);
  await eventually(() => readdirSync(a.directory).length === 0);
  await give(c, one);
  await eventually(() => a.store.has(one.id));
  expect(a.audited).toHaveLength(1);
});

it("nothing is fetched that is not wanted, whatever others say they have", async () => {
  const [wanted, other] = [someRelease(1), someRelease(2)];
  const hosts = await hostsOf(["a", "b"], [wanted.release]);
  const [a, b] = ["a", "b"].map((name) => hosts.get(name)!) as [Host, Host];
  await give(b, other);
  await give(b, wanted);
  await eventually(() => a.store.has(wanted.id));
  expect(a.store.ids).toEqual([wanted.id]);
  // Nor is taken what nobody asked for.
  const came = b.came.length;
  a.exchange.take("b", {
    kind: "image-piece",
    image: new Uint8Array(8),
    chunk: 0,
    chunks: [new Uint8Array(9)],
  });
  expect(a.store.ids).toEqual([wanted.id]);
  expect(b.came).toHaveLength(came);
});

it("a host that goes away in the middle is not waited for", async () => {
  const one = someRelease(1, { sizeBytes: 500_000 });
  const hosts = await hostsOf(["a", "b", "c"], [one.release]);
  const [a, b, c] = ["a", "b", "c"].map((name) => hosts.get(name)!) as [Host, Host, Host];
  await give(b, one);
  await eventually(() => a.came.filter(({ frame }) => frame.kind === "image-piece").length > 2);
  hosts.delete("b");
  a.exchange.down("b");
  await give(c, one);
  await eventually(() => a.store.has(one.id), 3_000);
});
