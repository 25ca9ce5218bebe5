import { type KeptBlock, keepingLimits } from "../../protocols/keeping/block.ts";
import type {
  BlocksAnswer,
  HeldAnswer,
  HeldRun,
  KeepAnswer,
  KeepRequest,
  ListRequest,
  PutRequest,
  ReadRequest,
  RingState,
  StoredAnswer,
} from "../../protocols/keeping/messages.ts";
import type { FlashRegion } from "../platform/ports.ts";
import { BlockRing, type RingOwner, RingRecord } from "./block-ring.ts";
import { RingReader } from "./ring-reader.ts";
import { blockOf, seriesOf, seriesTag } from "./stored-block.ts";

/** Answers what hosts ask of a board that keeps blocks. Between two questions it knows nothing but where its ring ends. */
export class Keeper {
  readonly #ring: BlockRing;

  /**
   * @throws {RingFlashFails}
   * @throws {RangeError} for flash that is too small
   */
  constructor(flash: FlashRegion, owner: RingOwner) {
    this.#ring = new BlockRing(flash, owner);
  }

  get state(): RingState {
    return this.#ring.state(0);
  }

  /** Once it has thrown, another keeper is to be made. @throws {RingFlashFails} */
  answer(request: KeepRequest): KeepAnswer {
    if (request.kind === "put") return this.put(request);
    return request.kind === "read" ? this.read(request) : this.list(request);
  }

  private put({ id, blocks }: PutRequest): StoredAnswer {
    const sectors: number[] = [];
    for (let i = 0; i < blocks.length; i++) sectors.push(this.#ring.put(blocks[i]!));
    return { kind: "stored", id, ring: this.#ring.state(0), sectors };
  }

  private read({ id, cursor, series, from, to }: ReadRequest): BlocksAnswer {
    const tag = seriesTag(series);
    const reader = new RingReader(this.#ring, cursor, sectorsReadMax);
    const { head } = reader;
    const blocks: KeptBlock[] = [];
    while (blocks.length < keepingLimits.blocksMax && reader.next()) {
      if (head.kind !== RingRecord.block || head.tag !== tag || head.index < from || head.index > to)
        continue;
      const record = reader.read();
      if (record !== undefined && seriesOf(record) === series) blocks.push(blockOf(record));
    }
    const ring = this.#ring.state(reader.damaged);
    return { kind: "blocks", id, ring, next: reader.cursor, blocks };
  }

  private list({ id, cursor }: ListRequest): HeldAnswer {
    const reader = new RingReader(this.#ring, cursor, sectorsListedMax);
    const runs: HeldRun[] = [];
    let run: HeldRun | undefined;
    while (runs.length < keepingLimits.runsMax && reader.next()) {
      const record = reader.read();
      if (record === undefined) continue;
      const { sector } = reader;
      const series = seriesOf(record);
      const number = record.index;
      if (run?.series === series && run.sector === sector && run.last + 1 === number) {
        run = { series, sector, first: run.first, last: number };
        runs[runs.length - 1] = run;
      } else {
        run = { series, sector, first: number, last: number };
        runs.push(run);
      }
    }
    return { kind: "held", id, ring: this.#ring.state(reader.damaged), next: reader.cursor, runs };
  }
}

/** Sectors that one answer looks through: of a read, their heads; of a list, every byte that is in them. */
const sectorsReadMax = 8;
const sectorsListedMax = 1;
