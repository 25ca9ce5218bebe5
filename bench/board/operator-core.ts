/** The core that the operators are measured in. */
export { filterFor } from "../../firmware/sensing/stages/filter.ts";
export { decodeCbor } from "../../protocols/cbor/decode.ts";
export { stageFromWire } from "../../protocols/pipeline/stage-codec.ts";
