/** Boards of one swarm, provisioned one by one or several at once: each gets its identity from the swarm's keys, and the ledger says which hardware it is. */
import type { Contact } from "../../protocols/provisioning/contact.ts";
import type { Scope } from "../../protocols/security/identity/scope.ts";
import type { BoardDescription } from "../boards/boards.ts";
import { chips } from "../chips/chips.ts";
import type { ChipFacts } from "../flasher/chip-facts.ts";
import type { Progress } from "../flasher/flash-board.ts";
import { FlashProblem } from "../flasher/problems.ts";
import type { KeyFolder } from "../keys/key-folder.ts";
import type { RootKeys } from "../keys/root-file.ts";
import { type Holder, kidText, type StoredValues, valuesOf } from "./board-settings.ts";
import { contactKeyFor, identityFor, presentIdentity } from "./identities.ts";
import type { BoardEntry, BoardLedger } from "./ledger.ts";
import { type Choice, type ProvisionReport, provisionBoard } from "./provision-board.ts";
import { rescueFiles } from "./rescue-files.ts";

export interface ProvisionerOptions {
  readonly folder: KeyFolder;
  readonly keys: RootKeys;
  readonly ledger: BoardLedger;
  /** Boards that vote; TLS is not for them. */
  readonly voters: readonly string[];
  /** Also over another board's identity, and to another piece of hardware than the ledger has. */
  readonly replace: boolean;
  readonly dryRun: boolean;
  /** The fastest rate to try, in bit/s. */
  readonly baud: number;
  readonly signal: AbortSignal | undefined;
}

/** What a board is to be. */
export interface BoardOrder {
  readonly name: string;
  readonly model: BoardDescription;
  readonly scope: Scope | undefined;
  readonly contact: Contact;
}

export interface BoardReport extends ProvisionReport {
  readonly name: string;
  readonly model: string;
}

export class Provisioner {
  readonly #options: ProvisionerOptions;
  readonly #contactKey: Uint8Array;

  constructor(options: ProvisionerOptions) {
    this.#options = options;
    this.#contactKey = contactKeyFor(options.keys, options.folder.swarm);
  }

  /** @param orderFor says what the board is to be, once it is known which it is @throws {FlashProblem} {KeyError} {MemberFileError} */
  async provision(
    port: string,
    orderFor: (facts: ChipFacts, held: Holder | undefined) => BoardOrder,
    report: (progress: Progress) => void,
  ): Promise<BoardReport> {
    const { folder, baud, dryRun, signal } = this.#options;
    let order: BoardOrder | undefined;
    const done = await provisionBoard({
      ...{ port, baud, dryRun, signal, report, rescue: rescueFiles(folder.path) },
      chosen: async (facts, held) => {
        order = orderFor(facts, held);
        return this.#choice(port, order, facts, held);
      },
    });
    const { name, model } = order!;
    if (!dryRun) this.#write(order!, done.chip, done.holder!.kid, "done");
    return { ...done, name, model: model.name };
  }

  /** All that a board of this name is given, for a file. */
  values(order: BoardOrder): StoredValues {
    const { folder, keys } = this.#options;
    return this.#valuesWith(identityFor(folder, keys, order.name, order.scope), order);
  }

  /** Whether an identity was revoked: its name is free for other hardware. */
  isRevoked(kid: string): boolean {
    return this.#options.folder
      .ledger()
      .entries.some((entry) => entry.kid === kid && entry.revoked !== undefined);
  }

  /** Without a pause from here to the line in the ledger, so that boards on several ports never get one name. */
  #choice(port: string, order: BoardOrder, facts: ChipFacts, held: Holder | undefined): Choice {
    const { folder, keys, replace, dryRun } = this.#options;
    const { name, scope } = order;
    refuseOtherChip(port, order, facts);
    if (!replace) {
      this.#refuseOtherBoard(port, order, facts, held);
      this.#refuseSecondBoard(order, facts);
    }
    const present = presentIdentity(folder, name);
    if (present === undefined && dryRun) return { name, values: undefined, keepsIdentity: false, replace };
    const isItsOwn = present !== undefined && held?.kid === present.kid && held.hasKey && this.#isHere(held);
    if (isItsOwn && !folder.hasIssued(name)) {
      // Its file is where it belongs: on the board, and nowhere else.
      this.#begin(order, facts, present.kid);
      const none = new Uint8Array(0);
      const member = { root: none, signed: none, privateKey: none };
      return { name, values: this.#valuesWith(member, order), keepsIdentity: true, replace };
    }
    const member = identityFor(folder, keys, name, scope);
    this.#begin(order, facts, kidText(member.signed));
    return { name, values: this.#valuesWith(member, order), keepsIdentity: false, replace };
  }

  #valuesWith(member: Parameters<typeof valuesOf>[0]["member"], { name, contact }: BoardOrder): StoredValues {
    const { folder, voters } = this.#options;
    const authority = voters.includes(name) ? undefined : folder.authority;
    return valuesOf({ member, authority, contactKey: this.#contactKey, contact });
  }

  #isHere({ swarm, root }: Holder): boolean {
    const { folder } = this.#options;
    return swarm === folder.swarm && root === Buffer.from(folder.root).toString("base64url");
  }

  #refuseOtherBoard(port: string, { name }: BoardOrder, { mac }: ChipFacts, held: Holder | undefined): void {
    if (held === undefined || (held.name === name && this.#isHere(held))) return;
    const whose = this.#isHere(held)
      ? held.name
      : held.swarm === this.#options.folder.swarm
        ? `${held.name} under other keys of a swarm ${held.swarm}`
        : `${held.name} of the swarm ${held.swarm}`;
    throw new FlashProblem(
      "other-board",
      `The board on ${port} (${mac}) is ${whose} already; to make it ${name}, say --replace.`,
    );
  }

  #refuseSecondBoard({ name }: BoardOrder, { mac }: ChipFacts): void {
    const entry = this.#options.ledger.named(name);
    if (entry === undefined || entry.mac === mac || this.isRevoked(entry.identity)) return;
    throw new FlashProblem(
      "other-board",
      `${name} is the board ${entry.mac} since ${entry.at.slice(0, 10)}, and two boards with one identity shut each other out. If that one is gone, covey keys revoke ${name} first; if this one takes its place with the same identity, say --replace.`,
    );
  }

  /** Durable before the flash is touched. What is done already stays so. */
  #begin(order: BoardOrder, facts: ChipFacts, identity: string): void {
    const present = this.#options.ledger.named(order.name);
    const isDone = present?.state === "done" && present.mac === facts.mac && present.identity === identity;
    if (!this.#options.dryRun && !isDone) this.#write(order, facts, identity, "begun");
  }

  #write(
    { name, model }: BoardOrder,
    { mac, label }: ChipFacts,
    identity: string,
    state: BoardEntry["state"],
  ): void {
    const at = new Date().toISOString();
    this.#options.ledger.write({ at, name, mac, chip: label, model: model.name, identity, state });
  }
}

export function fits({ chip }: BoardDescription, facts: Pick<ChipFacts, "chip">): boolean {
  return chip === facts.chip;
}

function refuseOtherChip(port: string, { name, model }: BoardOrder, facts: ChipFacts): void {
  if (fits(model, facts)) return;
  throw new FlashProblem(
    "refused",
    `${name} is an ${model.name} with an ${chips[model.chip].label}, and the board on ${port} has an ${facts.label}: take the right board, or say another --model.`,
  );
}
