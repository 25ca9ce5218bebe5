/**
 * Keeps the leader running, in a process of its own: started again on the same ports when it dies, however it dies.
 *
 * It is reached only as anybody reaches it: `leader.json` says where it answers, and it counts as up once its HTTP
 * interface does. Its standard input is a pipe from here, so that it notices when this process is gone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LeaderFile, Status } from "../leader/api-types.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { Backoff } from "./backoff.ts";
import { SimulationError } from "./simulation-error.ts";

const leaderLimits = Object.freeze({
  startMs: 30_000,
  pollEveryMs: 50,
  /** From the polite request to end until the plug is pulled. */
  stopMs: 5000,
  /** Characters of its standard error that are kept to explain its end. */
  saidCharactersMax: 4096,
});
const backoffLimits = Object.freeze({ firstMs: 100, maxMs: 5000, wellAfterMs: 10_000 });

export interface SupervisedLeader {
  readonly definition: SwarmDefinition;
  /** `.covey/<swarm>`, absolute. */
  readonly stateFolder: string;
  /** 0 for any free one. */
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly tell: (level: "info" | "warn" | "error", text: string) => void;
}

/** Where a leader that is up answers. */
export interface LeaderAddress {
  readonly url: string;
  readonly httpPort: number;
  readonly mqttPort: number;
}

/** The leader could not be started for the first time; the message is what it said. */
export class LeaderStartError extends SimulationError {}

export class LeaderSupervisor {
  readonly #of: SupervisedLeader;
  readonly #backoff = new Backoff(backoffLimits);
  #address: LeaderAddress | undefined;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #said = "";
  #starts = 0;
  #stopping = false;

  constructor(of: SupervisedLeader) {
    this.#of = of;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it came back by itself. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** Resolves once the leader answers. @throws {LeaderStartError} */
  async start(): Promise<LeaderAddress> {
    const child = this.#spawn();
    const deadlineMs = performance.now() + leaderLimits.startMs;
    while (performance.now() < deadlineMs && !this.#stopping) {
      if (child !== this.#child) throw new LeaderStartError(this.#lastWords());
      const status = await this.#statusOf(child.pid!);
      if (status !== undefined) {
        const { httpPort, mqttPort } = status.leader;
        this.#address = { url: `http://127.0.0.1:${httpPort}`, httpPort, mqttPort };
        return this.#address;
      }
      await new Promise((resolve) => setTimeout(resolve, leaderLimits.pollEveryMs));
    }
    throw new LeaderStartError(`The leader did not answer within ${leaderLimits.startMs / 1000} s.`);
  }

  /** Ends it in good order; resolves when its process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    const plug = setTimeout(() => child.kill("SIGKILL"), leaderLimits.stopMs);
    await gone;
    clearTimeout(plug);
  }

  #spawn(): ChildProcess {
    const { definition, stateFolder, tell } = this.#of;
    const options = {
      definition,
      stateDirectory: stateFolder,
      httpPort: this.#address?.httpPort ?? this.#of.httpPort,
      mqttPort: this.#address?.mqttPort ?? this.#of.mqttPort,
    };
    // A group of its own: Ctrl-C at the terminal is for this process, which then stops everything in order.
    const child = spawn(process.execPath, [leaderMain], {
      stdio: ["pipe", "ignore", "pipe"],
      detached: true,
    });
    const startedMs = performance.now();
    this.#child = child;
    this.#starts++;
    this.#said = "";
    child.stdin.on("error", () => {});
    child.stdin.write(`${JSON.stringify(options)}\n`);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-leaderLimits.saidCharactersMax);
    });
    child.once("close", (code, signal) => {
      this.#child = undefined;
      if (this.#stopping || this.#address === undefined) return;
      const how =
        signal === null ? `ended with code ${code}: ${this.#lastWords()}` : `was killed (${signal})`;
      tell(signal === null ? "error" : "warn", `${how}; it is started again`);
      this.#timer = setTimeout(() => this.#spawn(), this.#backoff.waitMs(performance.now() - startedMs));
    });
    return child;
  }

  /** The status of the leader with this pid; undefined while it does not answer. */
  async #statusOf(pid: number): Promise<Status | undefined> {
    try {
      const path = join(this.#of.stateFolder, "leader.json");
      const file = JSON.parse(readFileSync(path, "utf8")) as LeaderFile;
      if (file.pid !== pid) return undefined;
      const response = await fetch(`${file.url}/api/status`, { signal: AbortSignal.timeout(2000) });
      return response.ok ? ((await response.json()) as Status) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The last line that it wrote to its standard error. */
  #lastWords(): string {
    return this.#said.trim().split("\n").at(-1) || "The leader ended without a word.";
  }
}

const leaderMain = fileURLToPath(new URL("../leader/main.ts", import.meta.url));
