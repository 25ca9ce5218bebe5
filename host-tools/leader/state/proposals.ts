/** What this host has the swarm agree on: on its own behalf, and for whoever asks it to. */
import type { StateValue } from "../../../protocols/state/command.ts";
import type { Actor } from "../access/actor.ts";
import { askToSet } from "../api/leader-requests.ts";
import type { Leadership } from "../hosts/leadership.ts";
import type { CommandId } from "../raft/command-id.ts";
import type { ExpectedPut } from "../raft/host-member-types.ts";
import type { Committed } from "../raft/outcomes.ts";
import type { Replica } from "../raft/replica.ts";
import type { AgreedState } from "./agreed-state.ts";
import { type Command, carryOut, carryOutAll } from "./commands.ts";
import type { Deployment } from "./deployment.ts";
import { carryOutDraft, type DraftProgress } from "./draft.ts";

export interface ProposalsOptions {
  readonly replica: Replica;
  readonly deployment: Deployment;
  readonly state: AgreedState;
  readonly leadership: Pick<Leadership, "leader">;
  /** This host, when it asks the leader on its own behalf. */
  readonly own: Actor;
}

export class Proposals {
  readonly #options: ProposalsOptions;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  /** For one command that was not tried yet. */
  newCommandId(): CommandId {
    return this.#options.replica.newCommandId();
  }

  /**
   * What no client sets, as long as this host leads: made only while the value is still `present`. `value` undefined deletes the key, `present` undefined means
   * that there is none. Rejects with `ApiFailure`.
   */
  async put(key: string, value: StateValue | undefined, present: StateValue | undefined): Promise<void> {
    const group = { ...this.#options, askLeader: () => undefined };
    await carryOut(group, this.#command(key, value, present), true);
  }

  /** All in one entry, as long as this host leads, or none. Rejects with `ApiFailure`. */
  putAll(puts: readonly ExpectedPut[]): Promise<Committed> {
    return carryOutAll(this.#options, puts);
  }

  /** The same of more than an entry holds; one draft at a time. */
  putDraft(puts: readonly ExpectedPut[], progress: DraftProgress): Promise<Committed> {
    return carryOutDraft(this.#options, puts, progress);
  }

  /** As `put`, whichever host leads. */
  async putByLeader(key: string, value: StateValue, present: StateValue | undefined): Promise<void> {
    await this.carryOut(this.#command(key, value, present), this.#options.own, false);
  }

  /** For `actor`, whichever host leads, unless another host asks. Rejects with `ApiFailure`. */
  carryOut(command: Command, actor: Actor, isForwarded: boolean): Promise<Committed> {
    const askLeader = (wanted: Command, timeoutMs: number) => {
      const { leader } = this.#options.leadership;
      return leader === undefined || leader === "here"
        ? undefined
        : askToSet(leader, wanted, actor, timeoutMs);
    };
    return carryOut({ ...this.#options, askLeader }, command, isForwarded);
  }

  #command(key: string, value: StateValue | undefined, present: StateValue | undefined): Command {
    return { key, value, id: this.newCommandId(), expected: present, isNew: present === undefined };
  }
}
