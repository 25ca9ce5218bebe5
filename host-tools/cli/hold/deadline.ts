/**
 * A moment as one process tells it to another on the same computer: by the steady clock, which is the same for all of them, and by the wall clock, which goes on while the computer
 * sleeps. What takes time on the way between them makes it no later.
 */
export interface Deadline {
  readonly steadyMs: number;
  readonly wallMs: number;
}

/** `durationMs` from now, as text. */
export function deadlineText(durationMs: number): string {
  return `${Math.floor(steadyNowMs() + durationMs)} ${Math.floor(Date.now() + durationMs)}`;
}

/** undefined for what is none. */
export function readDeadline(text: string): Deadline | undefined {
  const [steadyMs = Number.NaN, wallMs = Number.NaN] = text.split(" ").map(Number);
  return Number.isNaN(steadyMs + wallMs) ? undefined : { steadyMs, wallMs };
}

/** By whichever clock has less. Nothing without a deadline. */
export function leftMs(deadline: Deadline | undefined): number {
  if (deadline === undefined) return 0;
  return Math.min(deadline.steadyMs - steadyNowMs(), deadline.wallMs - Date.now());
}

function steadyNowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
