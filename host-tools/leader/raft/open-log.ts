/** Opens a host's log, or founds the group's first; never goes on empty where a log used to be. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { noConfiguration } from "../../../protocols/raft/confchange.ts";
import { configurationToEntry } from "../../../protocols/raft/membership.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { LogFile, logFileName } from "./log-file.ts";
import { DamagedLog, NewerLog } from "./log-records.ts";
import { nameOf } from "./voter-policy.ts";

/** This host has no usable log, and may not begin with an empty one by itself. */
export class LogUnusable extends Error {
  override readonly name = "LogUnusable";
  /** Where the damaged log is kept; undefined when nothing is damaged. */
  readonly keptAs: string | undefined;

  constructor(message: string, keptAs: string | undefined) {
    super(message);
    this.keptAs = keptAs;
  }
}

/**
 * The log in `directory`; where there never was one, a new one for a group of this host alone, if it is the first of `hostNames`. A damaged log is moved aside,
 * now and at every later start the operator has to decide. @throws {LogUnusable}
 */
export async function openLog(
  directory: string,
  hostName: string,
  hostNames: readonly string[],
  now: Date,
): Promise<LogFile> {
  let log: LogFile | undefined;
  try {
    log = await LogFile.open(directory);
  } catch (error) {
    // A newer log is sound: it stays where it is.
    if (error instanceof NewerLog) throw new LogUnusable(error.message, undefined);
    if (!(error instanceof DamagedLog)) throw error;
    const keptAs = `${error.file}.damaged-${timestamp(now)}`;
    await rename(error.file, keptAs);
    throw new LogUnusable(`${error.message} It is kept as ${keptAs}. ${wayOut(directory)}`, keptAs);
  }
  if (log !== undefined) {
    const owner = nameOf(log.memberId);
    if (owner === hostName) return log;
    await log.close();
    throw new LogUnusable(
      `${log.path} belongs to host ${owner}, not ${hostName}: start this host with its own folder.`,
      undefined,
    );
  }
  await mkdir(directory, { recursive: true });
  const files = await readdir(directory);
  const damaged = files.find((file) => file.startsWith(`${logFileName}.damaged-`));
  if (damaged !== undefined) {
    const keptAs = join(directory, damaged);
    throw new LogUnusable(
      `The Raft log of host ${hostName} was damaged and is kept as ${keptAs}. ${wayOut(directory)}`,
      keptAs,
    );
  }
  const founder = hostNames[0];
  // Two groups of one swarm would each commit what the other never hears of.
  if (hostName !== founder) {
    throw new LogUnusable(
      `Host ${hostName} has no Raft log, and only the first host of the swarm founds its group: start ${founder}.`,
      undefined,
    );
  }
  return found(directory, hostName);
}

/** A new member under a new incarnation, and a first configuration of it alone. */
async function found(directory: string, hostName: string): Promise<LogFile> {
  const memberId: MemberId = `${hostName}.${randomBytes(4).toString("hex")}`;
  const first = {
    index: 1,
    term: 1,
    kind: EntryKind.membership,
    ...configurationToEntry({ ...noConfiguration, voters: [memberId] }),
  };
  return LogFile.create(directory, memberId, {
    hardState: { term: 1, vote: memberId },
    truncateFrom: 0,
    entries: [first],
  });
}

function wayOut(directory: string): string {
  return `Put a sound copy back as ${join(directory, logFileName)}, or delete ${directory} and reset the boards to start the swarm anew, without its settings.`;
}

/** Fit for a file name: 20261122T223000Z. */
function timestamp(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}
