/**
 * Comparing checkpoints, and bringing one back: one entry of the log changes all that differs, so nobody ever sees half of it, and a leader that dies meanwhile has
 * carried out all of it or nothing. What is more than that entry holds is put before it, as a draft.
 *
 * With it goes who restored what (`covey/restored`) and, where programs change, which programs of `swarm.ts` they stand in for
 * (`covey/restored-over`): a leader with that same `swarm.ts` leaves them alone, one with another deploys its own.
 */
import type { StateValue } from "../../../protocols/state/command.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { CheckpointDifference, CheckpointRestored, RestoreUnderWay } from "../api/types/checkpoints.ts";
import type { ExpectedPut } from "../raft/host-member-types.ts";
import type { Committed } from "../raft/outcomes.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import { definitionDigest } from "../state/deployment.ts";
import type { DraftProgress } from "../state/draft.ts";
import { smallestLogBytes } from "./board-flash.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { differences, planDigest } from "./difference.ts";
import { isKept, partOf, restoredKey, restoredOverKey } from "./restorable.ts";
import { planRestore, type RestoreChoice, type RestorePlan, type StateValues } from "./restore-plan.ts";
import { entriesOf, presentIn, sizeObjection, sizeOf } from "./restore-size.ts";

export interface RestoringOptions {
  readonly definition: SwarmDefinition;
  readonly state: AgreedState;
  readonly checkpoints: Checkpoints;
  readonly now: () => number;
  /** All in one entry. Rejects with `ApiFailure`. */
  putAll(puts: readonly ExpectedPut[]): Promise<Committed>;
  /** The same of more than an entry holds. */
  putDraft(puts: readonly ExpectedPut[], progress: DraftProgress): Promise<Committed>;
}

export interface RestoreRequest extends RestoreChoice {
  readonly name: string;
  /** What was shown of it, as `CheckpointDifference.digest` said. */
  readonly shown: string;
}

/** One that is under way. */
interface Restore {
  readonly request: RestoreRequest;
  readonly by: string;
  pieces: number;
  of: number;
  outcome: Promise<CheckpointRestored> | undefined;
}

/** The state as it is. */
const now = "now";

export class Restoring {
  readonly #options: RestoringOptions;
  #underWay: Restore | undefined;
  /** Asked for when it is first needed. */
  #logBytes: Promise<number> | undefined;

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  /** What is being restored by this host. */
  get underWay(): RestoreUnderWay | undefined {
    if (this.#underWay === undefined) return undefined;
    const { request, by, pieces, of } = this.#underWay;
    return { name: request.name, by, pieces, of };
  }

  /** From one checkpoint to another, as `by` would restore it; `now` is the state as it is. Rejects with `ApiFailure`. */
  async compare(from: string, to: string, choice: RestoreChoice, by: string): Promise<CheckpointDifference> {
    const [before, after] = [await this.#values(from), await this.#values(to)];
    const { puts, leftOut } = planRestore(this.#options.definition, before, after, choice);
    const all = this.#withNotes(puts, to, by);
    const size = sizeOf(all);
    const objection = await this.#objectionTo(all);
    return {
      ...{ from, to, leftOut },
      differences: differences(before, after),
      restore: {
        // As a reader of both sees it, and not what does not come back.
        changes: differences(before, merged(before, puts)),
        digest: planDigest(puts),
        keys: size.keys,
        bytes: size.bytes,
        entries: entriesOf(size),
        fits: objection === undefined,
        ...(objection === undefined ? {} : { objection }),
      },
    };
  }

  /** One at a time; whoever asks for the same again has the answer of the first. Rejects with `ApiFailure`. */
  async restore(request: RestoreRequest, by: string): Promise<CheckpointRestored> {
    const present = this.#underWay;
    if (present === undefined) {
      const begun: Restore = { request, by, pieces: 0, of: 0, outcome: undefined };
      this.#underWay = begun;
      begun.outcome = this.#restore(begun).finally(() => {
        this.#underWay = undefined;
      });
      return begun.outcome;
    }
    if (present.by === by && JSON.stringify(present.request) === JSON.stringify(request)) {
      return present.outcome!;
    }
    const { name } = present.request;
    throw new ApiFailure(
      "conflict",
      `${present.by} is restoring ${name} at this moment; nothing was changed, look again when that is done.`,
    );
  }

  async #restore(restore: Restore): Promise<CheckpointRestored> {
    const { state, definition, checkpoints } = this.#options;
    const { request, by } = restore;
    const { name, shown, ...choice } = request;
    const wanted = await this.#values(name);
    const plan = () => planRestore(definition, this.#present(), wanted, choice);
    const first = plan();
    // Asked again by whoever had no answer: it is done.
    if (first.puts.length === 0) return { name, changed: 0, leftOut: first.leftOut };
    const objection = await this.#objectionTo(this.#withNotes(first.puts, name, by));
    if (objection !== undefined) throw new ApiFailure("out-of-limits", objection);
    this.#demandShown(first, shown);
    const saved = `before-${state.lastIndex}`;
    await checkpoints.create(saved, by, true);
    const { puts, leftOut } = plan();
    this.#demandShown({ puts, leftOut }, shown);
    const all = this.#withNotes(puts, name, by);
    const { index } = await this.#put(all, restore);
    return { name, changed: puts.length, leftOut, index, entries: entriesOf(sizeOf(all)), saved };
  }

  #put(puts: readonly ExpectedPut[], restore: Restore): Promise<Committed> {
    const { putAll, putDraft } = this.#options;
    if (sizeOf(puts).pieces === 0) return putAll(puts);
    return putDraft(puts, (pieces, of) => {
      restore.pieces = pieces;
      restore.of = of;
    });
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

  async #objectionTo(puts: readonly ExpectedPut[]): Promise<string | undefined> {
    const { definition, state } = this.#options;
    if (sizeOf(puts).pieces === 0) return undefined;
    this.#logBytes ??= smallestLogBytes(definition);
    return sizeObjection(puts, presentIn(state), await this.#logBytes);
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
