/**
 * A command as a process group of its own, and beside it a guard (`guard.ts`), a process too, which kills the group when its time is over: even if this process is killed by then, or
 * stands still.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { deadlineText } from "./deadline.ts";
import { killGroup } from "./process-group.ts";

export interface ProcessStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** It has ended, whoever ended it: with this code, 128 and more for a signal. Undefined: it could not be started. At most once, and after `startGuarded` has returned. */
  onEnd(exitCode: number | undefined, reason: string | undefined): void;
}

export interface GuardedProcess {
  /** The guard kills in so long, whatever it was told before. To be said at once. */
  allow(durationMs: number): void;
  /** SIGTERM, to all of the group. */
  askToStop(): void;
  /** It has ended: what it has left behind is killed, and the guard has nothing to do any more. */
  clear(): void;
}

const guardMain = fileURLToPath(new URL("./guard.ts", import.meta.url));

export function startGuarded({ command, args, environment, onEnd }: ProcessStart): GuardedProcess {
  // A group of its own, so that what it starts ends with it.
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...environment },
  });
  let hasEnded = false;
  const end = (exitCode: number | undefined, reason: string | undefined) => {
    if (hasEnded) return;
    hasEnded = true;
    onEnd(exitCode, reason);
  };
  child.on("error", (error) => end(undefined, error.message));
  child.on("exit", (code, signal) => end(code ?? 128 + constants.signals[signal!], undefined));
  if (child.pid === undefined) return { allow: () => {}, askToStop: () => {}, clear: () => {} };
  const group = child.pid;
  const guard = spawn(process.execPath, [guardMain, `${group}`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.stdin.on("error", () => {});
  return {
    allow: (durationMs) => void guard.stdin.write(`${deadlineText(durationMs)}\n`),
    askToStop: () => killGroup(group, "SIGTERM"),
    clear: () => {
      killGroup(group, "SIGKILL");
      guard.stdin.end("done\n");
    },
  };
}
