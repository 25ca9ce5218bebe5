/**
 * A whole box of boards against its list: which line a board is. In this order: the line with its MAC; the line that the ledger gave it before; the line whose identity it has; the line of its port; the
 * next line that is free and of its chip. A board that was done before comes out as what it is, so a second run does only what is missing.
 */
import type { ChipFacts } from "../flasher/chip-facts.ts";
import { FlashProblem } from "../flasher/problems.ts";
import type { Holder } from "./board-settings.ts";
import type { BoxRow } from "./box-list.ts";
import type { BoardEntry } from "./ledger.ts";
import { fits } from "./provisioner.ts";

export interface BoxSurroundings {
  readonly swarm: string;
  /** What the ledger has of a name. */
  named(name: string): BoardEntry | undefined;
  /** Whether its identity was revoked, so that its name is free for other hardware. */
  isRevoked(kid: string): boolean;
}

export class Box {
  readonly rows: readonly BoxRow[];
  readonly #around: BoxSurroundings;
  /** Chosen in this run, by MAC: in a dry run the ledger does not know. */
  readonly #chosen = new Map<string, BoxRow>();

  constructor(rows: readonly BoxRow[], around: BoxSurroundings) {
    this.rows = rows;
    this.#around = around;
  }

  /** Those that no board was provisioned as yet. */
  get left(): BoxRow[] {
    return this.rows.filter(({ name }) => {
      const entry = this.#around.named(name);
      return entry?.state !== "done" || this.#around.isRevoked(entry.identity);
    });
  }

  /** @throws {FlashProblem} when no line is left for it */
  choose(port: string, facts: ChipFacts, held: Holder | undefined): BoxRow {
    const row = this.#chosen.get(facts.mac) ?? this.#known(facts.mac, held) ?? this.#free(port, facts);
    if (row === undefined) {
      throw new FlashProblem(
        "refused",
        `No line of the list is left for the board on ${port} (${facts.label} ${facts.mac}): add one for it.`,
      );
    }
    this.#chosen.set(facts.mac, row);
    return row;
  }

  #known(mac: string, held: Holder | undefined): BoxRow | undefined {
    const named = this.rows.find((row) => row.mac === mac);
    if (named !== undefined) return named;
    const before = this.rows.find(({ name }) => this.#around.named(name)?.mac === mac);
    if (before !== undefined) return before;
    if (held?.swarm !== this.#around.swarm) return undefined;
    return this.rows.find((row) => row.name === held.name && row.mac === undefined && this.#isFree(row));
  }

  #free(port: string, facts: ChipFacts): BoxRow | undefined {
    const free = this.rows.filter((row) => row.mac === undefined && this.#isFree(row));
    return (
      free.find((row) => row.port === port) ??
      free.find((row) => row.port === undefined && fits(row.model, facts))
    );
  }

  #isFree(row: BoxRow): boolean {
    if ([...this.#chosen.values()].includes(row)) return false;
    const entry = this.#around.named(row.name);
    return entry === undefined || this.#around.isRevoked(entry.identity);
  }
}
