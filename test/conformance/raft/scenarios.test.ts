import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCases } from "./case-file.ts";
import { ScenarioGroup } from "./scenario-group.ts";

describe("Raft, told as scenarios", () => {
  const folder = join(import.meta.dirname, "scenarios");
  it.each(readdirSync(folder))("%s", (file) => {
    const group = new ScenarioGroup();
    const count = runCases(join(folder, file), (command) => group.run(command));
    expect(count).toBeGreaterThan(3);
  });
});
