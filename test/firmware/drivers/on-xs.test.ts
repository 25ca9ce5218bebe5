/** The drivers on the engine of a board, preloaded, against the same on Node. */
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { joinCore, projectRoot } from "../../../host-tools/bundler/bundle.ts";
import { checkFrozen, formatFinding } from "../../../host-tools/bundler/frozen-check.ts";
import { BUILD_TIMEOUT_MS, probe, sharedHost } from "../../host-tools/simulator/xs-host/probe.ts";
import { readBme280, readScd4x } from "./read-once.ts";

beforeAll(sharedHost, BUILD_TIMEOUT_MS);

test.each(["bme280.ts", "scd4x.ts"])("%s can be preloaded into flash", async (file) => {
  const findings = await checkFrozen(join(projectRoot, "firmware/drivers", file));
  expect(findings.map(formatFinding)).toEqual([]);
});

test("XS reads what Node reads, to the last digit", async () => {
  const { code } = await joinCore(join(projectRoot, "test/firmware/drivers/read-once.ts"));
  const read = "export const read = () => [readBme280(), readScd4x()];";
  const ours = JSON.stringify([readBme280(), readScd4x()]);
  expect(ours).toContain("SensorIoError: SCD4x at I2C address 0x62: write failed");
  expect(await probe(`${code}\n${read}`, "return JSON.stringify(read());")).toEqual([ours, ours]);
});
