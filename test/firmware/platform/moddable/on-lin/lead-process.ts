/** `covey lead` as a user starts it, and the verbs beside it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Status } from "../../../../../host-tools/leader/api/types/status.ts";
import { covey, runCovey } from "../../../../end-to-end/running-swarm.ts";

const patienceMs = 30_000;

export class LeadProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #url: string;

  /** In a folder with a `swarm.ts`, where its state is kept. @param memberFile the host's identity */
  static async start(folder: string, mqttPort: number, memberFile: string): Promise<LeadProcess> {
    const words = [
      "lead",
      "--json",
      "--member",
      memberFile,
      "--http-port",
      "0",
      "--mqtt-port",
      `${mqttPort}`,
      "--log-level",
      "error",
    ];
    const child = spawn(process.execPath, [covey, ...words], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return new LeadProcess(child, folder, JSON.parse(line).url);
  }

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.#url = url;
  }

  async status(): Promise<Status> {
    return (await (await fetch(`${this.#url}/api/status`)).json()) as Status;
  }

  /** Polls until `accept` likes what it sees. @throws Error when it does not come to that */
  async until(accept: (status: Status) => boolean): Promise<Status> {
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const status = await this.status();
      if (accept(status)) return status;
      if (performance.now() > deadlineMs)
        throw new Error(`The leader still says ${JSON.stringify(status, null, 1)}`);
      await sleep(50);
    }
  }

  async set(key: string, value: number): Promise<void> {
    const { code, stderr } = await runCovey(["set", key, `${value}`], this.#folder);
    if (code !== 0) throw new Error(`covey set ${key} ${value}: ${stderr}`);
  }

  /** Ctrl-C. Idempotent. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGINT");
    await closed;
  }
}
