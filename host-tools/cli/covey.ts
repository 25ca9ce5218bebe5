#!/usr/bin/env node
/** The command `covey`: finds the verb, runs it, and leaves with its exit code. */
import { argv, stderr, stdout } from "node:process";
import { Command } from "commander";
import { commandLineMistake } from "./command-line-mistake.ts";
import { reportFailure, WrongInput } from "./failure.ts";
import { commandOf } from "./verb.ts";
import { verbGroups } from "./verbs/index.ts";
import { version } from "./version.ts";

let exitCode = 0;
const program = new Command("covey")
  .description("One TypeScript program for a swarm of ESP32 boards.")
  .usage("<verb> [options]")
  .configureHelp({ subcommandTerm: (command) => command.name() })
  .addHelpText(
    "after",
    "\nExample:\n  $ covey init greenhouse && cd greenhouse && npm install && npx covey sim\n\nMore of a verb: covey sim --help",
  )
  .helpOption("-h, --help", "show this help, or a verb's")
  .version(version, "-V, --version", "show the version");
program.addHelpCommand(
  new Command("help")
    .argument("[verb]")
    .description("show this help, or a verb's")
    .helpOption(false)
    .helpGroup("Tools:"),
);
for (const { title, verbs } of verbGroups) {
  for (const verb of verbs) {
    program.addCommand(commandOf(verb, (code) => (exitCode = code)).helpGroup(`${title}:`));
  }
}
for (const command of [program, ...program.commands]) {
  // Nothing of commander's own comes to stderr; a mistake is told as all others are.
  command.configureOutput({ writeErr: () => {}, outputError: () => {} }).exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    throw new WrongInput(commandLineMistake(error, command, argv.slice(2)));
  });
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
  if (argv.length <= 2) program.outputHelp();
  else await program.parseAsync(argv);
} catch (thrown) {
  exitCode = reportFailure(thrown, argv.includes("--json"));
}
process.exitCode = exitCode;
