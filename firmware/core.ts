/**
 * The core: everything of the firmware that knows no platform, preloaded into flash. A platform's `main.ts` imports it,
 * makes its ports and starts a `Board` on them.
 */
export { decodeCbor } from "../protocols/cbor/decode.ts";
export { CborEncoder } from "../protocols/cbor/encode.ts";
export { contactInUse } from "../protocols/provisioning/contact-use.ts";
export { storedKeys, storedNamespace } from "../protocols/provisioning/stored.ts";
export { IdentityError, readStoredIdentity } from "../protocols/security/identity/identity.ts";
export { daysFromCivil } from "../protocols/time/civil.ts";
export type { Board } from "./board/board.ts";
export { bootBoard } from "./board/boot.ts";
export { TimerQueue } from "./platform/timer-queue.ts";
export { firmwareVersion } from "./version.ts";
