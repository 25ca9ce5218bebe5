/** Whose boards are provisioned: the swarm's keys, its ledger of boards, and what swarm.ts says of them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BoardDescription } from "../../boards/boards.ts";
import { BoardLedger } from "../../provisioner/ledger.ts";
import { ExclusiveLock } from "../../storage/exclusive-lock.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { Failed } from "../failure.ts";
import { definitionOf, type KeyOptions, type KeyPlace, openKeys } from "../keys/place.ts";
import type { Terminal } from "../terminal.ts";
import { knownBoards } from "../verbs/boards.ts";
import type { ContactOptions } from "./contact.ts";

export interface ProvisionOptions extends KeyOptions, ContactOptions {
  readonly port: readonly string[];
  readonly all?: boolean;
  readonly from?: string;
  readonly model?: string;
  readonly labels?: string;
  readonly imageOnly?: string;
  readonly lin?: string;
  readonly show?: boolean;
  readonly dryRun?: boolean;
  readonly replace?: boolean;
  readonly baud: number;
}

export interface SwarmPlace extends KeyPlace {
  readonly ledger: BoardLedger;
  readonly models: ReadonlyMap<string, BoardDescription>;
  /** undefined where there is no swarm.ts. */
  readonly definition: SwarmDefinition | undefined;
}

/** @throws {Failed} {WrongInput} {KeyError} {LedgerDamaged} and what loading swarm.ts does */
export async function openPlace(terminal: Terminal, options: ProvisionOptions): Promise<SwarmPlace> {
  const keys = await openKeys(terminal, options);
  if (keys.isSimulated && options.lin === undefined) {
    throw new Failed(
      "A simulation's keys stand in the clear and are for no real board; make the swarm's own with covey keys init.",
      "no-keys",
    );
  }
  const { defaultSwarmPath } = await import("../../swarm-file/load.ts");
  const hasSwarm = options.file !== undefined || existsSync(defaultSwarmPath());
  return {
    ...keys,
    ledger: BoardLedger.open(keys.folder.path),
    models: await knownBoards(),
    definition: hasSwarm ? await definitionOf(keys, options) : undefined,
  };
}

/** One process at a time gives names to boards. @throws {Failed} */
export async function holdingLedger<Result>(
  { folder }: SwarmPlace,
  act: () => Promise<Result>,
): Promise<Result> {
  const lock = ExclusiveLock.take(join(folder.path, "boards.lock"));
  if (lock === undefined)
    throw new Failed(
      "Another covey provision is at work on this swarm's boards; try again when it is done.",
      "keys-in-use",
    );
  try {
    return await act();
  } finally {
    lock.release();
  }
}
