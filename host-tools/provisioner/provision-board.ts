/**
 * Gives one board who it is and how it reaches its swarm: reads its NVS over the serial port, merges, and writes the sectors that differ.
 *
 * Only the partition `nvs` of the board's own table is touched. What else is in it (the radio's calibration, other programs' settings) is read, kept and written back. As a sector
 * is erased before it is written, a cable that is pulled then would take that along; so what was in the partition is kept on disk from before the first erase until all is verified,
 * and the next run goes on from there.
 */

import { sectorBytes } from "../chips/chips.ts";
import { withLoader } from "../flasher/attempts.ts";
import { type ChipFacts, locks } from "../flasher/chip-facts.ts";
import { difference, joined, type Range } from "../flasher/difference.ts";
import type { Progress } from "../flasher/flash-board.ts";
import type { Loader } from "../flasher/loader.ts";
import { type BoardState, FlashProblem, problem, verifyAttempts } from "../flasher/problems.ts";
import { BoardPort } from "../flasher/serial/board-port.ts";
import { ImageError } from "../images/image-error.ts";
import { isBlank, type Piece } from "../images/layout.ts";
import type { NvsItem } from "../images/nvs/format.ts";
import { readNvs } from "../images/nvs/read.ts";
import { NvsItemError, writeNvs } from "../images/nvs/write.ts";
import {
  DataSubtype,
  isData,
  type Partition,
  partitionTableBytes,
  partitionTableOffset,
  readPartitionTable,
} from "../images/partition-table.ts";
import {
  type Holder,
  holderOf,
  mergedItems,
  mergedValues,
  type StoredValues,
  sameValues,
  storedIn,
  withIdentityOf,
} from "./board-settings.ts";

export interface ProvisionJob {
  readonly port: string;
  /** The fastest rate to try, in bit/s. */
  readonly baud: number;
  /** What this board is to be; asked once. undefined: it is only looked at. @throws {FlashProblem} when it must not be */
  chosen(facts: ChipFacts, held: Holder | undefined): Promise<Choice | undefined>;
  /** Tells what would be written, and writes nothing. */
  readonly dryRun: boolean;
  /** Where what was in the partition is kept meanwhile. */
  readonly rescue: Rescue;
  readonly signal: AbortSignal | undefined;
  report(progress: Progress): void;
}

export interface Choice {
  readonly name: string;
  /** undefined in a dry run, for a board whose identity is yet to be issued. */
  readonly values: StoredValues | undefined;
  /** Root, identity and key are those that the board has. */
  readonly keepsIdentity: boolean;
  /** Also over another board's identity, a contact that the swarm gave, or what can't be read. */
  readonly replace: boolean;
}

/** By the MAC of the board. */
export interface Rescue {
  take(mac: string): Uint8Array | undefined;
  put(mac: string, partition: Uint8Array): void;
  drop(mac: string): void;
}

export interface ProvisionReport {
  readonly port: string;
  readonly chip: ChipFacts;
  readonly outcome: "written" | "unchanged" | "planned" | "read";
  /** Who the board was before. */
  readonly before: Holder | undefined;
  /** Who it is now, or would be; undefined for nobody. */
  readonly holder: Holder | undefined;
  /** Of the partition, that were or would be written. */
  readonly changedBytes: number;
  /** Namespaces of others that stayed. */
  readonly kept: readonly string[];
  /** An earlier run had been left half-way. */
  readonly wasHalfProvisioned: boolean;
  /** False when the board is to be restarted by hand. */
  readonly restarted: boolean;
  readonly attempts: number;
}

/** @throws {FlashProblem} and what `chosen` throws */
export async function provisionBoard(job: ProvisionJob): Promise<ProvisionReport> {
  const port = new BoardPort(job.port, job.signal);
  job.report({ step: "connect", note: "", done: undefined });
  const work = new ProvisionWork(job);
  return withLoader(
    port,
    job.baud,
    work,
    async (loader, attempt) => {
      const done = await work.run(loader);
      job.report({ step: "restart", note: loader.facts.label, done: undefined });
      const restarted = await loader.restart();
      job.report({ step: "done", note: loader.facts.label, done: 1 });
      return { port: job.port, chip: loader.facts, ...done, restarted, attempts: attempt };
    },
    (reason, baud) =>
      job.report({
        step: "again",
        note: `${reason}; at ${baud.toLocaleString("en-US")} bit/s`,
        done: undefined,
      }),
  );
}

type Done = Omit<ProvisionReport, "port" | "chip" | "restarted" | "attempts">;

/** What is to be written, and what there is to say of it. */
interface Plan {
  readonly piece: Piece | undefined;
  readonly done: Done;
}

class ProvisionWork {
  /** What would be told of the board if it ended now. */
  board: BoardState = "unchanged";
  fault: Error | undefined;
  readonly #job: ProvisionJob;
  /** Made in the first attempt that comes so far: later ones must not read what is half-written. */
  #plan: Plan | undefined;

  constructor(job: ProvisionJob) {
    this.#job = job;
  }

  async run(loader: Loader): Promise<Done> {
    this.#plan ??= await this.#planned(loader);
    const { piece, done } = this.#plan;
    if (piece === undefined) return done;
    const differs = await differing(piece, loader);
    const changedBytes = Math.max(
      done.changedBytes,
      differs.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0),
    );
    this.#plan = { piece, done: { ...done, changedBytes } };
    if (this.#job.dryRun) return { ...done, changedBytes };
    await this.#write(loader, piece, differs);
    this.board = "unchanged";
    this.#job.rescue.drop(loader.facts.mac);
    return { ...done, changedBytes };
  }

  async #planned(loader: Loader): Promise<Plan> {
    const { facts } = loader;
    const { port, dryRun, rescue, report } = this.#job;
    const locked = locks(facts);
    if (locked.length > 0) throw problem.secureChip(port, locked, "written");
    report({ step: "compare", note: facts.label, done: 0 });
    const partition = await nvsPartition(loader, port);
    const rescued = rescue.take(facts.mac);
    const present = rescued ?? (await loader.read(partition.offsetBytes, partition.sizeBytes));
    const { items, unreadable } = itemsIn(present);
    const held = storedIn(items);
    const before = holderOf(held);
    const choice = await this.#ownWork(() => this.#job.chosen(facts, before));
    const kept = [...new Set(items.map(({ namespace }) => namespace))].filter((name) => name !== "covey");
    const wasHalfProvisioned = rescued !== undefined;
    const done = { before, holder: before, changedBytes: 0, kept, wasHalfProvisioned };
    if (choice === undefined) return { piece: undefined, done: { ...done, outcome: "read" } };
    if (unreadable !== undefined && !choice.replace) {
      throw new FlashProblem(
        "refused",
        `What is in the settings (NVS) of the board on ${port} can't be read (${unreadable}); to write over it, say --replace.`,
      );
    }
    if (choice.values === undefined)
      return { piece: undefined, done: { ...done, holder: undefined, outcome: "planned" } };
    const wanted = choice.keepsIdentity ? withIdentityOf(held, choice.values) : choice.values;
    const values = mergedValues(wanted, held, choice.replace);
    const holder = holderOf(values);
    if (sameValues(values, held) && !wasHalfProvisioned)
      return { piece: undefined, done: { ...done, holder, outcome: "unchanged" } };
    const bytes = imageOf(mergedItems(items, values), partition, port);
    const outcome = dryRun ? "planned" : "written";
    if (!dryRun) await this.#ownWork(async () => rescue.put(facts.mac, present));
    return {
      piece: { name: partition.name, offsetBytes: partition.offsetBytes, bytes },
      done: { ...done, holder, outcome },
    };
  }

  /** What fails in it is no fault of the line's. */
  async #ownWork<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof FlashProblem)) this.fault = error as Error;
      throw error;
    }
  }

  async #write(loader: Loader, piece: Piece, differs: readonly Range[]): Promise<void> {
    let ranges = differs;
    const { report, port } = this.#job;
    for (let attempt = 1; ranges.length > 0; attempt++) {
      if (attempt > verifyAttempts)
        throw problem.wornFlash(port, piece.name, ranges[0]!.offsetBytes, "half-provisioned");
      this.board = "half-provisioned";
      const total = ranges.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
      let before = 0;
      for (const { offsetBytes, lengthBytes } of ranges) {
        const from = offsetBytes - piece.offsetBytes;
        const tell = (written: number) =>
          report({ step: "write", note: loader.facts.label, done: (before + written) / total });
        tell(0);
        await loader.write(offsetBytes, piece.bytes.subarray(from, from + lengthBytes), tell);
        before += lengthBytes;
      }
      report({ step: "verify", note: loader.facts.label, done: undefined });
      ranges = await differing(piece, loader);
    }
  }
}

/** Of a partition that is erased, only the sectors that hold something. */
async function differing(piece: Piece, loader: Loader): Promise<readonly Range[]> {
  const { ranges, blank } = await difference(piece, (offset, length) => loader.md5(offset, length));
  if (!blank) return ranges;
  const sectors: Range[] = [];
  for (let at = 0; at < piece.bytes.length; at += sectorBytes) {
    const isEmpty = isBlank(piece.bytes.subarray(at, at + sectorBytes));
    if (!isEmpty) sectors.push({ offsetBytes: piece.offsetBytes + at, lengthBytes: sectorBytes });
  }
  return joined(sectors);
}

async function nvsPartition(loader: Loader, port: string): Promise<Partition> {
  const found = tableIn(await loader.read(partitionTableOffset, partitionTableBytes), port).find(
    (each) => isData(each, DataSubtype.nvs) && each.name === "nvs",
  );
  if (found === undefined) {
    throw new FlashProblem(
      "refused",
      `The board on ${port} has no partition "nvs", where who it is would be kept: flash it with covey flash first, then provision it.`,
    );
  }
  const end = found.offsetBytes + found.sizeBytes;
  if (
    end > loader.facts.flashBytes ||
    found.sizeBytes % sectorBytes !== 0 ||
    found.sizeBytes < 3 * sectorBytes
  ) {
    throw new FlashProblem(
      "refused",
      `The partition "nvs" of the board on ${port} has ${found.sizeBytes} bytes, up to 0x${end.toString(16)}, and is none that can be used: flash the board with covey flash first.`,
    );
  }
  return found;
}

function tableIn(bytes: Uint8Array, port: string): Partition[] {
  try {
    return readPartitionTable(bytes);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new FlashProblem(
      "refused",
      `The board on ${port} has no partition table that can be used: flash it with covey flash first, then provision it.`,
    );
  }
}

/** Erased flash holds nothing, and is readable. */
function itemsIn(partition: Uint8Array): { items: NvsItem[]; unreadable: string | undefined } {
  try {
    return { items: readNvs(partition), unreadable: undefined };
  } catch (error) {
    if (error instanceof ImageError) return { items: [], unreadable: error.problem };
    throw error;
  }
}

function imageOf(items: readonly NvsItem[], { sizeBytes }: Partition, port: string): Uint8Array {
  try {
    return writeNvs(items, sizeBytes);
  } catch (error) {
    if (!(error instanceof NvsItemError)) throw error;
    throw new FlashProblem(
      "refused",
      `The settings (NVS) of the board on ${port} have no room left beside what others keep there: erase it with covey flash --erase, and provision it again.`,
    );
  }
}
