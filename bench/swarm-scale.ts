/** A swarm of real XS boards on this machine: how long until all have joined, and what it costs from then on. */
import { RunningSwarm, sleep, temporaryFolder } from "../test/end-to-end/running-swarm.ts";
import { isBoardProcess, type ProcessCost, processTree } from "./process-tree.ts";

export interface SwarmScale {
  readonly boards: number;
  /** From the start of the command (everything built before) to the last board linked and up to date. */
  readonly joinedMs: number;
  /** PSS of all board processes, and of one on average. */
  readonly boardsMemoryBytes: number;
  readonly boardMemoryBytes: number;
  readonly leaderMemoryBytes: number;
  readonly simulatorMemoryBytes: number;
  /** CPU in percent of one core, over `observedMs`. */
  readonly boardsCpuPercent: number;
  readonly leaderCpuPercent: number;
  readonly simulatorCpuPercent: number;
  readonly observedMs: number;
}

/** Runs `use` beside the swarm once all boards have joined. */
export async function withSwarm<Result>(
  boards: number,
  use: (swarm: RunningSwarm, joinedMs: number) => Promise<Result>,
): Promise<Result> {
  const { folder, remove } = temporaryFolder();
  const startedMs = performance.now();
  const swarm = await RunningSwarm.start(folder, ["--boards", `${boards}`]);
  try {
    await swarm.untilSettled(boards, 240_000);
    return await use(swarm, performance.now() - startedMs);
  } finally {
    await swarm.end();
    remove();
  }
}

export async function measureScale(
  swarm: RunningSwarm,
  joinedMs: number,
  observedMs: number,
): Promise<SwarmScale> {
  const before = byPart(processTree(swarm.pid), swarm.pid);
  const startedMs = performance.now();
  await sleep(observedMs);
  const tree = processTree(swarm.pid);
  const elapsedMs = performance.now() - startedMs;
  const after = byPart(tree, swarm.pid);
  const percent = (part: keyof Parts) => (100 * (after[part].cpuMs - before[part].cpuMs)) / elapsedMs;
  return {
    boards: after.boards.processes,
    joinedMs,
    boardsMemoryBytes: after.boards.memoryBytes,
    boardMemoryBytes: after.boards.memoryBytes / after.boards.processes,
    leaderMemoryBytes: after.leader.memoryBytes,
    simulatorMemoryBytes: after.simulator.memoryBytes,
    boardsCpuPercent: percent("boards"),
    leaderCpuPercent: percent("leader"),
    simulatorCpuPercent: percent("simulator"),
    observedMs: elapsedMs,
  };
}

interface Part {
  processes: number;
  memoryBytes: number;
  cpuMs: number;
}

interface Parts {
  readonly boards: Part;
  readonly leader: Part;
  readonly simulator: Part;
}

function byPart(tree: readonly ProcessCost[], simulatorPid: number): Parts {
  const sum = (costs: readonly ProcessCost[]): Part => ({
    processes: costs.length,
    memoryBytes: costs.reduce((total, { memoryBytes }) => total + memoryBytes, 0),
    cpuMs: costs.reduce((total, { cpuMs }) => total + cpuMs, 0),
  });
  const isSimulator = ({ pid }: ProcessCost) => pid === simulatorPid;
  return {
    boards: sum(tree.filter(isBoardProcess)),
    simulator: sum(tree.filter(isSimulator)),
    leader: sum(tree.filter((process) => !isBoardProcess(process) && !isSimulator(process))),
  };
}
