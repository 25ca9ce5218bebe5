import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";

/** Body of `POST /api/tasks/NAME/hold`, to the very host for which the process stands ready. */
export interface HoldRequest {
  /** Made up by the process, once: 8 to 64 characters. */
  readonly process: string;
  /** Grows with each question, so that a late one is known as such. */
  readonly number: number;
  /** It carries out the role, or has been told to stop and has not yet. */
  readonly isRunning: boolean;
  /** It stands ready no more. */
  readonly isLeaving: boolean;
}

/** @throws {ApiFailure} */
export function readHoldRequest(text: string): HoldRequest {
  const example = '{"process": "f3a1...", "number": 1, "isRunning": false, "isLeaving": false}';
  const { process, number, isRunning, isLeaving } = parseObject(text, example);
  const isSound =
    typeof process === "string" &&
    process.length >= 8 &&
    process.length <= 64 &&
    Number.isSafeInteger(number) &&
    typeof isRunning === "boolean" &&
    typeof isLeaving === "boolean";
  if (!isSound) throw new ApiFailure("bad-request", `That asks for no role; send for example ${example}.`);
  return { process, number: number as number, isRunning, isLeaving };
}
