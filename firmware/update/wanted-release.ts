/**
 * Which release the agreed state says that a board is to run, and whether it may: the board's own key beats its kind's. Who could write the state, or
 * send an image, can't make a board run what the root has not signed for it, nor anything older than what has proved to work.
 */
import { isSameBytes } from "../../protocols/security/same-bytes.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import {
  boardReleaseKeyPrefix,
  digestBytes,
  type Release,
  readRelease,
  releaseKeyPrefix,
  releaseUnchecked,
} from "../../protocols/update/release.ts";
import type { BoardConfig, Ciphers } from "../platform/ports.ts";
import type { Failure, UpdateRecord } from "./update-record.ts";

export interface Wanted {
  /** undefined for what the root did not sign. */
  readonly release: Release | undefined;
  /** SHA-256 of the signed release: its signature need not be checked again. */
  readonly vouched: Uint8Array | undefined;
}

/** Whether this key of the agreed state says what the board is to run. */
export function isReleaseKey(key: string, { board, model }: BoardConfig): boolean {
  if (key.startsWith(boardReleaseKeyPrefix)) return key === boardReleaseKeyPrefix + board;
  return key.startsWith(releaseKeyPrefix) && key === releaseKeyPrefix + model;
}

/** What the state says; undefined for nothing. A signature that was checked is not checked again: that is dear on a chip. */
export function wantedRelease(
  ciphers: Ciphers,
  { board, model, credentials }: BoardConfig,
  get: (key: string) => StateValue | undefined,
  vouched: Uint8Array | undefined,
): Wanted | undefined {
  const value = get(boardReleaseKeyPrefix + board) ?? get(releaseKeyPrefix + model);
  if (value === undefined) return undefined;
  if (!(value instanceof Uint8Array)) return unsigned;
  const hash = ciphers.sha256(value);
  const isVouched = vouched !== undefined && isSameBytes(vouched, hash);
  const release = isVouched ? releaseUnchecked(value) : readRelease(ciphers, credentials.root, value);
  return release === undefined ? unsigned : { release, vouched: hash };
}

export interface Objection {
  readonly stage: "refused" | "rolled-back";
  /** Of at most `messageLimits.reasonBytesMax` bytes. */
  readonly reason: string;
}

/** Why a board that runs `runs` (0 for a firmware that came by cable) does not take a release; undefined when it does. */
export function objectionTo(
  release: Release,
  config: BoardConfig,
  slotBytes: number,
  record: UpdateRecord,
  runs: number,
): Objection | undefined {
  const { swarm, model, sequence, sizeBytes } = release;
  if (swarm !== config.swarm) return refused(`it is of the swarm ${swarm}`);
  if (model !== config.model) return refused(`it is for boards of the kind ${model}`);
  if (sizeBytes < digestBytes) return refused(`${sizeBytes} bytes are no image`);
  if (sizeBytes > slotBytes) return refused(`it has ${sizeBytes} bytes, and the slot ${slotBytes}`);
  const floor = record.proved?.sequence ?? 0;
  if (sequence < floor) return refused(`it is older than ${floor}, which has proved to work`);
  if (sequence === floor && runs !== floor)
    return refused("another firmware came by cable since it was taken");
  const failure = record.failed.find((each) => each.sequence === sequence);
  return failure && { stage: "rolled-back", reason: sentences[failure.why] };
}

/** Of at most `messageLimits.reasonBytesMax` bytes, as all of them. */
export const reasons = Object.freeze({
  unsigned: "the swarm's root has not signed it",
  flash: "the board's flash does not take the image",
  noRoom: "the board has no room to note how far it has come",
});

const sentences: Readonly<Record<Failure, string>> = Object.freeze({
  "not-joined": "it did not catch up with the swarm in 5 minutes",
  crashed: "it crashed on trial",
  restarted: "it restarted before it had caught up with the swarm",
  power: "the power failed in each of its trials",
  image: "the chip does not take its image",
});

const unsigned: Wanted = Object.freeze({ release: undefined, vouched: undefined });

function refused(reason: string): Objection {
  return { stage: "refused", reason };
}
