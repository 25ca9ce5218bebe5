/** What a program takes in a committed entry. */
import type { Program } from "../../protocols/pipeline/program.ts";
import { programToWire } from "../../protocols/pipeline/program-codec.ts";
import { encodeCbor } from "../codec/cbor.ts";

export function programSizeBytes(program: Program): number {
  return encodeCbor(programToWire(program)).length;
}
