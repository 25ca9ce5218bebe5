/** Progress of boards at several ports, a line each. */
import { ProgressLines } from "../progress-lines.ts";
import type { Terminal } from "../terminal.ts";

export type Report = (
  port: string,
  progress: { step: string; note: string; done: number | undefined },
) => void;

export async function watched<Result>(
  terminal: Terminal,
  ports: readonly string[],
  work: (report: Report) => Promise<Result>,
): Promise<Result> {
  const lines = new ProgressLines(terminal, ports);
  try {
    return await work((port, { step, note, done }) => lines.show(port, step, note, done));
  } finally {
    lines.end();
  }
}
