#!/usr/bin/env node
/** The command `covey`: finds the verb, runs it, and leaves with its exit code. */
import { argv, stderr, stdout } from "node:process";
import { Command } from "commander";
import { reportFailure } from "./failure.ts";
import { commandOf } from "./verb.ts";
import { verbs } from "./verbs/index.ts";
import { version } from "./version.ts";

let exitCode = 0;
const program = new Command("covey")
  .description("One TypeScript program for a swarm of ESP32 boards.")
  .version(version)
  .showSuggestionAfterError()
  .addHelpText(
    "after",
    "\nExample:\n  $ covey init greenhouse && cd greenhouse && npm install && npx covey sim",
  );
for (const verb of verbs) program.addCommand(commandOf(verb, (code) => (exitCode = code)));
for (const command of [program, ...program.commands]) {
  command.exitOverride().configureOutput({ outputError: () => {} });
}

// A reader that has seen enough (`covey export | head`) closes the pipe; that is no failure of ours. Nor is a terminal that was
// closed (EIO): whatever is still running hears of it by SIGHUP and ends in order.
for (const stream of [stdout, stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCode);
    if (error.code !== "EIO") throw error;
  });
}

try {
  if (argv.length <= 2) stdout.write(`${program.helpInformation()}`);
  else await program.parseAsync(argv);
} catch (thrown) {
  exitCode = reportFailure(thrown, argv.includes("--json"));
}
process.exitCode = exitCode;
