/** What is wrong with a command line, in the words of the rest of Covey: commander finds it and says it in its own. */
import type { Command, CommanderError } from "commander";
import { suggestion } from "../swarm-file/suggestion.ts";

/**
 * One or two sentences: what is wrong, and which help tells more.
 *
 * @param command whose arguments they were: a verb, or the program itself
 * @param words all that was typed after `covey`
 */
export function commandLineMistake(
  { code, message }: CommanderError,
  command: Command,
  words: readonly string[],
): string {
  const program = command.parent ?? command;
  const name = command === program ? "covey" : `covey ${command.name()}`;
  const help = `See ${name} --help.`;
  const [, subject = ""] = /'([^']*)'/.exec(message) ?? [];
  switch (code) {
    case "commander.unknownCommand":
      return `${noVerb(subject, program)} ${help}`;
    case "commander.help":
      // covey help VERB, of no such verb.
      return `${noVerb(words[1] ?? "", program)} ${help}`;
    case "commander.unknownOption": {
      const options = command.createHelp().visibleOptions(command);
      const known = options.flatMap(({ long }) => long ?? []);
      return `${name} has no option ${subject}${nearest(subject, known)} ${help}`;
    }
    case "commander.missingArgument":
      return `${name} needs its ${subject}: ${name} ${argumentsOf(command)}. ${help}`;
    case "commander.excessArguments": {
      const takes =
        command.registeredArguments.length === 0 ? "nothing" : `no more than ${argumentsOf(command)}`;
      return `${name} takes ${takes} beside its options. ${help}`;
    }
    case "commander.optionMissingArgument":
      return `${flagOf(subject)} needs a value: ${subject}. ${help}`;
    case "commander.invalidArgument": {
      const [, value, why] = /argument '(.*)' is invalid\. (.*)$/s.exec(message) ?? ["", "", message];
      return `${flagOf(subject)} can't be "${value}". ${why!.replace("Allowed choices are", "It takes")} ${help}`;
    }
    case "commander.conflictingOption": {
      const [first = "", second = ""] = [...message.matchAll(/'([^']*)'/g)].map(([, flags]) =>
        flagOf(flags!),
      );
      return `${first} can't be used with ${second}. ${help}`;
    }
    default:
      return `${message.replace(/^error: /, "").replaceAll("\n", " ")} ${help}`;
  }
}

function noVerb(word: string, program: Command): string {
  const known = program.commands.map((command) => command.name());
  return `There is no verb ${word}${nearest(word, known)}`;
}

/** Names on a command line stand without quotes. */
function nearest(word: string, known: readonly string[]): string {
  const near = suggestion(word, known);
  return near.startsWith("; did") ? near.replaceAll('"', "") : ".";
}

function argumentsOf(command: Command): string {
  return command.registeredArguments
    .map((argument) => {
      const name = argument.variadic ? `${argument.name()}...` : argument.name();
      return argument.required ? `<${name}>` : `[${name}]`;
    })
    .join(" ");
}

/** `--limit` of `-l, --limit <n>`. */
function flagOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}
