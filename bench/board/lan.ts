/** What a board needs to speak to other boards, to be measured: preloaded, like the core. */
export { BoardLog } from "../../firmware/board/board-log.ts";
export { Trust } from "../../firmware/board/trust.ts";
export { Lan } from "../../firmware/lan/lan.ts";
export { decodeCbor } from "../../protocols/cbor/decode.ts";
export { CborEncoder } from "../../protocols/cbor/encode.ts";
