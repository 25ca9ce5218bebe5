import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { type KeepAnswer, type KeepRequest, keepRequestFromWire } from "../../protocols/keeping/messages.ts";
import type { RingOwner } from "../keeping/block-ring.ts";
import { Keeper } from "../keeping/keeper.ts";
import { RingFlashFails } from "../keeping/ring-flash.ts";
import { draw32 } from "../platform/draw.ts";
import type { FlashRegion, Random } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";
import type { Life } from "./life.ts";
import type { Link } from "./link.ts";
import type { Messenger } from "./messenger.ts";

export interface KeepingParts {
  readonly random: Random;
  /** For the blocks; undefined where there is none. */
  readonly keeping: FlashRegion | undefined;
  readonly store: BoardStore;
  readonly life: Life;
  readonly messenger: Messenger;
  readonly log: BoardLog;
}

/**
 * The blocks of others that this board keeps (`firmware/keeping/`), for hosts that ask. There only while somebody asks: the flash remembers, and a board
 * that nobody has asked for long has none of this in its heap.
 */
export class Keeping implements RingOwner {
  readonly #parts: KeepingParts;
  #keeper: Keeper | undefined;
  #askedMs = 0;

  constructor(parts: KeepingParts) {
    this.#parts = parts;
  }

  get memberId(): string {
    return this.#parts.store.memberId;
  }

  drawName(): number {
    return draw32(this.#parts.random);
  }

  /** A host asks; it is answered at once. */
  take(payload: Uint8Array, link: Link, nowMs: number): void {
    this.#askedMs = nowMs;
    try {
      const request = keepRequestFromWire(decodeCbor(payload));
      this.#parts.messenger.sendKept(this.answer(request), link);
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      link.dropForGarbage(error.message);
    }
  }

  /** Idle: nobody has asked for long. */
  run(nowMs: number): "idle" | "busy" {
    return nowMs - this.#askedMs > idleMs ? "idle" : "busy";
  }

  private answer(request: KeepRequest): KeepAnswer {
    const { id } = request;
    // What it says it keeps it must be there to give.
    if (this.#parts.life.sleeps) return { kind: "refused", id, reason: "sleeps" };
    try {
      this.#keeper ??= this.newKeeper();
      return this.#keeper?.answer(request) ?? { kind: "refused", id, reason: "no-room" };
    } catch (error) {
      if (!(error instanceof RingFlashFails)) throw error;
      this.#keeper = undefined;
      this.#parts.log.write("error", "keeping-failed", "reason", error.message);
      return { kind: "refused", id, reason: "flash" };
    }
  }

  /** undefined where there is no flash for it. */
  private newKeeper(): Keeper | undefined {
    const flash = this.#parts.keeping;
    if (flash === undefined) return undefined;
    const keeper = new Keeper(flash, this);
    const { oldest, newest, sectors } = keeper.state;
    this.#parts.log.write("info", "keeping", "oldest", oldest, "newest", newest, "sectors", sectors);
    return keeper;
  }
}

/** In the heap for so long after the last question. */
const idleMs = 10 * 60_000;
