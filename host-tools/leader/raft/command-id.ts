/**
 * By what a retried command is known: `after-random`, for example `4711-5f3a90c2b1d40e77`.
 *
 * The random part goes into the log with the command. The index before it is one at or before which the client had not tried the command yet (any commit
 * index that it was told will do); so a leader that remembers all commands behind that index knows for sure whether it was applied.
 */
import { commandIdBytes } from "../../../protocols/state/command.ts";

export interface CommandId {
  /** A log index, 0 or more. */
  readonly after: number;
  /** `commandIdBytes`, not all zeros. */
  readonly random: Uint8Array;
}

/** undefined when the text is no command id. */
export function commandIdFromText(text: string): CommandId | undefined {
  const match = /^(\d{1,15})-([0-9a-f]+)$/.exec(text);
  if (match === null || match[2]!.length !== 2 * commandIdBytes) return undefined;
  const random = new Uint8Array(commandIdBytes);
  for (let i = 0; i < random.length; i++) random[i] = Number.parseInt(match[2]!.slice(2 * i, 2 * i + 2), 16);
  return random.every((byte) => byte === 0) ? undefined : { after: Number(match[1]), random };
}

export function commandIdToText({ after, random }: CommandId): string {
  return `${after}-${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
