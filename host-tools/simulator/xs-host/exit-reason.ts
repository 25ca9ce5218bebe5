/** Why a board's process ended. The codes are those of native/protocol.h. */
export type ExitReason =
  | "stopped" // its input ended: the parent asked
  | "memory full"
  | "uncaught exception"
  | "flash write"
  | "stack overflow"
  | "names full"
  | "protocol"
  | "endless turn"
  | "engine"
  | "failure" // it never became a board: a bad argument, an unreadable file
  | "killed";

export interface BoardExit {
  readonly reason: ExitReason;
  /** The last thing that the process said about it, one or more lines; empty when it said nothing. */
  readonly message: string;
  readonly code: number | null;
  readonly signal: string | null;
}

const REASONS: Readonly<Record<number, ExitReason>> = Object.freeze({
  0: "stopped",
  1: "failure",
  10: "memory full",
  11: "uncaught exception",
  12: "flash write",
  13: "stack overflow",
  14: "names full",
  15: "protocol",
  16: "endless turn",
  17: "engine",
});

export function readExit(code: number | null, signal: string | null, said: string): BoardExit {
  const reason = signal !== null || code === null ? "killed" : (REASONS[code] ?? "failure");
  return { reason, message: withoutNamelessFrames(said).trim(), code, signal };
}

/** XS lists a function without a name as an empty line of the stack. */
function withoutNamelessFrames(said: string): string {
  return said.replace(/^\s*at \(\)\n?/gm, "");
}
