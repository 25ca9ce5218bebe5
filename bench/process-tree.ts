/**
 * What a tree of processes costs this machine, read from /proc (Linux): memory as PSS, so that a page shared by fifty
 * boards counts once, and CPU time as the kernel accounts it.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessCost {
  readonly pid: number;
  /** Command line, arguments separated by spaces. */
  readonly command: string;
  /** Proportional set size in bytes. */
  readonly memoryBytes: number;
  /** User and system time since the process began, in milliseconds (10 ms steps). */
  readonly cpuMs: number;
}

/** Whether it is a simulated board: the XS host in its `run` mode. */
export const isBoardProcess = ({ command }: ProcessCost): boolean => /xs-host\S* run /.test(command);

/** Linux counts CPU time in ticks of 10 ms on every common configuration (USER_HZ = 100). */
const tickMs = 10;

/** The process and all its descendants that still run; processes that end meanwhile are left out. */
export function processTree(rootPid: number): ProcessCost[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  const inTree = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at)) {
      if (at === rootPid) return true;
    }
    return false;
  };
  return [...parents.keys()].filter(inTree).flatMap((pid) => costOf(pid) ?? []);
}

function parentOf(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields && Number(fields[1]);
}

function costOf(pid: number): ProcessCost | undefined {
  try {
    const fields = statFields(pid);
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const kilobytes = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    if (!fields || Number.isNaN(kilobytes)) return undefined;
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * tickMs;
    return { pid, command, memoryBytes: kilobytes * 1024, cpuMs };
  } catch {
    return undefined; // ended between the two reads
  }
}

/** The fields of /proc/PID/stat after the command name: state, ppid, ... (proc(5)). */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
