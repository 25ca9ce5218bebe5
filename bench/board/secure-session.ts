/** What a board needs for a secure session, to be measured: preloaded, like the core. */
export { decodeCbor } from "../../protocols/cbor/decode.ts";
export { CborEncoder } from "../../protocols/cbor/encode.ts";
export { Initiator } from "../../protocols/security/edhoc/initiator.ts";
export { RecordChannel } from "../../protocols/security/record/channel.ts";
export { recordAad } from "../../protocols/security/record/context.ts";
