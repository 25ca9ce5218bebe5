import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCases } from "./case-file.ts";
import { ScenarioGroup } from "./scenario-group.ts";

describe("Raft, told as scenarios", () => {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".txt"));
  it.each(files)("%s", (file) => {
    const group = new ScenarioGroup();
    const count = runCases(join(import.meta.dirname, file), (command) => group.run(command));
    expect(count).toBeGreaterThan(3);
  });
});
