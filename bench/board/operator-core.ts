/** The core that the operators are measured in. */
export { BatchRun } from "../../firmware/sensing/batch-run.ts";
export { ModelRun } from "../../firmware/sensing/learning/model-run.ts";
export { filterFor } from "../../firmware/sensing/stages/filter.ts";
export { decodeCbor } from "../../protocols/cbor/decode.ts";
export { modelUseFromWire } from "../../protocols/pipeline/model-use.ts";
export { stageFromWire } from "../../protocols/pipeline/stage-codec.ts";
