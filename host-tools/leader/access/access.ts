/**
 * Who asks: decided once for each request, before anything else is. Somebody with a session's token is whoever opened it; a request that another host
 * sent on is of whom that host vouches for; and where nobody need log in, whoever reaches the port is this computer's admin.
 *
 * A session is opened by proof of possession: the client signs a challenge with the key of an identity that the root signed. No password, nothing that a
 * host could hand on to another one.
 */
import type { IncomingMessage } from "node:http";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import {
  type IdentityRole,
  identityLimits,
  readStoredIdentity,
} from "../../../protocols/security/identity/identity.ts";
import type { Known } from "../../../protocols/security/identity/roster.ts";
import { ApiFailure, TooManyAttempts } from "../api/api-failure.ts";
import type { LoggedIn, LoginChallenge, LoginRequest } from "../api/types/access.ts";
import type { Audit } from "../audit.ts";
import { type ForwardedRequest, forwardedHeader } from "../hosts/vouching.ts";
import { type Actor, localAdmin } from "./actor.ts";
import { LoginChallenges } from "./login-challenges.ts";
import { LoginGate } from "./login-gate.ts";
import { loginProof } from "./login-proof.ts";
import { LoginSessions, type People, sessionLimits } from "./login-sessions.ts";
import type { Reach } from "./reach.ts";

export interface AccessOptions {
  readonly swarm: string;
  readonly hostName: string;
  readonly reach: Reach;
  readonly people: People;
  readonly ciphers: Pick<Ciphers, "verify">;
  readonly audit: Audit;
  /** Whom another host vouches for in the header that it sends; undefined when it can't be believed. */
  vouched(header: string, request: ForwardedRequest): Actor | undefined;
  /** Milliseconds that never go back. */
  now(): number;
}

export interface Caller {
  readonly actor: Actor;
  /** Another host asks on its behalf. */
  readonly isForwarded: boolean;
}

export interface OpenedSession {
  readonly answer: LoggedIn;
  /** The header `set-cookie`. */
  readonly cookie: string;
}

/** Who may log in; members speak another protocol. */
const personRoles: ReadonlySet<IdentityRole> = new Set(["viewer", "operator", "admin"]);

export class Access {
  readonly #options: AccessOptions;
  readonly #challenges: LoginChallenges;
  readonly #gate: LoginGate;
  readonly #sessions: LoginSessions;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#challenges = new LoginChallenges(options.now);
    this.#gate = new LoginGate(options.now);
    this.#sessions = new LoginSessions(options.people, options.now);
  }

  /**
   * @param readBody of a request that a host sent on, which vouches for it as well.
   * @throws {ApiFailure} when it can't be said who asks.
   */
  async identify(request: IncomingMessage, readBody: () => Promise<string>): Promise<Caller> {
    const header = request.headers[forwardedHeader]?.toString();
    if (header === undefined) return { actor: this.#visitor(request), isForwarded: false };
    const { method = "", url: target = "" } = request;
    const actor = this.#options.vouched(header, { method, target, body: await readBody() });
    if (actor === undefined) throw notLoggedIn("No host of this swarm vouches for this request");
    return { actor, isForwarded: true };
  }

  /** Who asks here and not through another host. @throws {ApiFailure} */
  #visitor(request: IncomingMessage): Actor {
    const token = this.#tokenOf(request);
    const found = token === undefined ? undefined : this.#sessions.find(token);
    const actor = found ?? (this.#options.reach.mustLogIn ? undefined : localAdmin);
    if (actor !== undefined) return actor;
    throw notLoggedIn(token === undefined ? "This host wants to know who asks" : "This session has ended");
  }

  /** Whether that request's caller would still be the same one; another host looks after its own. */
  isStill({ actor, isForwarded }: Caller, request: IncomingMessage): boolean {
    if (isForwarded) return true;
    const token = this.#tokenOf(request);
    const found = token === undefined ? undefined : this.#sessions.find(token);
    return actor === (found ?? localAdmin);
  }

  /** Who asks, for itself to see. @throws {ApiFailure} */
  describe(request: IncomingMessage): LoggedIn {
    const actor = this.#visitor(request);
    return { ...actor, isLocal: actor === localAdmin };
  }

  challenge(): LoginChallenge {
    const { swarm, hostName } = this.#options;
    return { swarm, host: hostName, challenge: this.#challenges.make() };
  }

  /** @param body of the request, unchecked. @throws {ApiFailure} */
  login(body: Readonly<Record<string, unknown>>, request: IncomingMessage): OpenedSession {
    // First: what is no login at all is no attempt, of which there are only so many for all.
    const login = readLogin(body);
    const address = request.socket.remoteAddress ?? "";
    const waitMs = this.#gate.waitMs(address);
    if (waitMs > 0) throw new TooManyAttempts(waitMs);
    const known = this.#proven(login, address);
    this.#gate.succeeded(address);
    this.#challenges.use(login.challenge);
    const token = this.#sessions.open(known);
    const { name, role, scope } = known.identity;
    const seconds = sessionLimits.ageMaxMs / 1_000;
    return {
      answer: { name, role, scope, isLocal: false, token },
      cookie: this.#cookie(request, token, seconds),
    };
  }

  /** Ends the session of this request, if it has one; gives the header `set-cookie` that makes a browser forget it. */
  logout(request: IncomingMessage): string {
    const token = this.#tokenOf(request);
    if (token !== undefined) this.#sessions.close(token);
    return this.#cookie(request, "", 0);
  }

  #proven(login: LoginRequest, address: string): Known {
    const { people, audit } = this.#options;
    if (!this.#challenges.isFresh(login.challenge)) {
      this.#gate.failed(address);
      throw new ApiFailure(
        "not-logged-in",
        "That challenge is used, older than a minute, or not of this host; try again.",
      );
    }
    const known = people.admit(bytesOf(login.identity));
    if (known !== undefined && this.#isSigned(login, known)) return known;
    this.#gate.failed(address);
    audit.refused(address, known === undefined ? "log in" : `log in as ${known.identity.name}`);
    throw new ApiFailure(
      "not-logged-in",
      "That proves nothing here: the identity is of another swarm, revoked or no person's, or it was signed with another key or for another address.",
    );
  }

  #isSigned(login: LoginRequest, { identity, signed }: Known): boolean {
    const { ciphers, reach } = this.#options;
    if (!personRoles.has(identity.role) || !reach.isOwnOrigin(login.origin)) return false;
    const { swarm, hostName: host } = this.#options;
    const proof = loginProof({ swarm, host, challenge: login.challenge }, login.origin);
    return ciphers.verify(readStoredIdentity(signed).publicKey, proof, bytesOf(login.signature));
  }

  #tokenOf({ headers }: IncomingMessage): string | undefined {
    const bearer = /^Bearer ([\w-]{1,100})$/i.exec(headers.authorization ?? "")?.[1];
    return bearer ?? cookieOf(headers.cookie ?? "", this.#cookieName(headers.host));
  }

  /** Browsers keep the cookies of all ports of a name together, and two hosts of a swarm may share one. */
  #cookieName(host: string | undefined): string {
    // A browser takes a cookie that is named so only over HTTPS, from this very name, for all of its paths.
    const prefix = this.#options.reach.isSecure(host) ? "__Host-" : "";
    return `${prefix}covey-${this.#options.swarm}-${this.#options.hostName}`;
  }

  #cookie({ headers }: IncomingMessage, token: string, seconds: number): string {
    const secure = this.#options.reach.isSecure(headers.host) ? "; Secure" : "";
    return `${this.#cookieName(headers.host)}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  }
}

function notLoggedIn(why: string): ApiFailure {
  return new ApiFailure("not-logged-in", `${why}; log in first, with covey's --as FILE or on the page.`);
}

/** Most characters of the fields, where no more than that can be right. */
const fieldLengthMax = {
  identity: Math.ceil((identityLimits.bytesMax * 4) / 3),
  challenge: 43,
  origin: 300,
  signature: 86,
} as const satisfies Record<keyof LoginRequest, number>;

function readLogin(body: Readonly<Record<string, unknown>>): LoginRequest {
  for (const [name, lengthMax] of Object.entries(fieldLengthMax)) {
    const value = body[name];
    if (typeof value !== "string" || value.length > lengthMax) {
      throw new ApiFailure(
        "bad-request",
        `A login takes ${name} as a text of at most ${lengthMax} characters.`,
      );
    }
  }
  return body as unknown as LoginRequest;
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

function cookieOf(header: string, name: string): string | undefined {
  for (const part of header.split(";")) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}
