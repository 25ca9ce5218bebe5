import { constants } from "node:os";

/**
 * Ctrl-C, SIGTERM and a terminal that closes, for verbs that keep running: the first asks for a clean end, the second
 * ends at once.
 */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
    controller.abort(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return controller.signal;
}
