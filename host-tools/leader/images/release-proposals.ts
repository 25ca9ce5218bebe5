/**
 * A signed release on its way into the agreed state, at the host that leads: everything that can be checked is checked before it is proposed. It has to be the root's, for this
 * swarm and a kind of its boards, newer than all of its kind, and its image has to lie on this host's disk; the other hosts fetch it from here once the release is agreed on.
 *
 * One proposal at a time: two that pass each other could be agreed on in the wrong order.
 */

import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { boardReleaseKeyPrefix, type Release, releaseKeyPrefix } from "../../../protocols/update/release.ts";
import type { Actor } from "../access/actor.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { ReleaseAgreed } from "../api/types/releases.ts";
import type { Audit } from "../audit.ts";
import { imageIdOf } from "./image-id.ts";
import type { ImageStore } from "./image-store.ts";
import type { Releases } from "./releases.ts";

export const proposalLimits = {
  /** For another host's image to come here: less than a host waits for another one's answer. */
  imageMs: 3_000,
  /** Proposals that wait for their turn or their image. */
  waitingMax: 16,
} as const;

export interface ProposalOptions {
  readonly boards: Readonly<Record<string, { readonly model: string }>>;
  readonly releases: Releases;
  readonly images: Pick<ImageStore, "has">;
  readonly audit: Audit;
  readonly state: { get(key: string): { readonly value: StateValue } | undefined };
  /** The image of a proposal is missing here: see whether another host has it. */
  onMissing(): void;
  /** What is to be done before a release is agreed on. */
  before?(by: string): Promise<void>;
  /** Puts or, with undefined, deletes, if what is there is still `present`. Rejects with `ApiFailure`. */
  put(key: string, value: Uint8Array | undefined, present: StateValue | undefined): Promise<unknown>;
}

export class ReleaseProposals {
  readonly #options: ProposalOptions;
  readonly #awaited = new Set<Release>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: ProposalOptions) {
    this.#options = options;
  }

  /** Those whose images are missing here. */
  get awaited(): readonly Release[] {
    return [...this.#awaited];
  }

  /** `boards` undefined: all of the release's kind. Resolves once it is agreed on; rejects with `ApiFailure`. */
  async propose(
    signed: Uint8Array,
    boards: readonly string[] | undefined,
    actor: Actor,
  ): Promise<ReleaseAgreed> {
    const release = this.#check(signed, boards, actor);
    if (this.#waiting >= proposalLimits.waitingMax) {
      throw new ApiFailure("too-many", "Too many releases are being proposed; try again in a moment.");
    }
    this.#waiting++;
    try {
      await this.#untilHere(release);
      const before = this.#last;
      const done = before.catch(() => {}).then(() => this.#agree(release, signed, boards, actor));
      this.#last = done;
      return await done;
    } finally {
      this.#waiting--;
    }
  }

  #check(signed: Uint8Array, boards: readonly string[] | undefined, actor: Actor): Release {
    const { releases, audit, boards: known } = this.#options;
    const release = releases.read(signed);
    if (release === undefined) {
      audit.refused(actor.name, "propose what is no release");
      throw new ApiFailure(
        "bad-request",
        "The root of this swarm did not sign that as a release for a kind of board that swarm.ts has; sign it with covey update and this swarm's keys.",
      );
    }
    for (const board of boards ?? []) {
      const model = Object.hasOwn(known, board) ? known[board]!.model : undefined;
      if (model === release.model) continue;
      const what = model === undefined ? "this swarm has no such board" : `it is a ${model}`;
      throw new ApiFailure("bad-request", `${board} cannot run a release for ${release.model}: ${what}.`);
    }
    this.#demandCurrent(release, signed, actor);
    return release;
  }

  #demandCurrent(release: Release, signed: Uint8Array, { name }: Actor): void {
    const { releases, audit } = this.#options;
    if (releases.isCurrent(release, signed)) return;
    const { sequence, model } = release;
    audit.refused(name, `propose the older release ${sequence} of ${model}`);
    throw new ApiFailure(
      "not-newer",
      `Release ${releases.floorOf(model)} of ${model} was agreed on already, and this is release ${sequence}: boards take none that is older. Sign the image anew with covey update, after ${releases.sequence}.`,
    );
  }

  async #untilHere(release: Release): Promise<void> {
    const { images, onMissing } = this.#options;
    const id = imageIdOf(release.digest);
    if (images.has(id)) return;
    this.#awaited.add(release);
    try {
      onMissing();
      const deadlineMs = performance.now() + proposalLimits.imageMs;
      while (!images.has(id)) {
        if (performance.now() > deadlineMs) {
          throw new ApiFailure(
            "no-image",
            "The host that leads has not got the image yet; send it there (covey update does), or try again when it has fetched it.",
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      this.#awaited.delete(release);
    }
  }

  async #agree(
    release: Release,
    signed: Uint8Array,
    boards: readonly string[] | undefined,
    actor: Actor,
  ): Promise<ReleaseAgreed> {
    await this.#options.before?.(actor.name);
    // Another one may have been agreed on since.
    this.#demandCurrent(release, signed, actor);
    const { model, sequence, firmware } = release;
    const all = Object.entries(this.#options.boards).flatMap(([name, board]) =>
      board.model === model ? [name] : [],
    );
    const keysOf = (names: readonly string[]) => names.map((name) => boardReleaseKeyPrefix + name);
    if (boards === undefined) {
      await this.#put(releaseKeyPrefix + model, signed);
      // What some of them were to run before counts no more.
      await Promise.all(keysOf(all).map((key) => this.#put(key, undefined)));
    } else {
      await Promise.all(keysOf(boards).map((key) => this.#put(key, signed)));
    }
    return { model, sequence, firmware, boards: boards ?? all };
  }

  async #put(key: string, value: Uint8Array | undefined): Promise<void> {
    const present = this.#options.state.get(key)?.value;
    const isThere =
      value === undefined
        ? present === undefined
        : present instanceof Uint8Array && isSameBytes(present, value);
    if (!isThere) await this.#options.put(key, value, present);
  }
}
