/**
 * A host's part in keeping readings on boards: what it takes goes to the keepers (`delivery.ts`); while it leads, it says who they are (`shelf-keeper.ts`) and sees to it that
 * each has what it is to have (`mending.ts`); and it reads back what they have (`read-back.ts`). Nothing happens but in `look` and when something arrives.
 */
import { type KeptBlock, keepingLimits } from "../../../protocols/keeping/block.ts";
import { shelfKeyPrefix } from "../../../protocols/keeping/shelf.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import type { PlacedBlock } from "../boards/board-record.ts";
import type { HostFrame, KeepAskFrame, KeepingFrame } from "../hosts/host-frames.ts";
import type { Log } from "../log.ts";
import type { NewReading } from "../telemetry/telemetry.ts";
import { AgreedShelves } from "./agreed-shelves.ts";
import { Delivery } from "./delivery.ts";
import { Mending, type MendingTimes } from "./mending.ts";
import type { Outbox } from "./outbox.ts";
import { packBlock } from "./packed-block.ts";
import { pastReadings } from "./past-readings.ts";
import type { Wanted } from "./placing.ts";
import { Questions } from "./questions.ts";
import { ReadBack } from "./read-back.ts";
import { type KeepingBoard, ShelfKeeper } from "./shelf-keeper.ts";

export const keepingTimes = {
  lookEveryMs: 250,
  /** Between two words to the leader of how this host's blocks stand. */
  tellEveryMs: 5_000,
  /** For the leader's answer. */
  fenceMs: 4_000,
} as const;

export interface KeepingOptions {
  readonly definition: Pick<SwarmDefinition, "boards" | "keeping">;
  readonly hostName: string;
  readonly state: ConstructorParameters<typeof AgreedShelves>[0];
  readonly replica: { readonly isLeader: boolean; readonly term: number; readIndex(): Promise<number> };
  /** The host that leads, if it is another one and connected. */
  leaderHost(): string | undefined;
  readonly outbox: Outbox;
  boardOf(board: string): KeepingBoard;
  /** To a board, wherever it is connected; false where it is not. */
  sendToBoard(board: string, payload: Uint8Array): boolean;
  sendToHost(host: string, frame: HostFrame): boolean;
  /** To all other hosts. */
  tellHosts(frame: HostFrame): void;
  put(key: string, value: Uint8Array | undefined, expected: Uint8Array | undefined): Promise<unknown>;
  /** Puts back readings of one series, unless they are there. */
  addPast(readings: readonly NewReading[]): number;
  readonly log: Pick<Log, "info" | "warn">;
  /** Milliseconds that never go back. */
  nowMs(): number;
  sleep(ms: number): Promise<void>;
  /** 32 bits at random. */
  draw(): number;
  readonly limits?: Partial<MendingTimes>;
}

/** How the blocks of one host stand, as it last said. */
export type HostBlocks = Pick<KeepAskFrame, "waiting" | "short" | "lost">;

export class Keeping {
  readonly agreed: AgreedShelves;
  readonly shelves: ShelfKeeper;
  readonly mending: Mending;
  readonly wanted: ReadonlyMap<string, Wanted>;
  /** By board that is to keep readings of others: its zone. */
  readonly zones: ReadonlyMap<string, string>;
  readonly #options: KeepingOptions;
  readonly #questions: Questions;
  readonly #delivery: Delivery;
  readonly #fences = new Map<number, { deadlineMs: number; settle(index: number | undefined): void }>();
  readonly #hosts = new Map<string, HostBlocks>();
  readonly #keptMetrics: ReadonlyMap<string, ReadonlySet<string>>;
  #fenceNumber = 0;
  #toldMs = -Infinity;
  #isFailing = false;
  #lostBefore = 0;

  constructor(options: KeepingOptions) {
    const { definition, outbox, nowMs, log, put } = options;
    this.#options = options;
    this.wanted = wantedOf(definition);
    this.zones = zonesOf(definition);
    this.#keptMetrics = new Map(
      Object.entries(definition.boards).map(([name, { kept }]) => [name, new Set(kept?.metrics)]),
    );
    this.agreed = new AgreedShelves(options.state);
    this.#questions = new Questions({
      send: (board, payload) => options.sendToBoard(board, payload),
      nowMs,
      drawId: () => options.draw(),
    });
    const { agreed } = this;
    const questions = this.#questions;
    const isUp = (board: string) => options.boardOf(board).isUp;
    const say = (event: string, facts: Record<string, string | number>) => log.info(event, facts);
    this.#delivery = new Delivery({
      ...{ agreed, outbox, questions, isUp, nowMs },
      copiesOf: (board) => this.wanted.get(board)?.copies ?? 0,
      fence: () => this.#fence(),
      onError: (error) => this.#failed(error),
    });
    this.shelves = new ShelfKeeper({
      ...{ agreed, questions, zones: this.zones, wanted: this.wanted, nowMs, log: say },
      lostAfterMs: definition.keeping?.lostAfterMs ?? Number.POSITIVE_INFINITY,
      boardOf: (board) => options.boardOf(board),
      put,
    });
    this.mending = new Mending({
      ...{ agreed, questions, isUp, nowMs, log: say, sleep: (ms) => options.sleep(ms) },
      onRing: (board, ring) => this.shelves.takeRing(board, ring),
      put: (board, value, expected) => put(shelfKeyPrefix + board, value, expected),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    this.#lostBefore = outbox.counters.lost;
  }

  /** How each host's blocks stand, this one's among them. */
  get hosts(): ReadonlyMap<string, HostBlocks> {
    return new Map([...this.#hosts, [this.#options.hostName, this.#own]]);
  }

  /** A board that is connected here told a block. */
  takeBlock(board: string, { block, firstMs, lastMs }: PlacedBlock): void {
    if (this.#keptMetrics.get(board)?.has(block.metric) !== true) return;
    this.#options.outbox.take({ board, metric: block.metric, firstMs, lastMs, bytes: packBlock(block) });
  }

  /** A board, here or elsewhere, answers. @throws {CborError | ShapeError} */
  takeAnswer(board: string, payload: Uint8Array): void {
    const answer = this.#questions.take(board, payload);
    if (answer.kind !== "refused") this.shelves.takeRing(board, answer.ring);
  }

  takeFrame(host: string, frame: KeepingFrame): void {
    if (frame.kind === "past") this.takePast(frame.blocks);
    else if (frame.kind === "keep-index") this.#fences.get(frame.number)?.settle(frame.index);
    else if (frame.kind === "keep-accept") this.#accept(frame);
    else void this.#answerFence(host, frame);
  }

  /** Does what is due. Call it every `keepingTimes.lookEveryMs`. */
  look(): void {
    const { replica, nowMs, outbox } = this.#options;
    const { term } = replica;
    try {
      outbox.write();
      this.#isFailing = false;
    } catch (error) {
      this.#failed(error as Error);
    }
    this.#sayLost();
    this.#questions.look();
    for (const fence of [...this.#fences.values()]) {
      if (nowMs() >= fence.deadlineMs) fence.settle(undefined);
    }
    this.#delivery.look();
    this.shelves.look(replica.isLeader);
    this.mending.look(() => replica.isLeader && replica.term === term);
    this.#tellLeader();
  }

  stop(): void {
    this.#questions.stop();
    for (const fence of [...this.#fences.values()]) fence.settle(undefined);
  }

  /** Somebody accepts what `host` counts as short or lost, which is no more counted then. False where the host does not hear it. */
  acceptLoss(host: string, counted: Pick<HostBlocks, "short" | "lost">): boolean {
    const { hostName, sendToHost } = this.#options;
    const { short, lost } = counted;
    if (host === hostName) this.#accept(counted);
    else if (!sendToHost(host, { kind: "keep-accept", short, lost })) return false;
    const known = this.#hosts.get(host);
    // As it will tell itself.
    if (known !== undefined) {
      this.#hosts.set(host, { ...known, short: known.short - short, lost: known.lost - lost });
    }
    return true;
  }

  /** What boards keep, to be read. */
  readBack(): ReadBack {
    const { boardOf } = this.#options;
    return new ReadBack({
      questions: this.#questions,
      keepers: () => [...this.zones.keys()].filter((board) => boardOf(board).isUp),
    });
  }

  /** Puts the readings of these among the others, here and at all hosts that are connected. Returns how many were not here. */
  restore(blocks: readonly KeptBlock[]): number {
    for (let at = 0; at < blocks.length; at += keepingLimits.blocksMax) {
      this.#options.tellHosts({ kind: "past", blocks: blocks.slice(at, at + keepingLimits.blocksMax) });
    }
    return this.takePast(blocks);
  }

  takePast(blocks: readonly KeptBlock[]): number {
    let added = 0;
    for (const block of blocks) added += this.#options.addPast(pastReadings([block]));
    return added;
  }

  #accept({ short, lost }: Pick<HostBlocks, "short" | "lost">): void {
    const { outbox } = this.#options;
    try {
      outbox.accept({ short, lost });
    } catch (error) {
      this.#failed(error as Error);
    }
    this.#lostBefore = Math.min(this.#lostBefore, outbox.counters.lost);
  }

  get #own(): HostBlocks {
    const { size, counters } = this.#options.outbox;
    return { waiting: size, short: counters.short, lost: counters.lost };
  }

  // The leader's word on what is agreed.

  #fence(): Promise<number> {
    const { replica, leaderHost, sendToHost, nowMs } = this.#options;
    if (replica.isLeader) return replica.readIndex();
    const host = leaderHost();
    return new Promise((resolve, reject) => {
      if (host === undefined) {
        reject(new Error("nobody leads"));
        return;
      }
      const number = ++this.#fenceNumber;
      const settle = (index: number | undefined) => {
        this.#fences.delete(number);
        if (index === undefined) reject(new Error(`${host} does not answer`));
        else resolve(index);
      };
      this.#fences.set(number, { deadlineMs: nowMs() + keepingTimes.fenceMs, settle });
      this.#toldMs = nowMs();
      sendToHost(host, { kind: "keep-ask", number, ...this.#own });
    });
  }

  async #answerFence(host: string, { number, waiting, short, lost }: KeepAskFrame): Promise<void> {
    const { replica, sendToHost } = this.#options;
    this.#hosts.set(host, { waiting, short, lost });
    // 0: it only tells.
    if (number === 0 || !replica.isLeader) return;
    try {
      sendToHost(host, { kind: "keep-index", number, index: await replica.readIndex() });
    } catch {
      // Whoever leads instead is asked next.
    }
  }

  #tellLeader(): void {
    const { nowMs, leaderHost, sendToHost } = this.#options;
    if (this.wanted.size === 0 || nowMs() - this.#toldMs < keepingTimes.tellEveryMs) return;
    this.#toldMs = nowMs();
    const host = leaderHost();
    if (host !== undefined) sendToHost(host, { kind: "keep-ask", number: 0, ...this.#own });
  }

  #sayLost(): void {
    const { counters } = this.#options.outbox;
    if (counters.lost <= this.#lostBefore) return;
    this.#options.log.warn("keep-blocks-lost", { blocks: counters.lost - this.#lostBefore });
    this.#lostBefore = counters.lost;
  }

  /** Once, until it works again. */
  #failed(error: Error): void {
    if (!this.#isFailing) this.#options.log.warn("keep-disk-failed", { reason: error.message });
    this.#isFailing = true;
  }
}

function wantedOf({ boards }: Pick<SwarmDefinition, "boards">): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const [name, { kept }] of Object.entries(boards)) {
    if (kept !== undefined) wanted.set(name, { copies: kept.copies, load: kept.metrics.length });
  }
  return wanted;
}

function zonesOf({ boards }: Pick<SwarmDefinition, "boards">): ReadonlyMap<string, string> {
  const zones = new Map<string, string>();
  for (const [name, { place }] of Object.entries(boards)) {
    if (place?.keeps === true && place.zone !== undefined) zones.set(name, place.zone);
  }
  return zones;
}
