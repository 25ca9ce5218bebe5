/** What a board holds, read and told without writing: its chip, partitions, apps; or every byte of its flash. */
import { type AppDescriptor, appStartBytes, readAppStart } from "../images/app-image.ts";
import { ImageError } from "../images/image-error.ts";
import { isSelection } from "../images/layout.ts";
import { type OtaSelection, otaDataBytes, readOtaData } from "../images/ota-data.ts";
import {
  AppSubtype,
  type Partition,
  PartitionType,
  partitionTableBytes,
  partitionTableOffset,
  readPartitionTable,
} from "../images/partition-table.ts";
import { withLoader } from "./attempts.ts";
import { type ChipFacts, locks } from "./chip-facts.ts";
import type { Progress } from "./flash-board.ts";
import type { Loader } from "./loader.ts";
import { problem } from "./problems.ts";
import { BoardPort } from "./serial/board-port.ts";

export interface ReadJob {
  readonly port: string;
  /** The fastest rate to try, in bit/s. */
  readonly baud: number;
  /** Gets the whole flash. */
  readonly backup: ((bytes: Uint8Array) => Promise<void>) | undefined;
  readonly signal: AbortSignal | undefined;
  report(progress: Progress): void;
}

export interface BoardContent {
  readonly port: string;
  readonly chip: ChipFacts;
  /** Empty when there is no sound table; then `problem` says what is there. */
  readonly partitions: readonly Partition[];
  readonly problem: string | undefined;
  /** By the partition's name; undefined for a slot that begins with no app. */
  readonly apps: Readonly<Record<string, AppDescriptor | null>>;
  /** Which slot boots; undefined when nothing is selected. */
  readonly selection: OtaSelection | undefined;
}

/** @throws {FlashProblem} */
export async function readBoard(job: ReadJob): Promise<BoardContent> {
  const port = new BoardPort(job.port, job.signal);
  job.report({ step: "connect", note: "", done: undefined });
  return withLoader(
    port,
    job.baud,
    { board: "unchanged" },
    async (loader) => {
      const { facts } = loader;
      // What an encrypted flash holds says nothing.
      if (facts.flashEncryption || facts.secureDownload)
        throw problem.secureChip(job.port, locks(facts), "read");
      const content = await contentOf(loader, job.port);
      if (job.backup !== undefined) {
        const tell = (done: number) => job.report({ step: "back up", note: facts.label, done });
        await job.backup(await readAll(loader, facts.flashBytes, tell));
      }
      await loader.restart();
      return content;
    },
    (reason) => job.report({ step: "again", note: reason, done: undefined }),
  );
}

/** The whole flash, in parts that are verified each and asked for again when they came broken. */
export async function readAll(
  loader: Loader,
  flashBytes: number,
  tell: (done: number) => void,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(flashBytes);
  for (let at = 0; at < flashBytes; at += partBytes) {
    bytes.set(await loader.read(at, Math.min(partBytes, flashBytes - at)), at);
    tell((at + partBytes) / flashBytes);
  }
  return bytes;
}

const partBytes = 0x4_0000;

async function contentOf(loader: Loader, port: string): Promise<BoardContent> {
  const chip = loader.facts;
  const empty = { port, chip, partitions: [], apps: {}, selection: undefined };
  let partitions: Partition[];
  try {
    partitions = readPartitionTable(await loader.read(partitionTableOffset, partitionTableBytes));
  } catch (error) {
    if (error instanceof ImageError) return { ...empty, problem: error.message };
    throw error;
  }
  const apps: Record<string, AppDescriptor | null> = {};
  for (const { name, type, offsetBytes } of partitions) {
    if (type === PartitionType.app)
      apps[name] = readAppStart(await loader.read(offsetBytes, appStartBytes)) ?? null;
  }
  return {
    port,
    chip,
    partitions,
    problem: undefined,
    apps,
    selection: await selectionOf(loader, partitions),
  };
}

async function selectionOf(
  loader: Loader,
  partitions: readonly Partition[],
): Promise<OtaSelection | undefined> {
  const selection = partitions.find(isSelection);
  const slots = partitions.filter(
    ({ type, subtype }) =>
      type === PartitionType.app && subtype >= AppSubtype.ota0 && subtype <= AppSubtype.otaMax,
  );
  if (selection === undefined || slots.length === 0) return undefined;
  return readOtaData(await loader.read(selection.offsetBytes, otaDataBytes), slots.length);
}
