/**
 * What the swarm's definition asks of the agreed state: every board's program as compiled, the models that it needs, and a value for every setting.
 *
 * Boards know only what is committed, so a setting that was never set is committed with its initial value. One that was set
 * keeps its value, whatever the definition's initial one is now. Which boards ought to vote is agreed on too: the definition's
 * list, until `covey members` changes it or the definition itself changes. All is proposed at once, so that one round of appends
 * carries it; before it goes what a former leader left of a draft.
 */
import { createHash } from "node:crypto";
import { modelKeyPrefix, modelPartKey } from "../../../protocols/model/model.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import {
  type PutCommand,
  programKeyPrefix,
  type StateValue,
  stateLimits,
} from "../../../protocols/state/command.ts";
import { watchedKey } from "../../../protocols/two-phase-commit/action.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { alertOfKey } from "../alerts/alert-record.ts";
import { isRestoredPart, partOf, restoredOverKey } from "../checkpoints/restorable.ts";
import type { Log } from "../log.ts";
import { votersDeclaredKey, votersToText } from "../members/voter-names.ts";
import { votersKey } from "../raft/host-member-types.ts";
import type { Replica } from "../raft/replica.ts";
import type { AgreedState } from "./agreed-state.ts";
import { piecesIn, removePieces } from "./draft.ts";
import { checkSetting } from "./settings.ts";

/** Deploys once in each term that this host leads, as soon as an entry of the term is committed and all before it with it. */
export class Deployment {
  readonly #definition: SwarmDefinition;
  readonly #state: AgreedState;
  readonly #log: Log;
  /** The term in which deploying has begun, and the one in which everything missing was proposed. */
  #begunTerm = 0;
  #proposedTerm = 0;
  readonly #waiting: (() => void)[] = [];

  readonly #beforehand: () => readonly PutCommand[];

  /** @param beforehand what to put first where something that was agreed on gives way to something else */
  constructor(
    definition: SwarmDefinition,
    state: AgreedState,
    log: Log,
    beforehand: () => readonly PutCommand[] = () => [],
  ) {
    this.#definition = definition;
    this.#state = state;
    this.#log = log;
    this.#beforehand = beforehand;
  }

  /** Call after entries were applied. */
  committed(entries: readonly Entry[], replica: Replica): void {
    const newest = entries.at(-1);
    if (newest === undefined || newest.term === this.#begunTerm || !replica.isLeader) return;
    if (newest.term !== replica.term) return;
    this.#begunTerm = newest.term;
    // The replica is in the middle of applying; it takes proposals when it has finished.
    setImmediate(() => this.#deploy(replica));
  }

  /**
   * Resolves when a new value may be proposed: an initial value proposed after it would undo it. At once where this host does not
   * lead, and never when it stops leading meanwhile.
   */
  async proposed(replica: Replica): Promise<void> {
    if (!replica.isLeader || replica.term === this.#proposedTerm) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #deploy(replica: Replica): void {
    this.#removeDraft(replica);
    const missing = missingPuts(this.#definition, this.#state);
    const isChange = missing.some(({ key }) => isRestoredPart(partOf(key)) && this.#state.has(key));
    for (const command of isChange ? [...this.#beforehand(), ...missing] : missing) {
      replica.propose({ key: command.key, value: command.value }).then(
        ({ index }) => this.#log.info("deployed", { key: command.key, index }),
        // The next term deploys what is missing then.
        (error: Error) => this.#log.warn("not-deployed", { key: command.key, reason: error.message }),
      );
    }
    this.#proposedTerm = this.#begunTerm;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** That of a leader which went before it could adopt it. Comes first: it takes keys, of which there may be too few. */
  #removeDraft(replica: Replica): void {
    const pieces = piecesIn(this.#state);
    if (pieces.length === 0) return;
    removePieces(replica, pieces).then(
      () => this.#log.info("draft-removed", { pieces: pieces.length }),
      (error: Error) => this.#log.warn("draft-not-removed", { reason: error.message }),
    );
  }
}

/** What must be put so that the state is what the definition asks for; empty when it is. */
export function missingPuts(definition: SwarmDefinition, state: AgreedState): PutCommand[] {
  const puts: PutCommand[] = [];
  for (const [key, { initial }] of Object.entries(definition.settings)) {
    if (!isStillValid(definition, key, state.get(key)?.value)) puts.push({ key, value: initial });
  }
  const parts = modelParts(definition);
  const restoredOver = state.get(restoredOverKey)?.value;
  const keepsRestored = areEqual(definitionDigest(definition), restoredOver);
  if (!keepsRestored) {
    for (const [key, value] of deployed(definition)) {
      if (!areEqual(value, state.get(key)?.value)) puts.push({ key, value });
    }
    if (restoredOver !== undefined) puts.push({ key: restoredOverKey, value: undefined });
  }
  const voters = votersToText(definition.voters);
  if (state.get(votersDeclaredKey)?.value !== voters) {
    // First who ought to vote: should the second not be agreed on, both are proposed again.
    puts.push({ key: votersKey, value: voters }, { key: votersDeclaredKey, value: voters });
  }
  const watched = watchedOf(definition);
  if (watched === undefined ? state.has(watchedKey) : !areEqual(watched, state.get(watchedKey)?.value)) {
    puts.push({ key: watchedKey, value: watched });
  }
  // And after them, those of models that no program needs any more.
  for (const key of state.keys()) {
    if (!keepsRestored && key.startsWith(modelKeyPrefix) && !parts.has(key))
      puts.push({ key, value: undefined });
  }
  for (const key of state.keys()) {
    const record = alertOfKey(key);
    // An alert that is taken out of swarm.ts, or a board of it, is over without a word.
    if (record !== undefined && !isWatched(definition, record.alert, record.board)) {
      puts.push({ key, value: undefined });
    }
  }
  return puts;
}

function isWatched({ alerts = {} }: SwarmDefinition, alert: string, board: string): boolean {
  return Object.hasOwn(alerts, alert) && alerts[alert]!.boards.includes(board);
}

/** Of the programs and models that the definition asks for: eight bytes. Programs that were restored in place of these stay as long as it says the same. */
export function definitionDigest(definition: SwarmDefinition): Uint8Array {
  const hash = createHash("sha256");
  for (const [key, value] of [...deployed(definition)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(encodeCbor([key, value]));
  }
  return new Uint8Array(hash.digest().subarray(0, 8));
}

/** Models before the programs that need them: a board that runs a program has its models. */
function deployed(definition: SwarmDefinition): Map<string, Uint8Array> {
  const wanted = modelParts(definition);
  for (const [board, { program }] of Object.entries(definition.boards)) {
    wanted.set(programKeyPrefix + board, encodeCbor(programToWire(program)));
  }
  return wanted;
}

/** The metrics that actions ask for, as boards are told; undefined for none. */
function watchedOf({ actions = {} }: SwarmDefinition): Uint8Array | undefined {
  const metrics = Object.values(actions).flatMap(({ require }) => require.map(({ metric }) => metric));
  return metrics.length === 0 ? undefined : encodeCbor([...new Set(metrics)].sort());
}

/** The parts of all models by their keys; boards that have the same model share it. */
function modelParts({ boards }: SwarmDefinition): Map<string, Uint8Array> {
  const parts = new Map<string, Uint8Array>();
  for (const { models = [] } of Object.values(boards)) {
    for (const { name, crc, bytes } of models) {
      const whole = Buffer.from(bytes, "base64");
      const { valueBytesMax } = stateLimits;
      for (let part = 0; part * valueBytesMax < whole.length; part++) {
        const from = part * valueBytesMax;
        parts.set(modelPartKey(name, crc, part), Uint8Array.from(whole.subarray(from, from + valueBytesMax)));
      }
    }
  }
  return parts;
}

/** A value that was agreed under other limits than today's is replaced: no board may act on it. */
function isStillValid(definition: SwarmDefinition, key: string, value: StateValue | undefined): boolean {
  if (value === undefined) return false;
  try {
    checkSetting(definition.settings, key, value);
    return true;
  } catch {
    return false;
  }
}

function areEqual(wanted: Uint8Array, present: StateValue | undefined): boolean {
  return present instanceof Uint8Array && Buffer.compare(wanted, present) === 0;
}
