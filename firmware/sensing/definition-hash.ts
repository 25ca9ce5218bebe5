import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { type ModelUse, modelUseToWire } from "../../protocols/pipeline/model-use.ts";
import type { Pipeline, Program, Proposal, Rule } from "../../protocols/pipeline/program.ts";
import { programToWire } from "../../protocols/pipeline/program-codec.ts";
import { crc32 } from "../storage/crc32.ts";

/**
 * CRC-32 of a definition as it travels: what a checkpoint says of whose state it holds. Two definitions of one program
 * that had the same by chance would be of the same shape or fail to be taken up; the chance is one in four thousand million.
 */
export function pipelineHash(pipeline: Pipeline): number {
  // How it reports and what it keeps for queries is no part of a checkpoint.
  return hashOf({
    pipelines: [{ ...pipeline, batch: undefined, keepMs: undefined }],
    outputs: [],
    rules: [],
  });
}

export function ruleHash(rule: Rule): number {
  return hashOf({ pipelines: [], outputs: [], rules: [rule] });
}

export function proposalHash(proposal: Proposal): number {
  return hashOf({ pipelines: [], outputs: [], rules: [], proposals: [proposal] });
}

export function modelHash(use: ModelUse): number {
  // What it is made of by name, which places in the program do not tell.
  const target = use.kind === "regression" ? use.target : null;
  const bytes = encodeCbor([modelUseToWire(use, []), use.features.join(), target]);
  return crc32(bytes, 0, bytes.length);
}

function hashOf(program: Program): number {
  const bytes = encodeCbor(programToWire(program));
  return crc32(bytes, 0, bytes.length);
}
