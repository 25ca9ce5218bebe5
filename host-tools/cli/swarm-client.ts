/**
 * The running hosts of a swarm, as the other verbs reach them: found through their files in the state folder, spoken to over HTTP.
 *
 * Any host will do, because one that does not lead asks the one that does. When the host that was asked dies, the next
 * one is asked; what must not happen twice is repeated only where that is safe.
 */
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { ApiError } from "../leader/api/types/error.ts";
import { type HostFile, hostFolderPrefix, readHostFile } from "../leader/host-directory.ts";
import { Failed, WrongInput } from "./failure.ts";
import { HostLogin } from "./host-login.ts";

export interface SwarmOptions {
  readonly swarm?: string;
  readonly url?: string;
  readonly state: string;
  /** A person's identity: its file. */
  readonly as?: string;
  /** The swarm's certificate authority: its file, PEM. */
  readonly ca?: string;
  /** Its certificate, DER, where neither file brings one. */
  readonly authority?: Uint8Array;
}

/** For every verb that asks a running swarm. */
export function swarmOptions(): Option[] {
  return [
    new Option("--swarm <name>", "which swarm, where several run here"),
    new Option("--url <urls>", "the hosts' addresses, such as http://127.0.0.1:7800,http://127.0.0.1:7801"),
    new Option("--state <folder>", "where the swarms' state is kept").default(".covey"),
    new Option("--as <file>", "the identity to log in with, where a host wants to know who asks").env(
      "COVEY_AS",
    ),
    new Option(
      "--ca <file>",
      "the swarm's certificate authority (PEM), where the identity does not bring it",
    ),
  ];
}

export const clientLimits = {
  /** For one answer of one host, which itself waits for a majority. */
  answerMs: 12_000,
  /** For an image of firmware to arrive: as long as a host waits for it. */
  uploadMs: 30_000,
  /** For all attempts together; several elections fit. */
  attemptsMs: 20_000,
  /** Between one round of asking every host and the next. */
  pauseMs: 150,
} as const;

export interface Answer<T> {
  readonly value: T;
  /** An id for one command, which the answering host hands out; undefined from one that does not. */
  readonly commandId: string | undefined;
}

interface Request {
  readonly method: "GET" | "PUT" | "POST";
  readonly body?: unknown;
  readonly commandId?: string | undefined;
  /** Nothing happens twice when it is asked twice. */
  readonly isRepeatable: boolean;
}

export class SwarmClient {
  /** Where to look for hosts that came back elsewhere; undefined when the user named their addresses. */
  readonly #place: { readonly state: string; readonly swarm: string } | undefined;
  readonly #login: HostLogin;
  #urls: readonly string[];
  /** Which of them answered last. */
  #at = 0;
  /** The one to ask; undefined for any. */
  readonly #host: string | undefined;

  private constructor(
    place: { state: string; swarm: string } | undefined,
    urls: readonly string[],
    login: HostLogin,
    host?: string,
  ) {
    this.#host = host;
    this.#place = place;
    this.#login = login;
    this.#urls = urls;
  }

  /** The swarm that the options name, or the only one that runs from this folder. Throws `Failed` when none does. */
  static find(options: SwarmOptions): SwarmClient {
    const login = HostLogin.of(options);
    if (options.url !== undefined) {
      return new SwarmClient(
        undefined,
        options.url.split(",").map((text) => checkUrl(text.trim())),
        login,
      );
    }
    const hosts = hostsOf(options);
    const { swarm } = hosts[0]!;
    return new SwarmClient(
      { state: options.state, swarm },
      hosts.map(({ url }) => url),
      login,
    );
  }

  /** For what is asked of one host itself: the one of this name, or the only one. @throws {WrongInput} */
  only(host: string | undefined): SwarmClient {
    const hosts = this.#place === undefined ? [] : hostFiles(this.#place);
    const urls =
      hosts.length === 0
        ? this.#urls
        : hosts.filter((file) => host === undefined || file.host === host).map(({ url }) => url);
    const names = hosts.map((file) => file.host).join(" and ");
    if (urls.length === 0) throw new WrongInput(`The host ${host} does not run from here, only ${names}.`);
    if (urls.length > 1) {
      const how = hosts.length === 0 ? "name one address with --url" : `of ${names} choose one with --host`;
      throw new WrongInput(`This is asked of one host itself; ${how}.`);
    }
    return new SwarmClient(this.#place, urls, this.#login, host ?? hosts[0]?.host);
  }

  /** Of the host that answered last. */
  get url(): string {
    return this.#urls[this.#at]!;
  }

  /** The answer's JSON. Throws `Failed` when the swarm refuses or does not answer. */
  async get<T>(path: string): Promise<T> {
    return (await this.ask<T>(path)).value;
  }

  async ask<T>(path: string): Promise<Answer<T>> {
    const response = await this.#request(path, { method: "GET", isRepeatable: true });
    return {
      value: (await response.json()) as T,
      commandId: response.headers.get("idempotency-key") ?? undefined,
    };
  }

  /** A command with an id is carried out once, however often it has to be repeated. */
  async put<T>(path: string, body: unknown, commandId: string | undefined): Promise<T> {
    const isRepeatable = commandId !== undefined;
    const response = await this.#request(path, { method: "PUT", body, commandId, isRepeatable });
    return (await response.json()) as T;
  }

  /** Not repeated once a host may have heard it. */
  async post<T>(path: string, body: unknown): Promise<T> {
    const response = await this.#request(path, { method: "POST", body, isRepeatable: false });
    return (await response.json()) as T;
  }

  /** Bytes for one host itself, at this address. @throws {Failed} */
  async upload(
    origin: string,
    path: string,
    body: Uint8Array<ArrayBuffer>,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const signal = AbortSignal.timeout(clientLimits.uploadMs);
    try {
      // Logs in where it has to, so that nothing long is sent in vain.
      const who = await this.#login.fetch(new URL("/api/session", origin), {
        method: "GET",
        headers: {},
        signal,
      });
      await who.body?.cancel();
      const type = { "content-type": "application/octet-stream" };
      const options = { method: "PUT", headers: { ...type, ...headers }, body, signal };
      const response = await this.#login.fetch(new URL(path, origin), options);
      if (!response.ok) throw await refusal(response, origin);
      await response.body?.cancel();
    } catch (error) {
      if (error instanceof Failed || error instanceof WrongInput) throw error;
      throw unreachable(origin, error);
    }
  }

  /** The answer's text as it arrives; without a time limit, since it may be long. */
  async *stream(path: string): AsyncGenerator<string> {
    const response = await this.#request(path, { method: "GET", isRepeatable: true }, undefined);
    try {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) yield text;
    } catch (error) {
      throw unreachable(this.url, error);
    }
  }

  /** Asks one host after the other until one answers for good, or the time is over. */
  async #request(
    path: string,
    request: Request,
    answerMs: number | undefined = clientLimits.answerMs,
  ): Promise<Response> {
    const deadlineMs = performance.now() + clientLimits.attemptsMs;
    let last: Failed | undefined;
    let wasReached = false;
    for (;;) {
      for (let tried = 0; tried < this.#urls.length; tried++) {
        const outcome = await this.#attempt(path, request, answerMs);
        if (outcome instanceof Response) return outcome;
        if (!outcome.mayRepeat) throw outcome.failure;
        // What a host says counts for more than that another one is gone.
        if (outcome.wasReached || !wasReached) last = outcome.failure;
        wasReached ||= outcome.wasReached;
        this.#at = (this.#at + 1) % this.#urls.length;
      }
      if (!wasReached || performance.now() >= deadlineMs) throw last!;
      await sleep(clientLimits.pauseMs);
      this.#lookAgain();
    }
  }

  async #attempt(
    path: string,
    { method, body, commandId, isRepeatable }: Request,
    answerMs: number | undefined,
  ): Promise<Response | FailedAttempt> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (commandId !== undefined) headers["idempotency-key"] = commandId;
    const signal = answerMs === undefined ? null : AbortSignal.timeout(answerMs);
    try {
      const options = {
        method,
        headers,
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      };
      const response = await this.#login.fetch(new URL(path, this.url), options);
      if (response.ok) return response;
      const failure = await refusal(response, this.url);
      const isElsewhere = failure.code === "not-leader" || (failure.code === "timeout" && isRepeatable);
      return { failure, mayRepeat: isElsewhere, wasReached: true };
    } catch (error) {
      if (error instanceof Failed || error instanceof WrongInput) throw error;
      const failure = unreachable(this.url, error);
      const isRefused = (error as { cause?: { code?: string } }).cause?.code === "ECONNREFUSED";
      // A connection that never came about carried nothing; one without the right certificate won't have it the next time.
      const mayRepeat = failure.code !== "bad-certificate" && (isRepeatable || isRefused);
      return { failure, mayRepeat, wasReached: !isRefused };
    }
  }

  /** Hosts come and go while one waits; one that came back may have another address. */
  #lookAgain(): void {
    if (this.#place === undefined) return;
    const files = hostFiles(this.#place).filter(
      ({ host }) => this.#host === undefined || host === this.#host,
    );
    const urls = files.map(({ url }) => url);
    if (urls.length === 0) return;
    this.#urls = urls;
    this.#at = 0;
  }
}

/** An id for one command that no host handed out: `after` is a log index that the client was told. */
export function newCommandId(after: number): string {
  return `${after}-${randomBytes(8).toString("hex")}`;
}

/** `?from=1&limit=20`, without what is undefined. */
export function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === "" ? "" : `?${text}`;
}

interface FailedAttempt {
  readonly failure: Failed;
  readonly mayRepeat: boolean;
  /** A host was there and said something, or died over it. */
  readonly wasReached: boolean;
}

/** The living hosts of one swarm; at least one. */
function hostsOf(options: SwarmOptions): HostFile[] {
  const living = hostFiles({ state: options.state, swarm: undefined });
  const fitting = living.filter(({ swarm }) => options.swarm === undefined || swarm === options.swarm);
  const names = [...new Set(fitting.map(({ swarm }) => swarm))];
  if (names.length > 1) {
    throw new WrongInput(`${names.join(" and ")} both run here; choose one with --swarm NAME.`);
  }
  if (fitting.length === 0) throw noHost(options, living);
  return fitting;
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.origin;
  throw new WrongInput(`${text} is no address of a host; write it as http://127.0.0.1:7800.`);
}

/** Those whose process lives, by name. */
function hostFiles({ state, swarm }: { state: string; swarm?: string | undefined }): HostFile[] {
  const files: HostFile[] = [];
  for (const name of readFolder(state)) {
    for (const folder of readFolder(join(state, name))) {
      if (!folder.startsWith(hostFolderPrefix)) continue;
      const file = readHostFile(join(state, name, folder));
      if (file !== undefined && isAlive(file.pid)) files.push(file);
    }
  }
  const fitting = files.filter((file) => swarm === undefined || file.swarm === swarm);
  return fitting.sort((a, b) => (a.host < b.host ? -1 : 1));
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

function noHost({ swarm, state }: SwarmOptions, living: readonly HostFile[]): Failed {
  const start = "start one with covey sim or covey lead";
  if (swarm !== undefined && living.length > 0) {
    const names = [...new Set(living.map((file) => file.swarm))].join(" and ");
    return new Failed(
      `No host of ${swarm} runs from ${resolve(state)}, only of ${names}; ${start}.`,
      "no-leader",
    );
  }
  return new Failed(
    `No swarm runs from ${resolve(state)}; ${start}, or name its hosts with --url.`,
    "no-leader",
  );
}

/** Why a request got no answer; `fetch` hides the reason in the cause. */
function unreachable(url: string, error: unknown): Failed {
  const { name, cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === "TimeoutError") {
    const seconds = clientLimits.answerMs / 1000;
    return new Failed(
      `The host at ${url} did not answer within ${seconds} s; see whether it still runs.`,
      "timeout",
    );
  }
  const why = cause?.code ?? cause?.message ?? message;
  if (isNoTls(cause?.code)) {
    return new Failed(
      `${url} does not speak HTTPS (${why}); write http:// in its address.`,
      "bad-certificate",
    );
  }
  if (isAboutCertificate(cause?.code)) {
    return new Failed(
      `The certificate of ${url} does not prove that it is a host of this swarm (${why}); use an address that the certificate names, and --as or --ca with the swarm's authority.`,
      "bad-certificate",
    );
  }
  return new Failed(
    `The host at ${url} cannot be reached (${why}); see whether it still runs.`,
    "unreachable",
  );
}

/** Whatever answers there speaks no TLS. */
function isNoTls(code = ""): boolean {
  return code.startsWith("ERR_SSL") || code === "EPROTO";
}

/** Of OpenSSL's verification, and of the comparison of names after it. */
function isAboutCertificate(code = ""): boolean {
  return code.includes("CERT") || code.startsWith("UNABLE_TO_VERIFY");
}

/** What the user asked for and cannot have is wrong input; what the swarm could not do is a failure. */
async function refusal(response: Response, url: string): Promise<Failed> {
  try {
    const { error } = (await response.json()) as { error: ApiError };
    return new Failed(error.message, error.code, inputCodes.has(error.code) ? 2 : 1);
  } catch {
    return new Failed(
      `${url} answered ${response.status} and is no host of a Covey swarm; check --url.`,
      "unreachable",
    );
  }
}

const inputCodes: ReadonlySet<string> = new Set(["bad-request", "not-found", "out-of-limits"]);
