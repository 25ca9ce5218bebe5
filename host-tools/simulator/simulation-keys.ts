/**
 * Who is who in a simulated swarm: a root of its own in `simulation-keys/`, without a passphrase, which issues every host's and board's
 * identity at the first start. They are kept, so that whoever was revoked stays so.
 */
import { join } from "node:path";
import { contactKeyOf } from "../../protocols/provisioning/contact.ts";
import { type IssueRequest, issueMembers } from "../keys/issue.ts";
import { KeyError, NoKeys } from "../keys/key-error.ts";
import { KeyFolder } from "../keys/key-folder.ts";
import { latestOf, standingOf } from "../keys/ledger.ts";
import { revokeMembers } from "../keys/revoke.ts";
import { MemberFileError, type MemberSecrets } from "../security/member-file.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { SimulationError } from "./simulation-error.ts";

/** In `.covey/<swarm>`. */
export const simulationKeysName = "simulation-keys";

export class SimulationKeys {
  /** What boards open the swarm's next contact with. */
  readonly contactKey: Uint8Array;
  readonly #folder: KeyFolder;

  private constructor(folder: KeyFolder, contactKey: Uint8Array) {
    this.#folder = folder;
    this.contactKey = contactKey;
  }

  /**
   * Makes or opens the root in `stateFolder`, and issues what hosts and boards of the swarm never had, or have lost.
   * @throws {SimulationError}
   */
  static async prepare(
    stateFolder: string,
    { name: swarm, hosts, boards }: SwarmDefinition,
  ): Promise<SimulationKeys> {
    try {
      const folder = await openOrCreate(join(stateFolder, simulationKeysName), swarm);
      await issueMissing(folder, [
        ...hosts.map((name): IssueRequest => ({ name, role: "host" })),
        ...Object.keys(boards).map((name): IssueRequest => ({ name, role: "board" })),
      ]);
      const { root } = await folder.unlock();
      return new SimulationKeys(folder, contactKeyOf(nodeCiphers, root, swarm));
    } catch (error) {
      if (error instanceof KeyError) throw new SimulationError(error.message);
      throw error;
    }
  }

  /** Where a host finds its identity. */
  memberFile(host: string): string {
    return this.#folder.issuedPath(host);
  }

  /** @throws {SimulationError} */
  secretsOf(board: string): MemberSecrets {
    try {
      return this.#folder.readIssued(board);
    } catch (error) {
      if (error instanceof MemberFileError) throw new SimulationError(error.message);
      throw error;
    }
  }
}

async function openOrCreate(path: string, swarm: string): Promise<KeyFolder> {
  try {
    return KeyFolder.open(path);
  } catch (error) {
    if (!(error instanceof NoKeys)) throw error;
    return KeyFolder.create(path, swarm, undefined);
  }
}

async function issueMissing(folder: KeyFolder, wanted: readonly IssueRequest[]): Promise<void> {
  const ledger = folder.ledger();
  const known = wanted.flatMap(({ name }) => latestOf(ledger, name) ?? []);
  // A board that became a host, or the other way round, and whoever's file is gone.
  const stale = known.filter((entry) => {
    const { role } = wanted.find(({ name }) => name === entry.name)!;
    return standingOf(ledger, entry) === "belongs" && (entry.role !== role || !folder.hasIssued(entry.name));
  });
  const names = new Set(known.filter((entry) => !stale.includes(entry)).map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !names.has(name));
  if (missing.length === 0) return;
  const keys = await folder.unlock();
  if (stale.length > 0) {
    const staleNames = stale.map(({ name }) => name);
    revokeMembers(folder, keys, staleNames, "replaced in the simulation", Date.now());
  }
  issueMembers(folder, keys, missing, Date.now());
}
