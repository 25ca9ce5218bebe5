/** What `/api/login`, `/api/session` and `/api/audit` take and answer. */
import type { Scope } from "../../../../protocols/security/identity/scope.ts";

/** Answer of `GET /api/login`: what to sign, see `access/login-proof.ts`. */
export interface LoginChallenge {
  readonly swarm: string;
  /** The host that asks. */
  readonly host: string;
  /** 32 bytes as base64url, for one login within a minute. */
  readonly challenge: string;
}

/** Body of `POST /api/login`; bytes as base64url. */
export interface LoginRequest {
  /** As the swarm's root signed it. */
  readonly identity: string;
  readonly challenge: string;
  /** The address that the client uses, such as `https://a.example:7800`. */
  readonly origin: string;
  /** ES256, r and s. */
  readonly signature: string;
}

/** Who asks, as the host that was asked knows it. */
export interface LoggedIn {
  readonly name: string;
  readonly role: string;
  readonly scope: Scope;
  /** This host asks nobody to log in. */
  readonly isLocal: boolean;
  /** For `authorization: Bearer`; only in the answer to a login. */
  readonly token?: string;
}

/** Refusals of one kind, counted together. */
export interface AuditEntry {
  /** ISO 8601, UTC, of the last of them. */
  readonly time: string;
  /** A member, an operator, or an address. */
  readonly who: string;
  readonly what: string;
  readonly count: number;
}
