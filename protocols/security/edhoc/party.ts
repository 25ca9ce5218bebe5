/** What either side of a handshake is given. */
import type { Ciphers, KeyPair } from "../ciphers.ts";
import type { Credential } from "./credential.ts";

export interface Party {
  readonly ciphers: Ciphers;
  /** Who this is; its private key belongs to `credential.publicKey`. */
  readonly credential: Credential;
  readonly privateKey: Uint8Array;
  /** The credential that an ID_CRED_x speaks of, which is valid during the call only; undefined for nobody who is welcome. */
  find(id: Uint8Array): Credential | undefined;
  /** How this side calls the connection: 1 to 8 bytes of its choice. */
  readonly connectionId: Uint8Array;
  /** Numbers of the suites that this side speaks, best first; all that Covey has when not said. */
  readonly suites?: readonly number[];
  /** A fresh key pair, unless one is given: only ever for the traces of RFC 9529. */
  readonly ephemeral?: KeyPair;
}
