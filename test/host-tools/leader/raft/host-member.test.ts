import { describe, expect, it } from "vitest";
import { HostWorld } from "./host-world.ts";

describe("three hosts", () => {
  it("found a group, join it and vote", () => {
    const world = new HostWorld({ seed: 1, hostNames: ["a", "b", "c"] });
    world.startAll();
    world.until(() => world.leader !== undefined && world.status(world.leader).voters.length === 3);
    expect(world.violations).toEqual([]);
  });
});
