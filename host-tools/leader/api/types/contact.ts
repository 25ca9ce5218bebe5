/** What `/api/contact` answers. */
import type { RootOfSwarm } from "./root.ts";

/** How boards are to reach their hosts, as far as everybody may know. */
export interface ContactStatus {
  /** Grows with each one that is agreed on. */
  readonly number: number;
  /** Log index of the entry that says so. */
  readonly index: number;
}

/** Answer of `GET /api/contact`: number and index are 0 while none was ever agreed on. */
export interface AgreedContact extends ContactStatus, RootOfSwarm {
  /** For whoever has the root's keys; base64url. */
  readonly sealed: string | undefined;
}
