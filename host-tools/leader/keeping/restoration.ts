/** Brings the readings that boards keep back into the hosts that are connected: one at a time, in the background. */
import { randomInt } from "node:crypto";
import { ApiFailure } from "../api/api-failure.ts";
import type { KeepRestored } from "../api/types/keeping.ts";
import type { Keeping } from "./keeping.ts";

export interface RestoreWish {
  /** undefined for all. */
  readonly board: string | undefined;
  readonly metric: string | undefined;
}

/** So many blocks go out to the hosts before the loop lets others go on. */
const portion = 64;

type Progress = { -readonly [Name in keyof KeepRestored]: KeepRestored[Name] };

export class Restoration {
  readonly #keeping: Keeping;
  readonly #hosts: () => readonly string[];
  #progress: Progress | undefined;
  /** Begins anywhere: what another host calls so, or this one before its restart, is not taken for it. */
  #number = randomInt(2 ** 40);

  /** `hosts`: those that are connected, this one among them. */
  constructor(keeping: Keeping, hosts: () => readonly string[]) {
    this.#keeping = keeping;
    this.#hosts = hosts;
  }

  /** Of the one that goes on, or was last; undefined for none since this host began. */
  get progress(): KeepRestored | undefined {
    return this.#progress;
  }

  /** Begins; `progress` tells the rest. @throws {ApiFailure} */
  begin(wish: RestoreWish): KeepRestored {
    if (this.#progress?.state === "running") {
      throw new ApiFailure(
        "too-many",
        "Readings are being restored already; covey keep list shows how far.",
        429,
      );
    }
    this.#progress = {
      ...{
        number: ++this.#number,
        state: "running",
        series: 0,
        seriesDone: 0,
        blocks: 0,
        readings: 0,
        missing: 0,
      },
      hosts: this.#hosts(),
      boards: [],
    };
    void this.#run(wish, this.#progress);
    return this.#progress;
  }

  async #run(wish: RestoreWish, told: Progress): Promise<void> {
    try {
      const readBack = this.#keeping.readBack();
      const all = await readBack.list();
      const wanted = all.filter((one) => isWanted(one, wish));
      told.boards = readBack.answered;
      told.series = wanted.length;
      for (const series of wanted) {
        const { blocks, missing } = await readBack.read(series, (count) => {
          told.blocks += count;
        });
        for (let at = 0; at < blocks.length; at += portion) {
          told.readings += this.#keeping.restore(blocks.slice(at, at + portion));
          await new Promise((resolve) => setImmediate(resolve));
        }
        told.missing += missing;
        told.seriesDone++;
      }
      told.state = "done";
    } catch (error) {
      told.state = "failed";
      told.reason = (error as Error).message;
    }
  }
}

export function isWanted(
  one: { readonly board: string; readonly metric: string },
  wish: RestoreWish,
): boolean {
  return (wish.board ?? one.board) === one.board && (wish.metric ?? one.metric) === one.metric;
}
