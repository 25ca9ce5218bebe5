import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sensorDrivers } from "../../../host-tools/boards/sensor-drivers.ts";
import { projectRoot } from "../../../host-tools/bundler/bundle.ts";

test("docs/drivers.md lists the drivers that a board's file may name, and no other", () => {
  const page = readFileSync(join(projectRoot, "docs/drivers.md"), "utf8");
  const table = page.slice(page.indexOf("| driver |"), page.indexOf("\n\nECMA-419 has"));
  const listed = [...table.matchAll(/^\| `([a-z0-9]+)` \| ([^|]+) \|/gm)].map(([, name, title]) => [
    name,
    title,
  ]);
  const known = Object.entries(sensorDrivers).map(([name, { title }]) => [name, title]);
  expect(listed.sort()).toEqual(known.sort());
});
