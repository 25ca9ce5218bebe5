/** Registers in the full simulation: whole boards and hosts under cut networks, power cuts at any byte, hosts that are killed. Engine: in process, virtual time. */
import { expect, it } from "vitest";
import { ordeal } from "./ordeal.ts";

const seeds = [1, 2, 4, 5, 150];

it.each(seeds)(
  "registers stay linearizable and nothing that was agreed is lost (seed %i)",
  async (seed) => {
    const { operations, done, powerCuts } = await ordeal(seed);
    expect(operations).toBeGreaterThan(20);
    expect(done).toBeGreaterThan(0);
    expect(powerCuts).toBeGreaterThan(1);
  },
  120_000,
);
