/** The board's own codecs, to be measured beside the libraries. */
export { decodeCbor } from "../../protocols/cbor/decode.ts";
export { CborEncoder } from "../../protocols/cbor/encode.ts";
export { PacketReader } from "../../protocols/mqtt/packet-reader.ts";
export { PacketType, PacketWriter, publishPayloadStart, publishTopic } from "../../protocols/mqtt/packets.ts";
