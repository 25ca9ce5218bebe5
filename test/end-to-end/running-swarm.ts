/** A swarm started as a user starts it - the CLI in a process of its own - and watched through its HTTP interface. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEntry } from "../../host-tools/leader/api/types/log.ts";
import type { Status } from "../../host-tools/leader/api/types/status.ts";
import type { HostFile } from "../../host-tools/leader/host-directory.ts";
import { hostsMax } from "../../protocols/messages/host-address.ts";
import { turnKey } from "../../protocols/turns/turn.ts";
import { reservedPorts } from "../reserved-port.ts";

export const repository = join(import.meta.dirname, "../..");
export const covey = join(repository, "host-tools/cli/bin.js");
export const greenhouse = join(repository, "examples/greenhouse/swarm.ts");

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one `covey` command to its end. */
export function runCovey(args: readonly string[], cwd: string): Promise<CommandResult> {
  const child = spawn(process.execPath, [covey, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  return collect(child);
}

/** Who was away on purpose, one after the other, as `covey log` shows it. */
export async function turnsOf(folder: string): Promise<string[]> {
  const { stdout } = await runCovey(["log", "--limit", "1000", "--json"], folder);
  const turns = (JSON.parse(stdout) as LogEntry[]).filter(({ key }) => key === turnKey);
  const given = turns.map(({ text }) => text.slice(`${turnKey} = `.length));
  return given.filter((text) => text !== "nobody");
}

export class RunningSwarm {
  readonly #child: ChildProcess;
  readonly #ended: Promise<CommandResult>;
  readonly folder: string;

  /** Starts `covey sim` in `folder`, where its `.covey/` will be. */
  static async start(folder: string, args: readonly string[] = [], file = greenhouse): Promise<RunningSwarm> {
    // One of each for every host, which has them again when it is started again.
    const [http, mqtt] = [await reservedPorts(hostsMax), await reservedPorts(hostsMax)];
    const ports = ["--http-port", `${http[0]}`, "--mqtt-port", `${mqtt[0]}`];
    const child = spawn(process.execPath, [covey, "sim", file, "--plain", ...ports, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new RunningSwarm(child, folder);
  }

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#ended = collect(child);
    this.folder = folder;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Polls the status until `accept` likes it; a leader that is down meanwhile is waited for. */
  async until(what: string, accept: (status: Status) => boolean, timeoutMs = 60_000): Promise<Status> {
    const deadline = Date.now() + timeoutMs;
    let last: Status | undefined;
    while (Date.now() < deadline) {
      if (this.#child.exitCode !== null) {
        const { code, stderr } = await this.#ended;
        throw new Error(`the swarm ended with code ${code} while waiting for: ${what}\n${stderr}`);
      }
      last = (await this.status()) ?? last;
      if (last && accept(last)) return last;
      await sleep(50);
    }
    throw new Error(
      `not seen within ${timeoutMs} ms: ${what}; last status: ${JSON.stringify(last, null, 1)}`,
    );
  }

  /** All boards of the greenhouse are linked and have applied what is committed, and its two voters vote. */
  untilSettled(boards = 5, timeoutMs = 120_000): Promise<Status> {
    const settled = (status: Status) =>
      status.leader.role === "leader" &&
      status.leader.voters.length === 3 &&
      status.boards.length === boards &&
      status.boards.every(
        (board) =>
          board.link === "up" && board.appliedIndex === status.leader.commitIndex && board.samplesIn > 0,
      );
    return this.until(`${boards} boards joined and up to date`, settled, timeoutMs);
  }

  async status(): Promise<Status | undefined> {
    for (const { url } of hostFiles(this.folder)) {
      const status = await statusOf(url);
      if (status !== undefined) return status;
    }
    return undefined;
  }

  /** Of the first host. */
  url(): string {
    return hostFiles(this.folder)[0]!.url;
  }

  /** Ctrl-C, as a terminal sends it. */
  interrupt(): Promise<CommandResult> {
    this.#child.kill("SIGINT");
    return this.#ended;
  }

  /** For `afterAll`: whatever state it is in, it ends. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.interrupt();
  }
}

/** A folder of its own for one swarm, with its removal. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "covey-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const alive = (pid: number): boolean => existsSync(`/proc/${pid}/stat`) && !isZombie(pid);

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)!.slice(0, 4));
  } catch {
    return true;
  }
}

/** What a host says; undefined when it does not answer. */
export async function statusOf(url: string): Promise<Status | undefined> {
  try {
    const response = await fetch(`${url}/api/status`, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? ((await response.json()) as Status) : undefined;
  } catch {
    return undefined;
  }
}

/** Of the hosts that run in this folder, by name. */
export function hostFiles(folder: string): HostFile[] {
  const state = join(folder, ".covey");
  const [swarm] = existsSync(state) ? readdirSync(state) : [];
  if (swarm === undefined) return [];
  return readdirSync(join(state, swarm))
    .filter((name) => name.startsWith("host-"))
    .map((name) => join(state, swarm, name, "host.json"))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as HostFile);
}

function collect(child: ChildProcess): Promise<CommandResult> {
  let stdout = "";
  let stderr = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}
