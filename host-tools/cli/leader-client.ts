/** The running leader, as the other verbs reach it: found through its file in the state folder, spoken to over HTTP. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Option } from "commander";
import type { ApiError, LeaderFile } from "../leader/api-types.ts";
import { Failed, WrongInput } from "./failure.ts";

export interface LeaderOptions {
  readonly swarm?: string;
  readonly url?: string;
  readonly state: string;
}

/** For every verb that asks the running leader. */
export function leaderOptions(): Option[] {
  return [
    new Option("--swarm <name>", "which swarm, where several run here"),
    new Option("--url <url>", "the leader's address, such as http://127.0.0.1:7800"),
    new Option("--state <folder>", "where the swarms' state is kept").default(".covey"),
  ];
}

const answerTimeoutMs = 15_000;

export class LeaderClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** The leader that the options name, or the only one that runs from this folder. Throws `Failed` when none does. */
  static find(options: LeaderOptions): LeaderClient {
    if (options.url !== undefined) return new LeaderClient(checkUrl(options.url));
    const living = leaderFiles(options.state).filter(({ pid }) => isAlive(pid));
    const fitting = living.filter(({ swarm }) => options.swarm === undefined || swarm === options.swarm);
    if (fitting.length > 1) {
      const names = fitting.map(({ swarm }) => swarm).join(" and ");
      throw new WrongInput(`${names} both run here; choose one with --swarm NAME.`);
    }
    if (fitting[0] === undefined) throw noLeader(options, living);
    return new LeaderClient(fitting[0].url);
  }

  /** The answer's JSON. Throws `Failed` when the leader refuses or does not answer. */
  async get<T>(path: string): Promise<T> {
    const response = await this.#fetch(path, {});
    return (await response.json()) as T;
  }

  async put<T>(path: string, body: unknown): Promise<T> {
    const headers = { "content-type": "application/json" };
    const response = await this.#fetch(path, { method: "PUT", headers, body: JSON.stringify(body) });
    return (await response.json()) as T;
  }

  /** The answer's text as it arrives; without a time limit, since it may be long. */
  async *stream(path: string): AsyncGenerator<string> {
    const response = await this.#fetch(path, {}, undefined);
    try {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) yield text;
    } catch (error) {
      throw unreachable(this.url, error);
    }
  }

  async #fetch(
    path: string,
    init: RequestInit,
    timeoutMs: number | undefined = answerTimeoutMs,
  ): Promise<Response> {
    let response: Response;
    try {
      const signal = timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs);
      response = await fetch(new URL(path, this.url), { ...init, signal });
    } catch (error) {
      throw unreachable(this.url, error);
    }
    if (!response.ok) throw await refusal(response, this.url);
    return response;
  }
}

/** `?from=1&limit=20`, without what is undefined. */
export function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === "" ? "" : `?${text}`;
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.origin;
  throw new WrongInput(`${text} is no address of a leader; write it as http://127.0.0.1:7800.`);
}

function leaderFiles(stateFolder: string): LeaderFile[] {
  const files: LeaderFile[] = [];
  for (const name of readFolder(stateFolder)) {
    try {
      files.push(JSON.parse(readFileSync(join(stateFolder, name, "leader.json"), "utf8")) as LeaderFile);
    } catch {
      // No leader runs there: it writes the file whole and takes it away when it stops.
    }
  }
  return files;
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process lives too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function noLeader({ swarm, state }: LeaderOptions, living: readonly LeaderFile[]): Failed {
  const start = "start one with covey sim or covey lead";
  if (swarm !== undefined && living.length > 0) {
    const names = living.map((file) => file.swarm).join(" and ");
    return new Failed(
      `No leader of ${swarm} runs from ${resolve(state)}, only one of ${names}; ${start}.`,
      "no-leader",
    );
  }
  return new Failed(`No leader runs from ${resolve(state)}; ${start}, or name one with --url.`, "no-leader");
}

/** Why a request got no answer; `fetch` hides the reason in the cause. */
function unreachable(url: string, error: unknown): Failed {
  const { name, cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === "TimeoutError") {
    const seconds = answerTimeoutMs / 1000;
    return new Failed(
      `The leader at ${url} did not answer within ${seconds} s; see whether it still runs.`,
      "timeout",
    );
  }
  const why = cause?.code ?? cause?.message ?? message;
  return new Failed(
    `The leader at ${url} cannot be reached (${why}); see whether it still runs.`,
    "unreachable",
  );
}

/** What the user asked for and cannot have is wrong input; what the leader could not do is a failure. */
async function refusal(response: Response, url: string): Promise<Failed> {
  try {
    const { error } = (await response.json()) as { error: ApiError };
    const isInput = ["bad-request", "not-found", "out-of-limits"].includes(error.code);
    return new Failed(error.message, error.code, isInput ? 2 : 1);
  } catch {
    return new Failed(
      `${url} answered ${response.status} and is no leader of Covey; check --url.`,
      "unreachable",
    );
  }
}
