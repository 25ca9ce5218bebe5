/**
 * Comparing checkpoints, and bringing one back: what differs is one entry of the log, so nobody ever sees half of it, and a leader that dies meanwhile has
 * carried out all of it or nothing.
 *
 * With it goes who restored what (`covey/restored`) and, where programs change, which programs of `swarm.ts` they stand in for
 * (`covey/restored-over`): a leader with that same `swarm.ts` leaves them alone, one with another deploys its own.
 */
import type { StateValue } from "../../../protocols/state/command.ts";
import { putsLimits } from "../../../protocols/state/puts.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { CheckpointDifference, CheckpointRestored } from "../api/types/checkpoints.ts";
import type { ExpectedPut } from "../raft/host-member-types.ts";
import type { Committed } from "../raft/outcomes.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import { definitionDigest } from "../state/deployment.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { differences, planDigest } from "./difference.ts";
import { isKept, partOf, restoredKey, restoredOverKey } from "./restorable.ts";
import {
  bytesOf,
  fitsAnEntry,
  planRestore,
  type RestoreChoice,
  type RestorePlan,
  type StateValues,
} from "./restore-plan.ts";

export interface RestoringOptions {
  readonly definition: SwarmDefinition;
  readonly state: AgreedState;
  readonly checkpoints: Checkpoints;
  readonly now: () => number;
  /** All in one entry. Rejects with `ApiFailure`. */
  putAll(puts: readonly ExpectedPut[]): Promise<Committed>;
}

export interface RestoreRequest extends RestoreChoice {
  readonly name: string;
  /** What was shown of it, as `CheckpointDifference.digest` said. */
  readonly shown: string;
}

/** The state as it is. */
const now = "now";

export class Restoring {
  readonly #options: RestoringOptions;

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  /** From one checkpoint to another; `now` is the state as it is. Rejects with `ApiFailure`. */
  async compare(from: string, to: string, choice: RestoreChoice): Promise<CheckpointDifference> {
    const [before, after] = [await this.#values(from), await this.#values(to)];
    const { puts, leftOut } = planRestore(this.#options.definition, before, after, choice);
    const all = this.#withNotes(puts, to, "somebody");
    return {
      ...{ from, to, leftOut },
      differences: differences(before, after),
      restore: {
        // As a reader of both sees it, and not what does not come back.
        changes: differences(before, merged(before, puts)),
        digest: planDigest(puts),
        keys: all.length,
        bytes: bytesOf(all),
        fits: fitsAnEntry(all),
      },
    };
  }

  /** Rejects with `ApiFailure`. */
  async restore({ name, shown, ...choice }: RestoreRequest, by: string): Promise<CheckpointRestored> {
    const { state, definition, checkpoints, putAll } = this.#options;
    const wanted = await this.#values(name);
    const plan = () => planRestore(definition, this.#present(), wanted, choice);
    const first = plan();
    // Asked again by whoever had no answer: it is done.
    if (first.puts.length === 0) return { name, changed: 0, leftOut: first.leftOut };
    this.#demandFit(this.#withNotes(first.puts, name, by));
    this.#demandShown(first, shown);
    const saved = `before-${state.lastIndex}`;
    await checkpoints.create(saved, by, true);
    const { puts, leftOut } = plan();
    this.#demandShown({ puts, leftOut }, shown);
    const { index } = await putAll(this.#withNotes(puts, name, by));
    return { name, changed: puts.length, leftOut, index, saved };
  }

  #withNotes(puts: RestorePlan["puts"], name: string, by: string): ExpectedPut[] {
    const { definition, now: clock } = this.#options;
    const time = new Date(clock()).toISOString().slice(0, 19);
    const own: ExpectedPut[] = [{ key: restoredKey, value: `${name} by ${by.slice(0, 48)} ${time}Z` }];
    const hasPrograms = puts.some(({ key }) => partOf(key) === "programs" || partOf(key) === "models");
    if (hasPrograms) own.push({ key: restoredOverKey, value: definitionDigest(definition) });
    const expected = puts.map(({ key, value, present }) => ({ key, value, expected: { value: present } }));
    return [...expected, ...own];
  }

  #demandFit(puts: readonly ExpectedPut[]): void {
    if (fitsAnEntry(puts)) return;
    const { putsMax, bytesMax } = putsLimits;
    throw new ApiFailure(
      "out-of-limits",
      `This restore changes ${puts.length} keys in ${bytesOf(puts)} bytes, and what is agreed on at once has at most ${putsMax} keys in ${bytesMax} bytes; ` +
        "nothing was changed. Restore it in parts: --only settings, then --only programs --boards NAME.",
    );
  }

  #demandShown({ puts }: RestorePlan, shown: string): void {
    if (planDigest(puts) === shown) return;
    throw new ApiFailure(
      "unexpected-value",
      "The state has changed since the difference was shown; nothing was changed, look again.",
    );
  }

  async #values(name: string): Promise<StateValues> {
    return name === now ? this.#present() : (await this.#options.checkpoints.open(name)).values;
  }

  #present(): StateValues {
    const { state } = this.#options;
    const values = new Map<string, StateValue>();
    for (const key of state.keys()) if (isKept(key)) values.set(key, state.get(key)!.value);
    return values;
  }
}

function merged(before: StateValues, puts: RestorePlan["puts"]): StateValues {
  const values = new Map(before);
  for (const { key, value } of puts) values.set(key, value);
  return values;
}
