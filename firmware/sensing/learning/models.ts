import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Quality } from "../../../protocols/messages/board-messages.ts";
import { modelKeyPrefix } from "../../../protocols/model/model.ts";
import { isSameModelUse, type ModelUse } from "../../../protocols/pipeline/model-use.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { modelHash } from "../definition-hash.ts";
import type { ReadingSink } from "../pipeline-run.ts";
import { committedModel } from "./committed-model.ts";
import { ModelRun } from "./model-run.ts";

export interface ModelsParts {
  readonly settings: { get(key: string): StateValue | undefined };
  /** The state holds no such model; its metric is silent until it does. */
  onModelRefused(metric: string, reason: string): void;
}

/** The models of a program at work. */
export class Models {
  readonly #parts: ModelsParts;
  readonly #sink: ReadingSink;
  #runs: readonly ModelRun[] = [];
  /** Whether the state is to be looked at for models that are missing. */
  #isPending = false;

  constructor(parts: ModelsParts, sink: ReadingSink) {
    this.#parts = parts;
    this.#sink = sink;
  }

  /** Those that were at work before go on, with what they have learned. */
  load(definitions: readonly ModelUse[]): void {
    // What goes is let go of before what comes is made.
    this.#runs = this.#runs.filter((run) => definitions.some((one) => isSameModelUse(run.definition, one)));
    this.#runs = definitions.map((definition) => {
      const same = this.#runs.find((run) => isSameModelUse(run.definition, definition));
      return same ?? new ModelRun(definition, undefined);
    });
    this.#isPending = true;
  }

  /**
   * Reads models that are missing. For before sampling, not for when a program is loaded: that comes from deep within what a message brings about, where to read a model would take the
   * most stack of all that a board does.
   */
  run(): void {
    if (!this.#isPending) return;
    this.#isPending = false;
    this.loadMissing();
  }

  /** A committed entry has put or deleted `key`: it may be what is missing. */
  onStateChange(key: string): void {
    const isOfModel =
      key.length > modelKeyPrefix.length && key.slice(0, modelKeyPrefix.length) === modelKeyPrefix;
    if (isOfModel) this.#isPending = true;
  }

  take(metric: string, takenMs: number, value: number, quality: Quality): void {
    for (let i = 0; i < this.#runs.length; i++) {
      const run = this.#runs[i]!;
      if (!run.take(metric, takenMs, value, quality)) continue;
      const isSound = Number.isFinite(run.value);
      this.#sink.onReading(
        run.definition.metric,
        takenMs,
        run.value,
        isSound ? (run.isLate ? 4 : 0) : 2,
        false,
      );
    }
  }

  /** A part of a checkpoint for each. */
  save(into: Uint8Array[], nowMs: number): void {
    for (const run of this.#runs) into.push(encodeCbor([modelHash(run.definition), run.save(nowMs)]));
  }

  /** Gives what was saved to the model of this hash; false where there is none, or it saves otherwise. */
  restore(hash: CborValue, state: CborValue, nowMs: number): boolean {
    this.run();
    const run = this.#runs.find(({ definition }) => modelHash(definition) === hash);
    return run?.restore(state, nowMs) ?? false;
  }

  private loadMissing(): void {
    for (const run of this.#runs) {
      const { definition } = run;
      if (!run.isMissing || definition.kind !== "trained") continue;
      const model = committedModel(definition, this.#parts.settings);
      if (typeof model === "string") this.#parts.onModelRefused(definition.metric, model);
      else run.install(model);
    }
  }
}
