/**
 * Ends a command when nobody looks after it any more, as a process of its own: what held the lease may have been killed, or stand still.
 *
 * Its argument is the command's process group. On stdin it is told, a line each, until when the command may run, by both clocks of the computer (`deadline.ts`). When that is over by
 * either, or stdin ends, it kills the group. A line `done` lets it go without that.
 */
import { createInterface } from "node:readline";
import { leftMs, readDeadline } from "./deadline.ts";
import { killGroup } from "./process-group.ts";

/** A clock that jumps is noticed so soon. */
const lookEveryMs = 250;

const group = Number(process.argv[2]);
let deadline: ReturnType<typeof readDeadline>;
let timer: NodeJS.Timeout | undefined;

const end = () => {
  killGroup(group, "SIGKILL");
  process.exit(0);
};

const look = () => {
  const left = leftMs(deadline);
  if (left <= 0) end();
  timer = setTimeout(look, Math.min(left, lookEveryMs));
};

// Whoever stops what looks after the command, with a signal to all its processes, does not stop this.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

createInterface({ input: process.stdin })
  .on("line", (line) => {
    if (line === "done") process.exit(0);
    deadline = readDeadline(line);
    clearTimeout(timer);
    look();
  })
  .on("close", end);
