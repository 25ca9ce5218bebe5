/**
 * Chunks for boards, from disk as they ask for them. Boards take turns, one question each, so none waits for what another one asked; and after each piece of
 * work the server rests at least as long as it worked: a hundred boards that update at once take half of the host's time at most, and the leader's heartbeats
 * are never later than by one turn.
 *
 * Of a board at most `questionsMax` questions wait, and only numbers of them: bytes are read when its turn comes.
 */
import { chunkToWire, type Want } from "../../../protocols/update/messages.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { BoardLink } from "../broker/broker-types.ts";
import type { Log } from "../log.ts";
import type { ImageFile } from "./image-file.ts";
import { imageIdOf } from "./image-id.ts";

export const chunkServerLimits = {
  /** A board has four chunks under way, and asks for each again when it is late. */
  questionsMax: 8,
  /** Work in one go. */
  workMs: 4,
} as const;

export interface ChunkServerOptions {
  readonly log: Log;
  /** The image of that id, if boards may have it. */
  find(id: string): ImageFile | undefined;
}

export interface ChunkCounters {
  /** Sent to boards. */
  chunks: number;
  chunkBytes: number;
  /** Questions for an image that is not here. */
  absent: number;
  /** Questions beyond those that wait. */
  dropped: number;
}

export class ChunkServer {
  readonly counters: ChunkCounters = { chunks: 0, chunkBytes: 0, absent: 0, dropped: 0 };
  readonly #options: ChunkServerOptions;
  /** In the order of their turns. */
  readonly #waiting = new Map<BoardLink, Want[]>();
  #isServing = false;
  #isStopped = false;
  /** Worked since the last rest, less what was idle since. */
  #workMs = 0;
  #idleSinceMs = 0;

  constructor(options: ChunkServerOptions) {
    this.#options = options;
  }

  /** A board asks. */
  want(link: BoardLink, want: Want): void {
    const questions = this.#waiting.get(link) ?? [];
    if (questions.length >= chunkServerLimits.questionsMax) {
      this.counters.dropped++;
      return;
    }
    questions.push({ ...want, image: want.image.slice() });
    this.#waiting.set(link, questions);
    if (!this.#isServing) void this.#serve();
  }

  /** Whoever is gone has no turn any more. */
  gone(link: BoardLink): void {
    this.#waiting.delete(link);
  }

  stop(): void {
    this.#isStopped = true;
    this.#waiting.clear();
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    this.#workMs = Math.max(0, this.#workMs - (performance.now() - this.#idleSinceMs));
    while (!this.#isStopped) {
      const [turn] = this.#waiting;
      if (turn === undefined) break;
      const [link, questions] = turn;
      const want = questions.shift()!;
      this.#waiting.delete(link);
      if (questions.length > 0) this.#waiting.set(link, questions);
      this.#workMs += await this.#answer(link, want);
      if (this.#workMs < chunkServerLimits.workMs) continue;
      await rest(this.#workMs);
      this.#workMs = 0;
    }
    this.#isServing = false;
    this.#idleSinceMs = performance.now();
  }

  /** Gives how long that took of the host's time, the reading apart. */
  async #answer(link: BoardLink, { image: id, chunk: first, count }: Want): Promise<number> {
    const chunks = await this.#read(id, first, count);
    const startMs = performance.now();
    const { counters } = this;
    if (chunks.length === 0) {
      counters.absent++;
      link.send("update", encodeCbor(chunkToWire({ image: id, chunk: first, bytes: undefined })));
    }
    for (const [i, bytes] of chunks.entries()) {
      if (!link.send("update", encodeCbor(chunkToWire({ image: id, chunk: first + i, bytes })))) break;
      counters.chunks++;
      counters.chunkBytes += bytes.length;
    }
    return performance.now() - startMs;
  }

  async #read(id: Uint8Array, first: number, count: number): Promise<Uint8Array[]> {
    const image = this.#options.find(imageIdOf(id));
    try {
      return (await image?.chunks(first, count)) ?? [];
    } catch (error) {
      // Dropped from the store meanwhile, or the disk fails: the board asks again.
      this.#options.log.warn("image-unread", { image: imageIdOf(id), reason: (error as Error).message });
      return [];
    }
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.ceil(ms)));
}
