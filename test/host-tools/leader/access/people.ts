/** People with identities of the swarm under test, and how they log in at a host. */
import { request as httpRequest } from "node:http";
import { loginProof } from "../../../../host-tools/leader/access/login-proof.ts";
import type {
  LoggedIn,
  LoginChallenge,
  LoginRequest,
} from "../../../../host-tools/leader/api/types/access.ts";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import type { IdentityRole } from "../../../../protocols/security/identity/identity.ts";
import type { Scope } from "../../../../protocols/security/identity/scope.ts";
import { rootOf } from "../test-swarm.ts";

export const json = { "content-type": "application/json" };

export function person(role: IdentityRole, name: string, scope?: Scope): MemberSecrets {
  return rootOf("greenhouse").issue(role, name, scope);
}

export async function challengeOf(url: string): Promise<LoginChallenge> {
  return (await fetch(`${url}/api/login`)).json() as Promise<LoginChallenge>;
}

/** The body of a login; what is not said is as it ought to be. */
export function proofOf(
  member: MemberSecrets,
  offer: LoginChallenge,
  origin: string,
  said: Partial<LoginRequest> = {},
): LoginRequest {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const signature = nodeCiphers.sign(member.privateKey, loginProof(offer, origin));
  const { challenge } = offer;
  return { identity: text(member.signed), challenge, origin, signature: text(signature), ...said };
}

export interface LoginAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: LoggedIn & { error?: { code: string; message: string } };
}

export async function postLogin(url: string, login: object): Promise<LoginAnswer> {
  const init = { method: "POST", headers: json, body: JSON.stringify(login) };
  const response = await fetch(`${url}/api/login`, init);
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as LoginAnswer["body"],
  };
}

/** The token of a new session. */
export async function logIn(url: string, member: MemberSecrets): Promise<string> {
  const { body } = await postLogin(url, proofOf(member, await challengeOf(url), url));
  if (body.token === undefined)
    throw new Error(`${member.identity.name} can't log in: ${body.error?.message}`);
  return body.token;
}

export interface Answer {
  readonly status: number;
  readonly body: { error?: { code: string; message: string } };
}

/** A request with this session. */
export async function askAs(
  url: string,
  token: string | undefined,
  path: string,
  init: RequestInit = {},
): Promise<Answer> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const headers = { ...json, ...authorization, ...(init.headers as Record<string, string>) };
  const response = await fetch(url + path, { ...init, headers });
  const text = await response.text();
  return {
    status: response.status,
    body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : {},
  };
}

/** With headers that `fetch` does not let one choose; gives the status. */
export function rawRequest(
  url: string,
  path: string,
  headers: Record<string, string>,
  { method = "GET", body = "" }: { method?: string; body?: string } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(url + path, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on("error", reject)
      .end(body);
  });
}
