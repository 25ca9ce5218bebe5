/**
 * Images between hosts: each tells the others what it has, and fetches what it lacks of what the agreed releases name - or of what somebody with the right
 * to is about to have agreed on - from one that has it. Nothing else is fetched. Every piece is checked against the digest before it when it comes, and a host that
 * sends a false one is not asked again for a while.
 *
 * One image at a time comes in, one piece of it is under way, and of each other host at most one question is being answered: on the hosts' connection no more than
 * `pieceChunks` chunks stand before a heartbeat.
 */
import { type CheckedChunk, checkChunk, chunkCount } from "../../../protocols/update/chunks.ts";
import type { Release } from "../../../protocols/update/release.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";
import type { Audit } from "../audit.ts";
import { type HostFrame, hostFrameLimits } from "../hosts/host-frames.ts";
import type { Log } from "../log.ts";
import { bytesOfId, imageIdOf } from "./image-id.ts";
import { ImageNotTaken, type ImageStore } from "./image-store.ts";

export const imageExchangeLimits = {
  /** In one answer: 33 KB. */
  pieceChunks: 32,
  /** For one piece. */
  answerMs: 5_000,
  /** Until a host is asked again that did not give an image, or gave a false piece. */
  avoidMs: 10_000,
} as const;

export type ImageFrame = HostFrame & { readonly kind: "images" | "image-want" | "image-piece" };

export interface ImageExchangeOptions {
  readonly store: ImageStore;
  readonly log: Log;
  readonly audit: Audit;
  /** Releases whose images this host is to have; the first is fetched first. */
  wanted(): readonly Release[];
  /** False when it was dropped. */
  send(host: string, frame: HostFrame): boolean;
  broadcast(frame: HostFrame): void;
}

interface Fetch {
  readonly id: string;
  readonly host: string;
  /** Of the piece that is under way. */
  first: number;
  take(chunks: readonly Uint8Array[] | undefined): void;
}

export class ImageExchange {
  readonly #options: ImageExchangeOptions;
  /** By name of the host: ids. */
  readonly #others = new Map<string, ReadonlySet<string>>();
  /** By host and id, until when that host is not asked for it. */
  readonly #avoided = new Map<string, number>();
  /** Hosts whose question is being answered. */
  readonly #answering = new Set<string>();
  #fetch: Fetch | undefined;
  #isRunning = false;
  #isStopped = false;
  #again: NodeJS.Timeout | undefined;

  constructor(options: ImageExchangeOptions) {
    this.#options = options;
  }

  /** Names of other hosts that have it and are connected. */
  hostsWith(id: string): string[] {
    return [...this.#others].filter(([, ids]) => ids.has(id)).map(([host]) => host);
  }

  get frame(): HostFrame {
    const ids = this.#options.store.ids.slice(-hostFrameLimits.imagesMax);
    return { kind: "images", images: ids.map(bytesOfId) };
  }

  /** The store has one more, or one less. */
  storeChanged(): void {
    this.#options.broadcast(this.frame);
  }

  up(host: string): void {
    this.#options.send(host, this.frame);
  }

  down(host: string): void {
    this.#others.delete(host);
    if (this.#fetch?.host === host) this.#fetch.take(undefined);
  }

  take(host: string, frame: ImageFrame): void {
    switch (frame.kind) {
      case "images":
        this.#others.set(host, new Set(frame.images.map(imageIdOf)));
        this.check();
        break;
      case "image-want":
        void this.#answer(host, frame.image, frame.chunk, frame.count);
        break;
      case "image-piece": {
        const { image, chunk, chunks } = frame;
        const fetch = this.#fetch;
        const isAsked = fetch?.host === host && fetch.id === imageIdOf(image) && fetch.first === chunk;
        if (isAsked) fetch.take(chunks);
        break;
      }
    }
  }

  /** Something may be missing now, or can be had now. */
  check(): void {
    if (!this.#isRunning && !this.#isStopped) void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#again);
    this.#fetch?.take(undefined);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    clearTimeout(this.#again);
    try {
      for (;;) {
        const next = this.#next();
        if (next === undefined || this.#isStopped) break;
        const { release, host } = next;
        const problem = await this.#fetchFrom(host, release);
        if (problem === undefined) continue;
        const image = imageIdOf(release.digest);
        this.#avoided.set(`${host} ${image}`, performance.now() + imageExchangeLimits.avoidMs);
        this.#options.log.warn("image-not-fetched", { image, from: host, reason: problem });
      }
    } finally {
      this.#isRunning = false;
    }
    this.#comeBack();
  }

  /** The next image that is missing here, and a host to ask for it. */
  #next(): { release: Release; host: string } | undefined {
    const nowMs = performance.now();
    for (const release of this.#options.wanted()) {
      const id = imageIdOf(release.digest);
      if (this.#options.store.has(id)) continue;
      const host = this.hostsWith(id).find((name) => (this.#avoided.get(`${name} ${id}`) ?? 0) <= nowMs);
      if (host !== undefined) return { release, host };
    }
    return undefined;
  }

  /** Whoever was avoided is asked again. */
  #comeBack(): void {
    if (this.#avoided.size === 0 || this.#isStopped) return;
    const nowMs = performance.now();
    for (const [key, untilMs] of this.#avoided) if (untilMs <= nowMs) this.#avoided.delete(key);
    const waitMs = Math.min(...this.#avoided.values()) - nowMs;
    if (!Number.isFinite(waitMs)) return;
    this.#again = setTimeout(() => this.check(), waitMs + 1);
    this.#again.unref();
  }

  /** undefined when the store has it now; else why not. */
  async #fetchFrom(host: string, release: Release): Promise<string | undefined> {
    try {
      const receiver = await this.#options.store.receive(release);
      try {
        const problem = await this.#copy(host, release, (bytes) => receiver.write(bytes));
        if (problem !== undefined) return problem;
        return (await receiver.complete()) ? undefined : "it is not what the release names";
      } finally {
        await receiver.abort();
      }
    } catch (error) {
      if (!(error instanceof ImageNotTaken))
        this.#options.log.error("image-not-kept", { reason: (error as Error).message });
      return (error as Error).message;
    }
  }

  async #copy(
    host: string,
    { digest, sizeBytes }: Release,
    write: (bytes: Uint8Array) => Promise<boolean>,
  ): Promise<string | undefined> {
    const count = chunkCount(sizeBytes);
    let next: Uint8Array | undefined = digest;
    for (let at = 0; at < count; ) {
      const wanted = Math.min(imageExchangeLimits.pieceChunks, count - at);
      const chunks = await this.#ask(host, imageIdOf(digest), at, wanted);
      if (chunks === undefined || chunks.length === 0) return "it has no such image, or does not answer";
      if (chunks.length > wanted) return "it sends more than was asked for";
      const data: Uint8Array[] = [];
      for (const chunk of chunks) {
        const checked: CheckedChunk | undefined = next && checkChunk(nodeCiphers, sizeBytes, at, next, chunk);
        if (checked === undefined) {
          this.#options.audit.refused(host, `a false piece of image ${imageIdOf(digest)}`);
          return `chunk ${at} is false`;
        }
        data.push(checked.data);
        next = checked.next;
        at++;
      }
      await write(Buffer.concat(data));
    }
    return undefined;
  }

  /** undefined when it has no such image, is gone, or does not answer. */
  async #ask(
    host: string,
    id: string,
    first: number,
    count: number,
  ): Promise<readonly Uint8Array[] | undefined> {
    if (this.#isStopped) return undefined;
    let late: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve) => {
        this.#fetch = { id, host, first, take: resolve };
        late = setTimeout(() => resolve(undefined), imageExchangeLimits.answerMs);
        const frame: HostFrame = { kind: "image-want", image: bytesOfId(id), chunk: first, count };
        if (!this.#options.send(host, frame)) resolve(undefined);
      });
    } finally {
      clearTimeout(late);
      this.#fetch = undefined;
    }
  }

  /** Whoever asks before it was answered is not: it has a question under way already. */
  async #answer(host: string, image: Uint8Array, chunk: number, count: number): Promise<void> {
    if (this.#answering.has(host) || this.#isStopped) return;
    this.#answering.add(host);
    try {
      const found = this.#options.store.find(imageIdOf(image));
      const chunks = await found?.chunks(chunk, Math.min(count, imageExchangeLimits.pieceChunks));
      this.#options.send(host, { kind: "image-piece", image, chunk, chunks });
    } catch (error) {
      this.#options.log.warn("image-unread", { image: imageIdOf(image), reason: (error as Error).message });
      this.#options.send(host, { kind: "image-piece", image, chunk, chunks: undefined });
    } finally {
      this.#answering.delete(host);
    }
  }
}
