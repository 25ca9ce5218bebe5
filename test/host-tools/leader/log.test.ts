/** A log that strangers cannot fill. */
import { expect, test } from "vitest";
import { createLog, logLimits } from "../../../host-tools/leader/log.ts";

function logAt(): { log: ReturnType<typeof createLog>; lines: string[]; clock: { nowMs: number } } {
  const lines: string[] = [];
  const clock = { nowMs: 1_000_000 };
  const log = createLog(
    "info",
    (line) => lines.push(line),
    () => new Date(clock.nowMs),
  );
  return { log, lines, clock };
}

test("of one warning that comes by the thousand some are written, the rest is counted, and other lines go on", () => {
  const { log, lines, clock } = logAt();
  for (let i = 0; i < 1_000; i++) log.warn("connection-refused", { client: `n${i}` });
  expect(lines).toHaveLength(logLimits.warningsMax);
  log.warn("host-lost", { host: "b" });
  log.error("connection-refused");
  expect(lines.slice(-2).join("")).toContain("host-lost host=b");
  clock.nowMs += logLimits.everyMs;
  log.warn("connection-refused", { client: "n" });
  expect(lines.at(-1)).toBe(
    `1970-01-01T00:16:50.000Z warn  connection-refused client=n leftOutBefore=${1_000 - logLimits.warningsMax}\n`,
  );
  log.warn("connection-refused", { client: "m" });
  expect(lines.at(-1)).toMatch(/client=m\n$/);
});

test("what a stranger calls itself takes no more room than a line", () => {
  const { log, lines } = logAt();
  log.warn("connection-refused", { client: "x".repeat(4_000), count: 7 });
  expect(lines[0]!.length).toBeLessThan(2 * logLimits.factLengthMax);
  expect(lines[0]).toContain("x... count=7\n".replace("x...", "..."));
});
