/**
 * Makes from a recording what the model learns from, and what the board then gives it: statistics of the last six samples, every three, as `swarm.ts` has them, beside whether the machine stood still.
 *
 *     npx node examples/machine-room/data/features.ts february.csv 2014-02-07T07:00 2014-02-09T11:50 > training.csv
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** As the recording is replayed: a row every so many seconds. */
const rowSeconds = 0.25;

const [file, stopped, restarted] = process.argv.slice(2) as [string, string, string];
const rows = readFileSync(join(import.meta.dirname, file), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split(",") as [string, string])
  .map(([timestamp, value]) => ({ timestamp: timestamp.replace(" ", "T"), value: Number(value) }));

console.log("temperature.mean,temperature.slope,temperature.min,machine");
for (let end = 3; end <= rows.length; end += 3) {
  const window = rows.slice(Math.max(0, end - 6), end);
  const values = window.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = (values.length - 1) / 2;
  const moment = values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0);
  const spread = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  const { timestamp } = window.at(-1)!;
  const machine = timestamp >= stopped && timestamp < restarted ? "stopped" : "running";
  console.log([mean, moment / spread / rowSeconds, Math.min(...values), machine].join());
}
