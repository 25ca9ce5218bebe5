/** The passphrase of a swarm's root: from a file, from the environment, or asked at the terminal; never from the command line, which others see. */
import { readFileSync } from "node:fs";
import { WrongInput } from "../failure.ts";
import { askHidden, canAsk } from "../questions.ts";

export interface PassphraseOptions {
  readonly passphraseFile?: string;
}

export const passphraseLimits = {
  /** Characters; NIST SP 800-63B, section 5.1.1.1. */
  min: 8,
  max: 1024,
} as const;

const variable = "COVEY_PASSPHRASE";

/** @throws {WrongInput} {Failed} */
export async function givenPassphrase(options: PassphraseOptions): Promise<string> {
  return prepared(options) ?? (await ask("Passphrase of the swarm's root: "));
}

/** A new one: asked for twice, and not too short. @throws {WrongInput} {Failed} */
export async function chosenPassphrase(options: PassphraseOptions): Promise<string> {
  const given = prepared(options);
  if (given !== undefined) return checked(given);
  const first = checked(await ask("Choose a passphrase for the swarm's root: "));
  const again = await ask("The same again: ");
  if (first === again) return first;
  throw new WrongInput("The two passphrases differ; start again.");
}

function prepared({ passphraseFile }: PassphraseOptions): string | undefined {
  return passphraseFile === undefined ? process.env[variable] || undefined : firstLine(passphraseFile);
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, "utf8").split(/\r?\n/, 1)[0]!;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new WrongInput(`The passphrase cannot be read from ${file} (${code}); check --passphrase-file.`);
  }
}

function checked(passphrase: string): string {
  const { min, max } = passphraseLimits;
  const length = [...passphrase].length;
  if (length >= min && length <= max) return passphrase;
  throw new WrongInput(
    `A passphrase has ${min} to ${max} characters, and this one ${length}; several words are easy to remember and hard to guess.`,
  );
}

/** Without echo. @throws {WrongInput} without a terminal {Failed} after Ctrl-C */
async function ask(question: string): Promise<string> {
  if (canAsk()) return askHidden(question);
  throw new WrongInput(
    `The root's passphrase is asked for at a terminal; without one, say --passphrase-file FILE or set ${variable}.`,
  );
}
