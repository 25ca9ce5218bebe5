/** Requests to hosts as somebody: logs in where a host wants to know who asks, and keeps its token for as long as this program runs. */
import { readFileSync } from "node:fs";
import { loginProof } from "../leader/access/login-proof.ts";
import type { LoggedIn, LoginChallenge, LoginRequest } from "../leader/api/types/access.ts";
import type { ApiError } from "../leader/api/types/error.ts";
import { type MemberSecrets, readMemberFile } from "../security/member-file.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";
import { type Fetch, type FetchOptions, fetchTrusting } from "../security/trusting-fetch.ts";
import { Failed, WrongInput } from "./failure.ts";

export interface LoginOptions {
  /** File of the identity. */
  readonly as?: string;
  /** File of the certificate authority. */
  readonly ca?: string;
  /** Its certificate, DER, where neither file brings one. */
  readonly authority?: Uint8Array;
}

export class HostLogin {
  readonly #member: MemberSecrets | undefined;
  readonly #fetch: Fetch;
  /** By origin. */
  readonly #tokens = new Map<string, string>();

  private constructor(member: MemberSecrets | undefined, authority: Uint8Array | string | undefined) {
    this.#member = member;
    this.#fetch = authority === undefined ? fetch : fetchTrusting(authority);
  }

  /** @throws {WrongInput} for a file that is not what it is to be. */
  static of({ as, ca, authority }: LoginOptions): HostLogin {
    try {
      const member = as === undefined ? undefined : readMemberFile(as);
      return new HostLogin(member, ca === undefined ? (member?.authority ?? authority) : readAuthority(ca));
    } catch (error) {
      throw new WrongInput((error as Error).message);
    }
  }

  /** As `fetch`. A host that asks who is there is told; rejects with `Failed` where it does not believe it. */
  async fetch(url: URL, options: FetchOptions): Promise<Response> {
    const response = await this.#ask(url, options);
    if (response.status !== 401 || this.#member === undefined) return response;
    await response.body?.cancel();
    this.#tokens.set(url.origin, await this.#logIn(url.origin, this.#member, options.signal));
    return this.#ask(url, options);
  }

  #ask(url: URL, options: FetchOptions): Promise<Response> {
    const token = this.#tokens.get(url.origin);
    if (token === undefined) return this.#fetch(url, options);
    return this.#fetch(url, {
      ...options,
      headers: { ...options.headers, authorization: `Bearer ${token}` },
    });
  }

  async #logIn(origin: string, member: MemberSecrets, signal: AbortSignal | null = null): Promise<string> {
    if (!isPrivate(origin)) {
      throw new WrongInput(
        `${origin} is not encrypted, and who logs in there gives the session away; use https.`,
      );
    }
    const url = new URL("/api/login", origin);
    const offer = await read<LoginChallenge>(await this.#fetch(url, { method: "GET", headers: {}, signal }));
    const { swarm, name } = member.identity;
    if (offer.swarm !== swarm) {
      throw new Failed(
        `${origin} is of the swarm ${offer.swarm}, and ${name}'s identity of ${swarm}.`,
        "not-logged-in",
      );
    }
    const signature = nodeCiphers.sign(member.privateKey, loginProof(offer, origin));
    const login: LoginRequest = {
      identity: base64url(member.signed),
      challenge: offer.challenge,
      origin,
      signature: base64url(signature),
    };
    const headers = { "content-type": "application/json" };
    const options = { method: "POST", headers, body: JSON.stringify(login), signal };
    return (await read<LoggedIn>(await this.#fetch(url, options))).token!;
  }
}

/** @throws {Failed} with what the host says. */
async function read<T>(response: Response): Promise<T> {
  const answer = (await response.json()) as T | { error: ApiError };
  if (response.ok) return answer as T;
  const { message, code } = (answer as { error: ApiError }).error;
  throw new Failed(message, code);
}

function isPrivate(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

function readAuthority(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new Error(`The authority ${path} can't be read.`);
  }
  if (text.includes("BEGIN CERTIFICATE")) return text;
  throw new Error(
    `${path} holds no certificate in PEM; covey keys show prints that of the swarm's authority.`,
  );
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
