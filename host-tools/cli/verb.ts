/**
 * The frame of every verb: one file in `verbs/` exports one `Verb`, listed in `verbs/index.ts`; this file turns it into
 * a commander command with `--json`, an example in its help, and one way out for results and errors.
 *
 * A verb file is loaded whenever the CLI starts, so it imports what is heavy (the leader, the simulator, a compiler)
 * inside `run`, with `await import(...)`.
 */
import { Command, type Option } from "commander";
import { Terminal } from "./terminal.ts";

export interface Verb<Options = Record<string, unknown>> {
  /** As commander writes it: `set <key> <value>`, `sim [file]`. */
  readonly usage: string;
  /** One line for the list of verbs; no full stop. */
  readonly summary: string;
  /** What there is to know beyond the summary, for the verb's own help. */
  readonly details?: string;
  /** Command lines that work as they stand; at least one. */
  readonly examples: readonly [string, ...string[]];
  readonly options: readonly Option[];
  /** What `--json` prints, where that is not one value. */
  readonly json?: string;
  /**
   * Does the work. Resolves to the exit code; nothing means 0. A mistake of the user is thrown as `WrongInput`, what
   * could not be done as `Failed` (failure.ts). With `--json`, `terminal.result(value)` is called exactly once.
   */
  run(
    terminal: Terminal,
    options: Options,
    args: readonly (string | undefined)[],
  ): Promise<number | undefined>;
}

/** Makes the command; `onExitCode` hears how the verb ended. */
export function commandOf<Options>(verb: Verb<Options>, onExitCode: (exitCode: number) => void): Command {
  const [name, ...parameters] = verb.usage.split(" ");
  const command = new Command(name).summary(verb.summary).description(descriptionOf(verb));
  for (const parameter of parameters) command.argument(parameter);
  for (const option of verb.options) command.addOption(option);
  command.option("--json", verb.json ?? "print one JSON value and nothing else");
  const examples = verb.examples.map((example) => `  $ ${example}`).join("\n");
  command.addHelpText("after", `\nExample${verb.examples.length > 1 ? "s" : ""}:\n${examples}`);
  command.action(async () => {
    const options = command.opts<Options & { json?: boolean }>();
    const terminal = new Terminal({ json: options.json === true });
    onExitCode((await verb.run(terminal, options, command.processedArgs)) ?? 0);
  });
  return command;
}

function descriptionOf<Options>(verb: Verb<Options>): string {
  const sentence = `${verb.summary[0]!.toUpperCase()}${verb.summary.slice(1)}.`;
  return verb.details === undefined ? sentence : `${sentence} ${verb.details}`;
}
