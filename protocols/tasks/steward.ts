import { lapseMs, type Placement } from "./placement.ts";

/**
 * What a leader knows, during its term, about who may be running a task: enough to answer claims, and to say when a task may be placed anew. Keeps no clock and sends
 * nothing.
 *
 * A former leader may have granted a lease up to the moment in which this one was elected, never after: it grants only what a majority confirmed, after it was asked,
 * that it may. So of what was granted before, this one knows all that it needs: that it is over `lapseMs` after it began to lead.
 */
export class Steward {
  readonly #sinceMs: number;
  /** When whoever has it last asked for it, by task. */
  readonly #heardMs = new Map<string, number>();
  /** Being placed anew, perhaps: whatever comes of it, the old token is granted no more. */
  readonly #moving = new Map<string, number>();

  /** Leads since `nowMs`, or some time before. */
  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /**
   * Whether `holder`, which asked at `heardMs`, is granted `task` under `token`. To be asked only once a majority has confirmed, after `heardMs`, that this is the leader, and
   * with the placement of an agreed state that is not older than that.
   */
  grant(
    task: string,
    placement: Placement | undefined,
    holder: string,
    token: number,
    heardMs: number,
  ): boolean {
    if (placement?.mode !== "held" || placement.holder !== holder || placement.token !== token) return false;
    if (this.#moving.get(task) === token) return false;
    this.#heardMs.set(task, Math.max(heardMs, this.#heardMs.get(task) ?? heardMs));
    return true;
  }

  /** The last sign of whoever has `task`, or may have it. */
  heardMs(task: string): number {
    return Math.max(this.#sinceMs, this.#heardMs.get(task) ?? this.#sinceMs);
  }

  /** Whether nobody can be running it any more, because whoever had it has been silent for too long. */
  isLapsed(task: string, { leaseMs }: Placement, nowMs: number): boolean {
    return nowMs >= this.heardMs(task) + lapseMs(leaseMs);
  }

  /**
   * Whether `task` may be given to another now. `hasLetGo`: its holder has applied the entry that took it away, and is still the member that it was.
   */
  mayPlace(task: string, placement: Placement, hasLetGo: boolean, nowMs: number): boolean {
    if (placement.token === 0) return true;
    if (placement.mode !== "held" && hasLetGo) return true;
    return this.isLapsed(task, placement, nowMs);
  }

  /** An entry is about to be proposed that takes `task` from whoever has it under `token`. There is no way back: the entry may come about whatever is said of it. */
  beginMove(task: string, token: number): void {
    this.#moving.set(task, token);
  }

  /** It was placed anew: its new holder has as long to be heard as it would have had if it had asked at `nowMs`. */
  placed(task: string, nowMs: number): void {
    this.#heardMs.set(task, nowMs);
  }
}
