/** Reads back what boards keep: each block once, from whoever has it and gives it whole. */
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { type Holdings, KeeperRefuses, listAll } from "./holdings.ts";
import { NoAnswer, type Questions } from "./questions.ts";
import { common, countOf, has, type Ranges, unite, without } from "./ranges.ts";
import { readSeriesName } from "./series-name.ts";

export interface ReadBackOptions {
  readonly questions: Questions;
  /** Boards that may keep something and are connected. */
  keepers(): readonly string[];
}

export interface KeptSeries {
  readonly board: string;
  readonly metric: string;
  /** As they lie on boards, one for each disk of a host that took its blocks. */
  readonly names: readonly string[];
}

/** All that boards keep of one metric of one board, in memory: no more than a ring holds. */
export interface SeriesRead extends KeptSeries {
  /** In the order of their time. */
  readonly blocks: readonly KeptBlock[];
  /** Listed, and given by nobody. */
  readonly missing: number;
}

export class ReadBack {
  readonly #options: ReadBackOptions;
  readonly #listed = new Map<string, Holdings>();

  constructor(options: ReadBackOptions) {
    this.#options = options;
  }

  /** Boards that said what they keep. */
  get answered(): readonly string[] {
    return [...this.#listed.keys()];
  }

  /** Asks all keepers what they have, and gives the series in the order of their names. Boards that do not answer are left out. */
  async list(): Promise<KeptSeries[]> {
    const { questions, keepers } = this.#options;
    for (const board of keepers()) {
      try {
        const holdings = await listAll(async (cursor) => {
          const answer = await questions.ask(board, { kind: "list", cursor });
          if (answer.kind === "held") return answer;
          throw new KeeperRefuses(board, answer.kind);
        });
        this.#listed.set(board, holdings);
      } catch (error) {
        if (!(error instanceof NoAnswer || error instanceof KeeperRefuses)) throw error;
      }
    }
    const found = new Map<string, { board: string; metric: string; names: string[] }>();
    const names = new Set([...this.#listed.values()].flatMap((holdings) => [...holdings.series]));
    for (const name of [...names].sort()) {
      const series = readSeriesName(name);
      if (series === undefined) continue;
      const { board, metric } = series;
      const known = found.get(`${board}/${metric}`);
      if (known === undefined) found.set(`${board}/${metric}`, { board, metric, names: [name] });
      else known.names.push(name);
    }
    return [...found.values()];
  }

  /** `onBlocks` hears how many have come. */
  async read(series: KeptSeries, onBlocks: (count: number) => void = () => {}): Promise<SeriesRead> {
    const blocks: KeptBlock[] = [];
    let missing = 0;
    for (const name of series.names) {
      let left = unite(...[...this.#listed.values()].map((holdings) => holdings.of(name)));
      for (const [board, holdings] of this.#bestFirst(name)) {
        const wanted = common(left, holdings.of(name));
        if (wanted.length === 0) continue;
        const given = await this.#readFrom(board, name, wanted, onBlocks);
        blocks.push(...given);
        left = without(left, unite(given.map(({ number }) => [number, number] as const)));
      }
      missing += countOf(left);
    }
    blocks.sort((a, b) => a.firstMs - b.firstMs || a.number - b.number);
    return { ...series, blocks, missing };
  }

  #bestFirst(name: string): [string, Holdings][] {
    return [...this.#listed].sort(([, a], [, b]) => countOf(b.of(name)) - countOf(a.of(name)));
  }

  async #readFrom(
    board: string,
    series: string,
    wanted: Ranges,
    onBlocks: (count: number) => void,
  ): Promise<KeptBlock[]> {
    const given = new Map<number, KeptBlock>();
    const [from, to] = [wanted[0]![0], wanted.at(-1)![1]];
    try {
      for (let cursor: number | undefined = 0; cursor !== undefined; ) {
        const page = await this.#options.questions.ask(board, { kind: "read", cursor, series, from, to });
        if (page.kind !== "blocks") break;
        const before = given.size;
        for (const block of page.blocks) {
          if (block.series === series && has(wanted, block.number)) given.set(block.number, block);
        }
        onBlocks(given.size - before);
        cursor = page.next;
      }
    } catch (error) {
      // What it gave is good; another one may have the rest.
      if (!(error instanceof NoAnswer)) throw error;
    }
    return [...given.values()];
  }
}
