/**
 * An image on its way into the slot. The board asks its host for a sector's worth of chunks, checks each as it comes, writes it, and asks for the next ones a
 * little later. So Raft is never starved: at most `wantedMax` chunks stand between two messages of the leader's, each is a piece of work of its own, and
 * between two handfuls the board has time for nothing but the rest.
 *
 * Chunks are taken in their order only. One that is lost, came twice, came out of order or is false changes nothing; after a while without the right
 * one, the board asks for it again, then another host.
 */
import type { Ciphers } from "../../protocols/security/ciphers.ts";
import { isSameBytes } from "../../protocols/security/same-bytes.ts";
import { checkChunk, chunkCount, chunkDataBytes } from "../../protocols/update/chunks.ts";
import { type Chunk, updateLimits, type Want } from "../../protocols/update/messages.ts";
import type { Release } from "../../protocols/update/release.ts";
import { Backoff } from "../board/backoff.ts";
import type { FlashRegion, Random } from "../platform/ports.ts";
import type { Fetched } from "./update-record.ts";

export const fetchLimits = Object.freeze({
  /** From one handful of chunks to asking for the next. */
  paceMs: 100,
  /** For all the chunks that were asked for. */
  answerMs: 3_000,
  pauseFirstMs: 1_000,
  pauseMostMs: 60_000,
  /** Failures in a row, then another host is asked. */
  failuresMax: 3,
  /** Chunks from one note of the progress to the next: 64 KB are fetched again after a power cut at most. */
  noteChunks: 64,
});

/** Whom a fetch asks, and tells. */
export interface FetchEvents {
  /** False when there is no link, or no room on it. */
  ask(want: Want): boolean;
  /** This host has not got the image, or says nothing, or sends what is not in it. */
  leaveHost(reason: string): void;
  /** All before `fetched.chunk` are in the slot. */
  noteProgress(fetched: Fetched): void;
}

export class ImageFetch {
  readonly release: Release;
  readonly #count: number;
  readonly #ciphers: Pick<Ciphers, "sha256">;
  readonly #region: FlashRegion;
  readonly #events: FetchEvents;
  readonly #backoff: Backoff;
  readonly #trials: number;
  /** The next chunk, and its digest. */
  #chunk: number;
  #digest: Uint8Array;
  /** Of the first chunk of the sector that is being written. */
  #sectorDigest: Uint8Array;
  /** Asked for, and not come yet: all before this one. */
  #until = 0;
  #failures = 0;
  #dueMs = -Infinity;

  /** Goes on where `from` says; from the first chunk if that is of another image. */
  constructor(
    release: Release,
    from: Fetched | undefined,
    region: FlashRegion,
    ports: { readonly ciphers: Pick<Ciphers, "sha256">; readonly random: Random },
    events: FetchEvents,
  ) {
    const { digest, sizeBytes } = release;
    const { chunk, next, trials } = startOf(release, from);
    this.release = release;
    this.#count = chunkCount(sizeBytes);
    this.#ciphers = ports.ciphers;
    this.#region = region;
    this.#events = events;
    this.#backoff = new Backoff(fetchLimits.pauseFirstMs, fetchLimits.pauseMostMs, ports.random);
    this.#trials = trials;
    this.#chunk = chunk;
    this.#digest = chunk === 0 ? digest : next;
    this.#sectorDigest = this.#digest;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return this.isComplete ? Infinity : this.#dueMs;
  }

  get isComplete(): boolean {
    return this.#chunk === this.#count;
  }

  /** Of the image, 0 to 100. */
  get percent(): number {
    return Math.floor((100 * this.#chunk) / this.#count);
  }

  /** What is to be noted, for a fetch that may end here. */
  get fetched(): Fetched {
    const { digest } = this.release;
    const trials = this.#trials;
    if (this.isComplete) return { digest, chunk: this.#chunk, next: noBytes, trials };
    const sectorChunks = this.#region.sectorBytes / chunkDataBytes;
    const chunk = this.#chunk - (this.#chunk % sectorChunks);
    return { digest, chunk, next: this.#sectorDigest, trials };
  }

  /** Asks for what comes next, first or again. */
  run(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    if (this.#until > this.#chunk) this.fail("it says nothing", nowMs);
    else this.ask(nowMs);
  }

  /** Takes what a host sent. Throws what the flash throws. */
  take({ image, chunk, bytes }: Chunk, nowMs: number): void {
    const { digest, sizeBytes } = this.release;
    const isWanted = chunk === this.#chunk && chunk < this.#until;
    if (!isWanted || !isSameBytes(image, digest.subarray(0, updateLimits.imageIdBytes))) return;
    if (bytes === undefined) {
      this.fail("it has not got the image", nowMs);
      return;
    }
    const checked = checkChunk(this.#ciphers, sizeBytes, chunk, this.#digest, bytes);
    // The right one may still come.
    if (checked === undefined) return;
    this.write(checked.data);
    this.#digest = checked.next ?? noBytes;
    this.#chunk++;
    this.onWritten(nowMs);
  }

  private onWritten(nowMs: number): void {
    const sectorChunks = this.#region.sectorBytes / chunkDataBytes;
    if (this.#chunk % sectorChunks === 0) this.#sectorDigest = this.#digest;
    if (this.isComplete || this.#chunk % fetchLimits.noteChunks === 0) {
      this.#events.noteProgress(this.fetched);
    }
    this.#failures = 0;
    this.#backoff.reset();
    if (this.#chunk === this.#until) this.#dueMs = nowMs + fetchLimits.paceMs;
  }

  /** A sector is erased just before its first chunk is written, and so by nobody's chunk but the right one. */
  private write(data: Uint8Array): void {
    const offset = this.#chunk * chunkDataBytes;
    const { sectorBytes, alignBytes } = this.#region;
    if (offset % sectorBytes === 0) this.#region.eraseSector(offset / sectorBytes);
    const over = data.length % alignBytes;
    this.#region.write(offset, over === 0 ? data : padded(data, data.length + alignBytes - over));
  }

  private ask(nowMs: number): void {
    const { wantedMax, imageIdBytes } = updateLimits;
    const chunk = this.#chunk;
    const count = Math.min(wantedMax - (chunk % wantedMax), this.#count - chunk);
    const image = this.release.digest.subarray(0, imageIdBytes);
    const isAsked = this.#events.ask({ image, chunk, count });
    if (isAsked) this.#until = chunk + count;
    this.#dueMs = nowMs + (isAsked ? fetchLimits.answerMs : fetchLimits.pauseFirstMs);
  }

  private fail(reason: string, nowMs: number): void {
    this.#until = this.#chunk;
    this.#dueMs = nowMs + this.#backoff.next();
    this.#failures++;
    if (this.#failures % fetchLimits.failuresMax === 0) this.#events.leaveHost(reason);
  }
}

const noBytes = new Uint8Array(0);

function startOf({ digest, sizeBytes }: Release, from: Fetched | undefined): Fetched {
  const isGood =
    from !== undefined && isSameBytes(from.digest, digest) && from.chunk <= chunkCount(sizeBytes);
  return isGood ? from : { digest, chunk: 0, next: digest, trials: 0 };
}

function padded(data: Uint8Array, lengthBytes: number): Uint8Array {
  const whole = new Uint8Array(lengthBytes).fill(0xff);
  whole.set(data);
  return whole;
}
