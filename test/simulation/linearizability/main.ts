/** `node test/simulation/linearizability/main.ts FILE`: checks a history; exit code 0 when it is linearizable, 1 when not, 2 when it could not be decided. */
import { readFileSync } from "node:fs";
import { checkLinearizable, faultToText } from "./check.ts";
import { historyFromText } from "./history.ts";

const [path, ...rest] = process.argv.slice(2);
if (path === undefined || rest.length > 0) {
  process.stderr.write("Give one file with a history, one JSON event a line.\n");
  process.exitCode = 2;
} else {
  check(path);
}

function check(file: string): void {
  try {
    const { kind, operations, keys, faults, undecidedKeys } = checkLinearizable(
      historyFromText(readFileSync(file, "utf8")),
    );
    for (const fault of faults) process.stdout.write(`${faultToText(fault)}\n`);
    for (const key of undecidedKeys) process.stdout.write(`${key}: too many explanations to try them all\n`);
    process.stdout.write(`${kind}: ${operations} operations on ${keys} keys\n`);
    process.exitCode = kind === "linearizable" ? 0 : kind === "undecided" ? 2 : 1;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}
