/**
 * Brings the blocks that this host has taken to their keepers, and lets go of each once all of them have it.
 *
 * Which boards these are may change while a block is on its way. So before a block is let go, the leader is asked for an index of the log up to which this host has to have
 * applied, from after the last keeper answered: if the keepers are the same ones still, whoever replaces one of them later finds the block with the others.
 */

import { keepingLimits } from "../../../protocols/keeping/block.ts";
import type { Shelf } from "../../../protocols/keeping/shelf.ts";
import type { AgreedShelves } from "./agreed-shelves.ts";
import type { Outbox, Waiting } from "./outbox.ts";
import { NoAnswer, type Questions } from "./questions.ts";

export const deliveryLimits = {
  /** For the leader's answer. */
  fenceMs: 4_000,
  /** After a keeper did not answer, or did not keep what it was given. */
  pauseMs: 5_000,
} as const;

export interface DeliveryOptions {
  readonly agreed: AgreedShelves;
  readonly outbox: Outbox;
  readonly questions: Questions;
  /** Copies that `swarm.ts` asks for of a board's readings; 0 for none. */
  copiesOf(board: string): number;
  isUp(keeper: string): boolean;
  /** An index that this host must have applied to know what was agreed on before it asked. Rejects when nobody confirms. */
  fence(): Promise<number>;
  nowMs(): number;
  /** The disk failed: what was to be written down is asked for again. */
  onError(error: Error): void;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  /** Keepers that are being told of blocks. */
  readonly #busy = new Set<string>();
  readonly #pausedUntilMs = new Map<string, number>();
  #fence:
    | { readonly askedMs: number; readonly blocks: readonly Waiting[]; index: number | undefined }
    | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Sends what is to be sent, lets go of what may go. */
  look(): void {
    this.#letGo();
    const { agreed, outbox } = this.#options;
    const batches = new Map<string, Waiting[]>();
    const ready: Waiting[] = [];
    for (const board of outbox.boards) {
      const shelf = agreed.shelves.get(board)?.shelf;
      if (shelf === undefined) continue;
      for (const block of outbox.waiting(board)) {
        if (this.#isOnAll(block, shelf)) ready.push(block);
        else for (const { board: keeper, ring } of shelf.keepers) this.#add(batches, keeper, ring, block);
      }
    }
    for (const [keeper, blocks] of batches) void this.#deliver(keeper, blocks);
    if (this.#fence === undefined && ready.length > 0) this.#ask(ready);
  }

  #add(batches: Map<string, Waiting[]>, keeper: string, ring: number, block: Waiting): void {
    const batch = batches.get(keeper);
    if (batch !== undefined && batch.length === keepingLimits.blocksMax) return;
    if (block.stored.get(keeper)?.ring === ring || !this.#mayTell(keeper)) return;
    if (batch === undefined) batches.set(keeper, [block]);
    else batch.push(block);
  }

  #mayTell(keeper: string): boolean {
    const { isUp, nowMs } = this.#options;
    return !this.#busy.has(keeper) && nowMs() >= (this.#pausedUntilMs.get(keeper) ?? 0) && isUp(keeper);
  }

  async #deliver(keeper: string, waiting: readonly Waiting[]): Promise<void> {
    const { outbox, questions, nowMs, onError } = this.#options;
    this.#busy.add(keeper);
    let isKept = false;
    try {
      const blocks = waiting.map(({ id }) => outbox.block(id));
      const answer = await questions.ask(keeper, { kind: "put", blocks });
      if (answer.kind === "stored" && answer.sectors.length === waiting.length) {
        const kept = waiting.flatMap((block, i) =>
          answer.sectors[i] === 0 ? [] : [{ block, sector: answer.sectors[i]! }],
        );
        outbox.stored(keeper, answer.ring.name, kept);
        isKept = kept.length > 0;
      }
    } catch (error) {
      if (!(error instanceof NoAnswer)) onError(error as Error);
    } finally {
      this.#busy.delete(keeper);
    }
    if (isKept) this.look();
    else this.#pausedUntilMs.set(keeper, nowMs() + deliveryLimits.pauseMs);
  }

  /** On as many keepers as are wanted, each in the ring that it is known by. */
  #isOnAll(block: Waiting, { keepers }: Shelf): boolean {
    const { copiesOf } = this.#options;
    const copies = copiesOf(block.board);
    // Nobody wants it any more.
    if (copies === 0) return true;
    if (keepers.length < copies) return false;
    return keepers.every(({ board, ring }) => block.stored.get(board)?.ring === ring);
  }

  #ask(blocks: readonly Waiting[]): void {
    const { fence, nowMs } = this.#options;
    const asked = { askedMs: nowMs(), blocks, index: undefined as number | undefined };
    this.#fence = asked;
    fence().then(
      (index) => {
        asked.index = index;
      },
      () => {
        if (this.#fence === asked) this.#fence = undefined;
      },
    );
  }

  #letGo(): void {
    const fence = this.#fence;
    if (fence === undefined) return;
    const { agreed, outbox, nowMs, onError } = this.#options;
    if (fence.index === undefined || agreed.index < fence.index) {
      if (nowMs() - fence.askedMs > deliveryLimits.fenceMs) this.#fence = undefined;
      return;
    }
    this.#fence = undefined;
    const placed = new Map<string, Set<Waiting>>();
    for (const block of fence.blocks) {
      const shelf = agreed.shelves.get(block.board)?.shelf;
      if (shelf === undefined || !this.#isOnAll(block, shelf)) continue;
      const blocks = placed.get(block.board);
      if (blocks === undefined) placed.set(block.board, new Set([block]));
      else blocks.add(block);
    }
    try {
      for (const [board, blocks] of placed) outbox.placed(board, blocks);
    } catch (error) {
      onError(error as Error);
    }
  }
}
