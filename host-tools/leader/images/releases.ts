/**
 * Which firmware each board is to run, as the swarm has agreed: signed releases under keys of the agreed state. What the root did not sign, and what is
 * older than a release that was agreed on before, no operator and no leader by the rules could have put there: it counts for nothing here, its image is neither
 * fetched nor handed out, and it is told as a broken promise. (The board checks the same for itself.)
 */
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import {
  boardReleaseKeyPrefix,
  type Release,
  readRelease,
  releaseKeyPrefix,
} from "../../../protocols/update/release.ts";
import type { Audit } from "../audit.ts";
import type { Violations } from "../violations.ts";
import { imageIdOf } from "./image-id.ts";

export interface AgreedRelease {
  readonly release: Release;
  readonly signed: Uint8Array;
  /** Of the image. */
  readonly id: string;
  /** The one that it is for; undefined for all of its kind. */
  readonly board: string | undefined;
  /** Log index of the entry that says so. */
  readonly index: number;
}

export interface ReleasesOptions {
  readonly swarm: string;
  /** The root's public key. */
  readonly root: Uint8Array;
  readonly ciphers: Ciphers;
  /** Name of each board, and its kind. */
  readonly boards: Readonly<Record<string, { readonly model: string }>>;
  readonly state: {
    get(key: string): { readonly value: StateValue; readonly index: number } | undefined;
    /** Grows whenever a key that Covey keeps for itself has changed. */
    readonly ownChanges: number;
  };
  readonly violations: Pick<Violations, "add">;
  readonly audit: Audit;
  /** The agreed releases are others now. */
  onChange(): void;
}

interface Place {
  readonly key: string;
  readonly model: string;
  readonly board: string | undefined;
  /** As it was when it was last looked at. */
  value: StateValue | undefined;
  agreed: AgreedRelease | undefined;
}

export class Releases {
  readonly #options: ReleasesOptions;
  readonly #places: readonly Place[];
  /** Of each kind of board, the highest sequence that was ever seen here. */
  readonly #floors = new Map<string, number>();
  #seenChanges = -1;
  #named: ReadonlySet<string> = new Set();

  constructor(options: ReleasesOptions) {
    this.#options = options;
    const boards = Object.entries(options.boards);
    const models = [...new Set(boards.map(([, { model }]) => model))];
    const place = (key: string, model: string, board?: string): Place => ({
      ...{ key, model, board },
      ...{ value: undefined, agreed: undefined },
    });
    this.#places = [
      ...models.map((model) => place(releaseKeyPrefix + model, model)),
      ...boards.map(([name, { model }]) => place(boardReleaseKeyPrefix + name, model, name)),
    ];
  }

  /** Call whenever entries were applied or a snapshot restored; costs nothing where nothing of this changed. */
  stateChanged(): void {
    const { state, onChange } = this.#options;
    if (state.ownChanges === this.#seenChanges) return;
    this.#seenChanges = state.ownChanges;
    // All against what was known before: several may have come at once, in whatever order.
    const floors = new Map(this.#floors);
    const changed = this.#places.filter((place) => this.#look(place, floors.get(place.model) ?? 0));
    if (changed.length === 0) return;
    this.#named = new Set(this.all.map(({ id }) => id));
    onChange();
  }

  /** First those of kinds of boards. */
  get all(): readonly AgreedRelease[] {
    return this.#places.flatMap(({ agreed }) => agreed ?? []);
  }

  /** Whether an agreed release names this image. */
  isNamed(id: string): boolean {
    return this.#named.has(id);
  }

  /** What a board is to run: its own release before that of its kind. */
  for(board: string): AgreedRelease | undefined {
    const own = this.#places.find((place) => place.board === board);
    if (own === undefined) return undefined;
    return (
      own.agreed ??
      this.#places.find((place) => place.board === undefined && place.model === own.model)?.agreed
    );
  }

  /** The highest sequence that was agreed on for a kind of board; 0 for none. */
  floorOf(model: string): number {
    return this.#floors.get(model) ?? 0;
  }

  /** The highest of all. */
  get sequence(): number {
    return Math.max(0, ...this.#floors.values());
  }

  /** What the root has signed for this swarm and a kind of its boards. undefined for anything else. */
  read(signed: Uint8Array): Release | undefined {
    const { ciphers, root, swarm, boards } = this.#options;
    const release = readRelease(ciphers, root, signed);
    if (release?.swarm !== swarm) return undefined;
    return Object.values(boards).some(({ model }) => model === release.model) ? release : undefined;
  }

  /** Whether it is newer than all of its kind, or one of those that are agreed on. */
  isCurrent(release: Release, signed: Uint8Array): boolean {
    return release.sequence > this.floorOf(release.model) || this.#isAgreed(signed);
  }

  #isAgreed(signed: Uint8Array): boolean {
    return this.#places.some(({ agreed }) => agreed !== undefined && isSameBytes(agreed.signed, signed));
  }

  /** Gives whether anything is new there. */
  #look(place: Place, floor: number): boolean {
    const found = this.#options.state.get(place.key);
    if (found?.value === place.value) return false;
    place.value = found?.value;
    const hadRelease = place.agreed !== undefined;
    if (found === undefined) {
      place.agreed = undefined;
      return hadRelease;
    }
    const { value, index } = found;
    const signed = value instanceof Uint8Array ? new Uint8Array(value) : undefined;
    const release = signed && this.read(signed);
    if (signed === undefined || release?.model !== place.model) {
      place.agreed = undefined;
      this.#refuse(place, "The root did not sign it for that");
      return hadRelease;
    }
    if (release.sequence <= floor && !this.#isAgreed(signed)) {
      place.agreed = undefined;
      this.#refuse(place, `It is release ${release.sequence}, and release ${floor} was agreed on before`);
      return hadRelease;
    }
    this.#floors.set(place.model, Math.max(this.floorOf(place.model), release.sequence));
    place.agreed = { release, signed, id: imageIdOf(release.digest), board: place.board, index };
    return true;
  }

  /** It came past the leader's checks: whoever leads, or led, is broken into. */
  #refuse({ key }: Place, why: string): void {
    const { violations, audit } = this.#options;
    violations.add(
      `The release that was agreed on under ${key} counts for nothing: ${why}. No host by the rules proposes that; look at who led (covey log), and revoke it.`,
    );
    audit.refused("the leader", `a release under ${key}`);
  }
}
