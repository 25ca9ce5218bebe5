/**
 * Keeps one host running, in a process of its own: started again on the same ports when it dies, however it dies.
 *
 * Its standard input is a pipe from here, so that it ends when this process is gone, however that went.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ReadyLine } from "../leader/main.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { Backoff } from "./backoff.ts";
import { SimulationError } from "./simulation-error.ts";

const hostLimits = Object.freeze({
  /** Until it serves, or is taken for stuck. */
  startMs: 30_000,
  /** From the polite request to end until the plug is pulled. */
  stopMs: 5000,
});
const backoffLimits = Object.freeze({ firstMs: 100, maxMs: 5000, wellAfterMs: 10_000 });

export interface SupervisedHost {
  /** In `swarm.ts`. */
  readonly name: string;
  readonly definition: SwarmDefinition;
  /** `.covey/<swarm>`, absolute. */
  readonly stateFolder: string;
  /** With its identity. */
  readonly memberFile: string;
  /** 0 for any free one. */
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly peerPort: number;
  /** Where other hosts listen for this one, as far as they are known: `a=127.0.0.1:7900,b=...`. Asked at each start. */
  readonly peers: () => string;
  /** It tells boards by mDNS where it is. */
  readonly mdns: boolean;
  readonly tell: (level: "info" | "warn" | "error", text: string) => void;
}

/** Where a host that is up answers. */
export interface HostAddresses {
  readonly url: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly peerPort: number;
}

/** A host could not be started for the first time; the message is what it said. */
export class HostStartError extends SimulationError {}

export class HostSupervisor {
  readonly #of: SupervisedHost;
  readonly #backoff = new Backoff(backoffLimits);
  #address: HostAddresses | undefined;
  #child: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastWords = "";
  #starts = 0;
  #stopping = false;

  constructor(of: SupervisedHost) {
    this.#of = of;
  }

  get name(): string {
    return this.#of.name;
  }

  /** Where it answers, now or when it is up again; undefined before its first start. */
  get address(): HostAddresses | undefined {
    return this.#address;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it came back by itself. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** Resolves once the host serves. @throws {HostStartError} */
  async start(): Promise<HostAddresses> {
    writeFileSync(this.#definitionFile, JSON.stringify(this.#of.definition));
    const ready = await this.#spawn();
    this.#address = {
      url: `http://127.0.0.1:${ready.httpPort}`,
      httpPort: ready.httpPort,
      mqttPort: ready.mqttPort,
      peerPort: ready.peerPort,
    };
    return this.#address;
  }

  /** Ends it in good order; resolves when its process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    const plug = setTimeout(() => child.kill("SIGKILL"), hostLimits.stopMs);
    await gone;
    clearTimeout(plug);
  }

  get #definitionFile(): string {
    return join(this.#of.stateFolder, "definition.json");
  }

  /** Resolves with its first word that it serves. */
  #spawn(): Promise<ReadyLine> {
    const { name, stateFolder, memberFile, peers } = this.#of;
    const words = [
      ...["--definition", this.#definitionFile, "--state", stateFolder, "--name", name],
      ...["--member", memberFile],
      ...["--http-port", String(this.#address?.httpPort ?? this.#of.httpPort)],
      ...["--mqtt-port", String(this.#address?.mqttPort ?? this.#of.mqttPort)],
      ...["--peer-port", String(this.#address?.peerPort ?? this.#of.peerPort), "--peers", peers()],
      ...(this.#of.mdns ? ["--mdns-interface", "127.0.0.1"] : []),
      ...["--log-level", "warn", "--parent"],
    ];
    // A group of its own: Ctrl-C at the terminal is for this process, which then stops everything in order.
    const child = spawn(process.execPath, [hostMain, ...words], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    this.#starts++;
    this.#lastWords = "it ended without a word";
    child.stdin.on("error", () => {});
    createInterface(child.stderr).on("line", (line) => this.#heard(line));
    return new Promise((resolve, reject) => {
      const stuck = setTimeout(() => child.kill("SIGKILL"), hostLimits.startMs);
      const startedMs = performance.now();
      createInterface(child.stdout).once("line", (line) => {
        clearTimeout(stuck);
        resolve(JSON.parse(line) as ReadyLine);
      });
      child.once("error", (error) =>
        reject(new HostStartError(`A host cannot be started: ${error.message}.`)),
      );
      child.once("close", (code, signal) => {
        clearTimeout(stuck);
        this.#child = undefined;
        reject(new HostStartError(this.#lastWords));
        this.#afterEnd(code, signal, performance.now() - startedMs);
      });
    });
  }

  #afterEnd(code: number | null, signal: NodeJS.Signals | null, ranMs: number): void {
    if (this.#stopping || this.#address === undefined) return;
    const how = signal === null ? `ended with code ${code} (${this.#lastWords})` : `was killed (${signal})`;
    this.#of.tell(signal === null ? "error" : "warn", `${how}; it is started again`);
    this.#timer = setTimeout(() => {
      this.#spawn().catch(() => {});
    }, this.#backoff.waitMs(ranMs));
  }

  /** Log lines are `TIME level event facts`; anything else is what it said before it ended, an error's stack perhaps. */
  #heard(line: string): void {
    if (/^\w/.test(line) && !line.startsWith("Node.js v")) this.#lastWords = line;
    const [, level, text] = /^\d{4}-\S+ (warn|error)\s+(.*)$/.exec(line) ?? [];
    // Those that end after one another see each other go.
    if (level !== undefined && !this.#stopping) this.#of.tell(level as "warn" | "error", text!);
  }
}

const hostMain = fileURLToPath(new URL("../leader/main.ts", import.meta.url));
