/** `covey raft-shell`: the Raft core for other people's test suites. */
import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline";
import type { Verb } from "../verb.ts";

export const raftShell: Verb = {
  usage: "raft-shell",
  summary: "drive the Raft core from another program",
  details:
    "Reads one JSON operation a line from stdin and answers each with one JSON line on stdout, until stdin ends: with --json or without. Nothing happens by itself: time passes and messages arrive when an operation says so. The operations are in docs/raft-shell.md.",
  examples: [`covey raft-shell <<< '{"op":"create","voters":["a","b","c"]}'`],
  options: [],
  async run() {
    const { RaftShell } = await import("../../raft-shell/shell.ts");
    const shell = new RaftShell();
    for await (const line of createInterface({ input: stdin })) {
      if (line.trim() === "") continue;
      const wantsMore = stdout.write(`${JSON.stringify(shell.run(line))}\n`);
      if (!wantsMore) await new Promise((resolve) => stdout.once("drain", resolve));
    }
    return 0;
  },
};
