/**
 * Brings the board to the firmware that the agreed state says it is to run, and back from one that does not work (docs/updates.md).
 *
 * ```
 *   the state says so         all chunks written       its turn: selected, restart        caught up
 *  ---------------> fetching -----------------> ready -----------------------> trial -----------> steady
 *                      |                                                         |
 *                      | not for this board, not signed, too old                 | 5 minutes, a crash
 *                      v                                                         v
 *                   refused                                                  rolled-back
 * ```
 *
 * What it has to remember is in one small value (`update-record.ts`), and an image's chunks in the slot. While nothing is to be done it holds on to nothing but where it is.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import type { FirmwareHealth, FirmwareStage } from "../../protocols/messages/board-messages.ts";
import { isSameBytes } from "../../protocols/security/same-bytes.ts";
import { type Chunk, chunkFromWire, type Want, wantToWire } from "../../protocols/update/messages.ts";
import { digestBytes, type Release } from "../../protocols/update/release.ts";
import type { Link } from "../board/link.ts";
import { type FetchEvents, ImageFetch } from "./image-fetch.ts";
import { learnerPauseMs, mayRestart, restartLimits } from "./restart-turn.ts";
import { afterTrial, failed, proved, trialLimits } from "./trial.ts";
import type { UpdateParts } from "./update-parts.ts";
import { type Fetched, readRecord, type UpdateRecord, writeRecord } from "./update-record.ts";
import { isReleaseKey, objectionTo, reasons, wantedRelease } from "./wanted-release.ts";

export const updaterLimits = Object.freeze({
  /** After the flash had no room for what must be noted, or did not take the image. */
  againMs: 600_000,
});

export class Updater implements FetchEvents {
  readonly #of: UpdateParts;
  /** Of the release that runs and has proved to work; on trial, of the one before. */
  #sequence: number;
  #target = 0;
  #stage: FirmwareStage = "steady";
  #reason: string | undefined;
  /** The state may say something else than when it was last looked at. */
  #isStale = true;
  #fetch: ImageFetch | undefined;
  /** Counts the hosts that were of no use. */
  #hostTurn = 0;
  /** On trial: when it has failed. Ready: when to restart. Else when to look at the state again. */
  #dueMs = Infinity;

  /** For a board that starts now: finds out what became of the last update. */
  constructor(of: UpdateParts, nowMs: number) {
    this.#of = of;
    const { slot, keyValue } = of;
    const before = readRecord(keyValue);
    if (slot.isOnTrial) {
      this.#stage = "trial";
      this.#target = before.trial?.sequence ?? 0;
      this.#sequence = before.proved?.sequence ?? 0;
      this.#dueMs = nowMs + trialLimits.trialMs;
      of.log.write("info", "update-trial", "sequence", this.#target);
      return;
    }
    const record = afterTrial(of, before);
    const { proved } = record;
    this.#sequence = proved !== undefined && isSameBytes(slot.running, proved.image) ? proved.sequence : 0;
  }

  get health(): FirmwareHealth {
    const isThere = this.#target > 0 && (this.#stage === "steady" || this.#stage === "trial");
    return {
      sequence: this.#sequence,
      target: this.#target,
      stage: this.#stage,
      percent: this.#fetch?.percent ?? (isThere ? 100 : 0),
      reason: this.#reason,
    };
  }

  get isOnTrial(): boolean {
    return this.#stage === "trial";
  }

  /** Whether it votes, and would restart. */
  get wantsTurn(): boolean {
    return this.#stage === "ready" && this.#of.store.isVoter;
  }

  /** When `run` has something to do; Infinity for never. */
  dueMs(nowMs: number): number {
    if (this.#stage === "trial") return this.#dueMs;
    const { life } = this.#of;
    // What the board has to tell before it sleeps comes first; so does catching up.
    if (life.state !== "running" || life.isTelling(nowMs)) return Infinity;
    if (this.#isStale || (this.wantsTurn && mayRestart(this.#of, nowMs))) return -Infinity;
    return Math.min(this.#dueMs, this.#fetch?.dueMs ?? Infinity);
  }

  /** Does what is due. Gives the reason if the board is to restart now. */
  run(nowMs: number): string | undefined {
    if (nowMs < this.dueMs(nowMs)) return undefined;
    if (this.#stage === "trial") return this.giveUp();
    if (this.#isStale || (this.#stage !== "ready" && nowMs >= this.#dueMs)) this.look(nowMs);
    // It may have become so just now, with a pause before it.
    if (this.#stage === "ready") return nowMs >= this.dueMs(nowMs) ? this.restart(nowMs) : undefined;
    this.#fetch?.run(nowMs);
    return undefined;
  }

  /** The firmware has caught up with the swarm for the first time since it started, and was called valid. */
  onCaughtUp(): void {
    if (this.#stage !== "trial") return;
    const { keyValue, log } = this.#of;
    const record = proved(readRecord(keyValue));
    // If there is no room for it, the next start finds that it runs all the same.
    writeRecord(keyValue, record);
    this.#sequence = record.proved?.sequence ?? 0;
    this.#dueMs = Infinity;
    log.write("info", "update-proved", "sequence", this.#target);
    this.settle("steady", this.#target);
  }

  onStateChange(key: string): void {
    if (isReleaseKey(key, this.#of.ports.system.config)) this.#isStale = true;
  }

  onStateReplaced(): void {
    this.#isStale = true;
  }

  /** A host sent a chunk, or says that it has none. */
  take(payload: Uint8Array, link: Link, nowMs: number): void {
    const fetch = this.#fetch;
    if (fetch === undefined || this.#isStale) return;
    const chunk = read(payload, link);
    if (chunk === undefined) return;
    try {
      fetch.take(chunk, nowMs);
    } catch (error) {
      this.#of.log.write("error", "update-flash", "reason", `${error}`);
      this.waitLong(reasons.flash, nowMs);
      return;
    }
    if (fetch.isComplete && this.#stage === "fetching") this.onComplete(nowMs);
  }

  /** The board is about to lose what is in RAM. */
  save(): void {
    if (this.#fetch !== undefined) this.noteProgress(this.#fetch.fetched);
  }

  // For the fetch.

  ask(want: Want): boolean {
    return this.#of.links.publishAt(this.#hostTurn, "update", encodeCbor(wantToWire(want)));
  }

  leaveHost(reason: string): void {
    this.#of.log.write("warn", "update-waits", "sequence", this.#target, "reason", reason);
    this.#hostTurn++;
    this.#of.links.moveOn("it is of no use for an update");
  }

  /** Without the note, a power cut costs more of what was fetched, and no more than that. */
  noteProgress(fetched: Fetched): void {
    const { keyValue } = this.#of;
    writeRecord(keyValue, { ...readRecord(keyValue), fetched });
  }

  // From what the state says to a complete image.

  private look(nowMs: number): void {
    const { ports, keyValue, store } = this.#of;
    this.#isStale = false;
    this.#dueMs = Infinity;
    const record = readRecord(keyValue);
    const get = (key: string) => store.get(key);
    const wanted = wantedRelease(ports.ciphers, ports.system.config, get, record.vouched);
    if (wanted === undefined) this.settle("steady", 0);
    else if (wanted.release === undefined) this.settle("refused", 0, reasons.unsigned);
    else this.takeRelease(wanted.release, { ...record, vouched: wanted.vouched }, nowMs);
  }

  private takeRelease(release: Release, record: UpdateRecord, nowMs: number): void {
    const { ports, keyValue, slot } = this.#of;
    const { sequence, digest } = release;
    const objection = objectionTo(
      release,
      ports.system.config,
      slot.region.sizeBytes,
      record,
      this.#sequence,
    );
    const runs = this.#sequence > 0 ? record.proved : undefined;
    if (objection !== undefined) {
      writeRecord(keyValue, record);
      this.settle(objection.stage, sequence, objection.reason);
    } else if (runs !== undefined && isSameBytes(runs.digest, digest)) {
      // The image that runs, perhaps under a later number.
      if (writeRecord(keyValue, { ...record, proved: { ...runs, sequence } })) this.#sequence = sequence;
      this.settle("steady", sequence);
    } else {
      this.startFetch(release, record, nowMs);
    }
  }

  private startFetch(release: Release, record: UpdateRecord, nowMs: number): void {
    const { ports, keyValue, slot, log } = this.#of;
    const { sequence, firmware } = release;
    const from = this.#fetch?.fetched ?? record.fetched;
    const fetch = new ImageFetch(release, from, slot.region, ports, this);
    this.#target = sequence;
    if (!writeRecord(keyValue, { ...record, fetched: fetch.fetched })) {
      this.waitLong(reasons.noRoom, nowMs);
      return;
    }
    this.settle("fetching", sequence);
    this.#fetch = fetch;
    log.write("info", "update", "sequence", sequence, "firmware", firmware, "percent", fetch.percent);
    if (fetch.isComplete) this.onComplete(nowMs);
  }

  private onComplete(nowMs: number): void {
    const { life, store, ports, log } = this.#of;
    this.become("ready");
    // Whoever sleeps is not awake for long, and a voter has its turn.
    this.#dueMs = nowMs + (life.sleeps || store.isVoter ? 0 : learnerPauseMs(ports.random));
    log.write("info", "update-ready", "sequence", this.#target);
  }

  // Into the new firmware, and out of it.

  private restart(nowMs: number): string | undefined {
    if (mayRestart(this.#of, nowMs)) return this.select(nowMs);
    this.#dueMs = nowMs + restartLimits.againMs;
    return undefined;
  }

  private select(nowMs: number): string | undefined {
    const { slot, keyValue, log } = this.#of;
    const { release, fetched: complete } = this.#fetch!;
    const { sequence, firmware, sizeBytes } = release;
    const record = readRecord(keyValue);
    const fetched = { ...complete, trials: complete.trials + 1 };
    const trial = { sequence, image: slot.region.read(sizeBytes - digestBytes, digestBytes) };
    this.#fetch = undefined;
    if (!writeRecord(keyValue, { ...record, fetched, trial })) {
      this.waitLong(reasons.noRoom, nowMs);
      return undefined;
    }
    try {
      slot.select();
      return `update to ${firmware}, number ${sequence}`;
    } catch (error) {
      log.write("error", "update-image", "sequence", sequence, "reason", `${error}`);
      this.onNotSelected(record, fetched, sequence);
      return undefined;
    }
  }

  /** Every chunk was the right one, so the flash may have failed: the image is fetched anew before it is given up. */
  private onNotSelected(record: UpdateRecord, { digest, trials }: Fetched, sequence: number): void {
    const again = { ...record, fetched: { digest, chunk: 0, next: digest, trials } };
    const isOver = trials >= trialLimits.trialsMax;
    writeRecord(this.#of.keyValue, isOver ? failed(record, sequence, "image") : again);
    this.#isStale = true;
  }

  /** The trial is over. The bootloader goes back to the firmware before. */
  private giveUp(): string {
    const { keyValue } = this.#of;
    const record = readRecord(keyValue);
    this.#dueMs = Infinity;
    if (record.trial !== undefined) {
      writeRecord(keyValue, failed(record, record.trial.sequence, "not-joined"));
    }
    return "the new firmware did not catch up with the swarm";
  }

  // What is told.

  /** Nothing is to be done, for this reason. */
  private settle(stage: FirmwareStage, target: number, reason?: string): void {
    this.#fetch = undefined;
    this.#target = target;
    this.become(stage, reason);
  }

  private waitLong(reason: string, nowMs: number): void {
    this.#dueMs = nowMs + updaterLimits.againMs;
    this.settle("refused", this.#target, reason);
  }

  private become(stage: FirmwareStage, reason?: string): void {
    const isTold = stage === "refused" || stage === "rolled-back";
    if (isTold && reason !== this.#reason) {
      this.#of.log.write("warn", `update-${stage}`, "sequence", this.#target, "reason", reason ?? "");
    }
    this.#stage = stage;
    this.#reason = reason;
    this.#of.telemetry.tellNews();
  }
}

/** undefined for what is no chunk, which ends the connection. */
function read(payload: Uint8Array, link: Link): Chunk | undefined {
  try {
    return chunkFromWire(decodeCbor(payload));
  } catch (error) {
    if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
    link.dropForGarbage(error.message);
    return undefined;
  }
}
