/** What a board needs for a secure session, to be measured: preloaded, like the core. */
export { decodeCbor } from "../../protocols/cbor/decode.ts";
export { CborEncoder } from "../../protocols/cbor/encode.ts";
export { GroupReceiver } from "../../protocols/security/group/group-records.ts";
export { senderKeyFromWire } from "../../protocols/security/group/sender-key.ts";
export { readStoredIdentity } from "../../protocols/security/identity/identity.ts";
export { Roster } from "../../protocols/security/identity/roster.ts";
export { SessionInitiator } from "../../protocols/security/session/initiator.ts";
