/** The registers' core, to be measured on the chip's instruction set. */
export { decodeCbor } from "../../protocols/cbor/decode.ts";
export { CborEncoder } from "../../protocols/cbor/encode.ts";
export { Member } from "../../protocols/paxos/member.ts";
export { paxosMessageFromWire, paxosMessageToWire } from "../../protocols/paxos/messages.ts";
