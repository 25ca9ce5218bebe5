/**
 * Who is logged in at this host: by token, in RAM alone, so that a restart ends every session.
 *
 * A token is looked up by its SHA-256: what a lookup's time may tell is something about a hash that nobody can steer towards another one. And what is
 * kept opens nothing for whoever reads it.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Known, Roster } from "../../../protocols/security/identity/roster.ts";
import type { Actor } from "./actor.ts";

export const sessionLimits = {
  ageMaxMs: 12 * 3_600_000,
  /** Of one identity; the oldest ends when another one opens. */
  ofOneMax: 16,
  /** Of all together. */
  allMax: 512,
} as const;

/** As much of the roster as it takes to know who is who, and who still belongs. */
export type People = Pick<Roster, "admit" | "belongs">;

export class LoginSessions {
  readonly #people: People;
  readonly #now: () => number;
  /** By the hash of the token; the oldest first. */
  readonly #sessions = new Map<string, Session>();

  /** @param now milliseconds that never go back. */
  constructor(people: People, now: () => number) {
    this.#people = people;
    this.#now = now;
  }

  /** The new session's token: 32 random bytes as base64url. */
  open(known: Known): string {
    this.#makeRoom(kidText(known));
    const token = randomBytes(32).toString("base64url");
    const { name, role, scope } = known.identity;
    const endMs = this.#now() + sessionLimits.ageMaxMs;
    this.#sessions.set(hashOf(token), { known, actor: { name, role, scope }, endMs });
    return token;
  }

  /** Whose token it is; undefined for nobody's, and for one that ended: by its age, or because the root revoked the identity. */
  find(token: string): Actor | undefined {
    const hash = hashOf(token);
    const session = this.#sessions.get(hash);
    if (session === undefined) return undefined;
    if (this.#isOver(session)) {
      this.#sessions.delete(hash);
      return undefined;
    }
    return session.actor;
  }

  close(token: string): void {
    this.#sessions.delete(hashOf(token));
  }

  #makeRoom(kid: string): void {
    for (const [hash, session] of this.#sessions) if (this.#isOver(session)) this.#sessions.delete(hash);
    const own = [...this.#sessions].filter(([, { known }]) => kidText(known) === kid);
    const [oldest] = own.length >= sessionLimits.ofOneMax ? own[0]! : [];
    if (oldest !== undefined) this.#sessions.delete(oldest);
    else if (this.#sessions.size >= sessionLimits.allMax) {
      this.#sessions.delete(this.#sessions.keys().next().value!);
    }
  }

  #isOver({ known, endMs }: Session): boolean {
    return this.#now() >= endMs || !this.#people.belongs(known);
  }
}

interface Session {
  readonly known: Known;
  readonly actor: Actor;
  readonly endMs: number;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}

function kidText({ kid }: Known): string {
  return Buffer.from(kid).toString("hex");
}
