/** What boards decide is what hosts decide: every kind of model, on every row, in the engine that boards run, to the bit. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineProbe } from "../../../host-tools/trainer/engine-probe.ts";
import { train, trainerKinds } from "../../../host-tools/trainer/train.ts";
import { readModel } from "../../../protocols/model/codec.ts";
import { BUILD_TIMEOUT_MS, sharedHost } from "../simulator/xs-host/probe.ts";
import { dataset } from "./data.ts";

let probe: EngineProbe;

beforeAll(async () => {
  probe = await EngineProbe.start(await sharedHost());
}, BUILD_TIMEOUT_MS);

afterAll(() => probe?.stop());

describe.each(["iris", "wine", "breast-cancer"] as const)("%s", (name) => {
  const data = dataset(name);

  test.each(trainerKinds)("%s", { timeout: 120_000 }, async (kind) => {
    const bytes = train(data, { kind, seed: 1, window: 100, epochs: 40, rounds: 5 });
    const model = readModel(bytes.slice());
    const here = data.rows.map((row) => {
      const decided = model.decide(row);
      return { decided, score: model.score(decided) };
    });
    await probe.load(bytes, data.features.length);
    const there = await probe.decide(data.rows);
    expect(there).toEqual(here);
    if (model.classes > 0) expect(new Set(here.map(({ decided }) => decided)).size).toBeGreaterThan(1);
  });
});

test("an inference allocates nothing", { timeout: 120_000 }, async () => {
  const data = dataset("wine");
  for (const kind of trainerKinds) {
    await probe.load(train(data, { kind, seed: 1, window: 100, epochs: 5, rounds: 3 }), data.features.length);
    expect((await probe.cost(data.rows)).allocatedBytes, kind).toBe(0);
  }
});
