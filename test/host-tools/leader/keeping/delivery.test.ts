/** When a host lets go of a block: what random runs do not come upon. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Delivery, deliveryLimits } from "../../../../host-tools/leader/keeping/delivery.ts";
import { Outbox } from "../../../../host-tools/leader/keeping/outbox.ts";

let folder: string;
let outbox: Outbox;
let shelves: Map<string, unknown>;
let index: number;
let nowMs: number;
let asked: { resolve: (index: number) => void }[];
let delivery: Delivery;

const shelf = (...keepers: readonly [board: string, ring: number][]) =>
  new Map([
    [
      "p",
      {
        shelf: {
          version: 1,
          former: [],
          keepers: keepers.map(([board, ring]) => ({ board, ring, isWhole: true })),
        },
      },
    ],
  ]);
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "covey-delivery-"));
  outbox = new Outbox(join(folder, "keeping.sqlite"), 0, () => "abc123");
  outbox.take({ board: "p", metric: "temp", firstMs: 1, lastMs: 2, bytes: new Uint8Array(3) });
  outbox.write();
  const [block] = outbox.waiting("p");
  outbox.stored("k1", 1, [{ block: block!, sector: 1 }]);
  outbox.stored("k2", 1, [{ block: block!, sector: 1 }]);
  [index, nowMs, asked] = [4, 0, []];
  shelves = shelf(["k1", 1], ["k2", 1]);
  delivery = new Delivery({
    agreed: {
      get shelves() {
        return shelves;
      },
      get index() {
        return index;
      },
    } as never,
    ...{ outbox, questions: {} as never, copiesOf: () => 2, isUp: () => false, nowMs: () => nowMs },
    fence: () =>
      new Promise((resolve) => {
        asked.push({ resolve });
      }),
    onError: (error) => {
      throw error;
    },
  });
});
afterEach(() => {
  outbox.close();
  rmSync(folder, { recursive: true });
});

describe("a block that all its keepers have", () => {
  test("is let go once the leader has said up to where to look, and this host is there", async () => {
    delivery.look();
    expect(asked).toHaveLength(1);
    delivery.look();
    expect(outbox.size).toBe(1);
    asked[0]!.resolve(5);
    await settled();
    delivery.look();
    expect(outbox.size).toBe(1);
    index = 5;
    delivery.look();
    expect(outbox.size).toBe(0);
  });

  test("stays when another keeper was agreed on meanwhile", async () => {
    delivery.look();
    asked[0]!.resolve(5);
    await settled();
    [index, shelves] = [5, shelf(["k1", 1], ["k3", 1])];
    delivery.look();
    expect([outbox.size, asked.length]).toEqual([1, 1]);
  });

  test("stays when a keeper has another ring by now", () => {
    shelves = shelf(["k1", 1], ["k2", 2]);
    delivery.look();
    expect([outbox.size, asked.length]).toEqual([1, 0]);
  });

  test("stays while there are fewer keepers than copies", () => {
    shelves = shelf(["k1", 1]);
    delivery.look();
    expect([outbox.size, asked.length]).toEqual([1, 0]);
  });

  test("is asked about again when the leader does not answer", () => {
    delivery.look();
    nowMs = deliveryLimits.fenceMs + 1;
    delivery.look();
    expect([outbox.size, asked.length]).toEqual([1, 2]);
  });
});
