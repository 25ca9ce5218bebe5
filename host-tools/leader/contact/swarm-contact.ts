/** The contact by which boards are to reach their hosts: which one is agreed on, and agreeing on the next. */
import { contactStateKey } from "../../../protocols/provisioning/contact.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { AgreedContact, ContactStatus } from "../api/types/contact.ts";
import type { Leadership } from "../hosts/leadership.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import type { Proposals } from "../state/proposals.ts";
import { agreedContact, checkContact, contactStatus } from "./contact.ts";

export interface SwarmContactOptions {
  readonly state: AgreedState;
  readonly leadership: Leadership;
  readonly proposals: Proposals;
  /** Public key of the swarm's root. */
  readonly root: Uint8Array;
}

export class SwarmContact {
  readonly #options: SwarmContactOptions;

  constructor(options: SwarmContactOptions) {
    this.#options = options;
  }

  /** undefined while the swarm has agreed on none. */
  get status(): ContactStatus | undefined {
    return contactStatus(this.#options.state);
  }

  agreed(): AgreedContact {
    const { state, root } = this.#options;
    return { ...agreedContact(state), root: Buffer.from(root).toString("base64url") };
  }

  /** Resolves once it is agreed on. Rejects with `ApiFailure`. */
  async take(sealed: Uint8Array): Promise<ContactStatus> {
    const { state, leadership, proposals } = this.#options;
    await leadership.demand();
    const { present, isThere } = checkContact(state, sealed);
    try {
      if (!isThere) await proposals.put(contactStateKey, sealed, present);
    } catch (error) {
      // Another one was agreed on meanwhile: what it is, the check says.
      if (error instanceof ApiFailure && error.code === "unexpected-value") checkContact(state, sealed);
      throw error;
    }
    return this.status!;
  }
}
