/** The root's statement about who belongs, on its way into the agreed state and out of it. */
import { readRoster, rosterKey } from "../../../protocols/security/identity/roster.ts";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { Leadership } from "../hosts/leadership.ts";
import type { Log } from "../log.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import type { Proposals } from "../state/proposals.ts";
import type { Membership } from "./membership.ts";

export interface AgreedRosterOptions {
  readonly definition: SwarmDefinition;
  readonly state: AgreedState;
  readonly membership: Membership;
  readonly leadership: Leadership;
  readonly proposals: Proposals;
  readonly log: Log;
}

export class AgreedRoster {
  readonly #options: AgreedRosterOptions;
  #isRestating = false;

  constructor(options: AgreedRosterOptions) {
    this.#options = options;
  }

  /** Grows whenever the root has said anew who belongs. */
  get epoch(): number {
    return this.#options.membership.roster.epoch;
  }

  /** Resolves once the root's statement is agreed on. Rejects with `ApiFailure`. */
  async take(statement: Uint8Array): Promise<{ epoch: number }> {
    const { state, definition, membership, leadership, proposals } = this.#options;
    const { ciphers, own } = membership;
    const wanted = readRoster(ciphers, own.root, statement);
    if (wanted === undefined || wanted.swarm !== definition.name) {
      throw new ApiFailure("bad-request", `The root of ${definition.name} did not sign that.`);
    }
    await leadership.demand();
    const present = state.get(rosterKey)?.value;
    const { epoch } = wanted;
    // Whoever was told of a time-out asks again.
    if (present instanceof Uint8Array && isSameBytes(present, statement)) return { epoch };
    const agreed = present instanceof Uint8Array ? readRoster(ciphers, own.root, present) : undefined;
    // What this host knows may be newer than the state, of which more can be lost.
    const known = Math.max(agreed?.epoch ?? 0, this.epoch - 1);
    if (epoch <= known) {
      throw new ApiFailure(
        "not-newer",
        `Epoch ${Math.max(known, this.epoch)} is known already, and this statement is of epoch ${epoch}; make a newer one with covey keys.`,
      );
    }
    try {
      // A statement that was agreed on since then may be newer than this one.
      await proposals.put(rosterKey, statement, present);
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.code !== "unexpected-value") throw error;
      throw new ApiFailure(
        "not-newer",
        "Another statement was agreed on meanwhile; look at it and try again.",
      );
    }
    return { epoch };
  }

  /** Entries were applied, or a snapshot restored. */
  stateChanged(): void {
    const { state, membership, leadership, log } = this.#options;
    const agreed = state.get(rosterKey)?.value;
    if (membership.take(agreed) === "refused") log.error("roster-refused");
    // Of what the root said nothing gets lost with a log, and nothing is taken back by whoever broke into another leader.
    if (this.#isRestating || !leadership.isHere || !membership.isBehind(agreed)) return;
    this.#isRestating = true;
    this.take(membership.statement!)
      .catch((error: Error) => log.debug("roster-waits", { reason: error.message }))
      .finally(() => {
        this.#isRestating = false;
      });
  }
}
