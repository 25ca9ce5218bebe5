/**
 * Named recovery points of the whole agreed state.
 *
 * That there is to be one is an entry of the log; every host that applies it writes the state behind that entry to its own disk. So the copies are of one
 * moment and the same byte for byte, without anything being sent. The leader then has the digest agreed on, against which each host checks its
 * copy; one that was away, or whose copy is damaged, fetches it from another host. A leader that dies between the two leaves it to the next one.
 */
import { join } from "node:path";
import type { Entry } from "../../../protocols/raft/types.ts";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import type { PutCommand, StateValue } from "../../../protocols/state/command.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { CheckpointListed, CheckpointListing } from "../api/types/checkpoints.ts";
import type { Log } from "../log.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import {
  type Checkpoint,
  CheckpointDamaged,
  checkpointFromBytes,
  checkpointLimits,
  checkpointToBytes,
  isCheckpointName,
  statedDigest,
} from "./checkpoint-file.ts";
import { CheckpointStore, type CopyState } from "./checkpoint-store.ts";
import { checkpointKeyPrefix, checkpointOf, type Marker, markerFromValue, markerToValue } from "./marker.ts";
import { isKept, restoredKey } from "./restorable.ts";

export interface CheckpointsOptions {
  readonly swarm: string;
  readonly hostName: string;
  /** Of the host. */
  readonly directory: string;
  readonly state: AgreedState;
  readonly log: Log;
  readonly isLeader: () => boolean;
  /** Puts or, with undefined, deletes, if what is there is still `present`. Rejects with `ApiFailure`. */
  put(key: string, value: StateValue | undefined, present: StateValue | undefined): Promise<unknown>;
  /** Other hosts that are connected. */
  readonly peers: () => readonly PeerHost[];
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface PeerHost {
  readonly name: string;
  /** The body of its answer to a GET. Rejects when it does not answer with 200 within `bytesMax`. */
  fetch(target: string, bytesMax: number): Promise<Uint8Array>;
}

/** On which a checkpoint is made without being asked for: a restore, a `swarm.ts` that asks for something else, new firmware. The first part of its name; an index follows. */
export type Occasion = "before" | "deploy" | "update";

/** Releases for several kinds of boards are one update. */
const sameUpdateMs = 60_000;
/** For all hosts to make theirs and the digest to be agreed on. */
const madeWithinMs = 5_000;
/** Between two looks for copies that this host lacks. */
const lookEveryMs = 5_000;
const pauseMs = 20;

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #store: CheckpointStore;
  /** Captured, and not on disk yet. */
  readonly #captured = new Map<string, Checkpoint>();
  /** Found whole since this host started, or since they were last looked at. */
  readonly #whole = new Set<string>();
  /** Whose digest this host is having agreed on. */
  readonly #completing = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #isStopped = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#store = new CheckpointStore(join(options.directory, "checkpoints"));
    options.state.watch((key, value, entry) => this.#changed(key, value, entry));
    this.#timer = setInterval(() => void this.look(), lookEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  /** Entries were applied: what a leader has to do about them. */
  settle(): void {
    if (this.#isStopped || !this.#options.isLeader()) return;
    for (const [name, marker] of this.#markers()) {
      if (marker.made === undefined && !this.#completing.has(name)) void this.#complete(name, marker);
    }
  }

  /** A snapshot became the state: files of checkpoints that it does not know go. */
  restored(): void {
    const known = this.#markers();
    this.#guarded("tidy", () => {
      for (const name of this.#store.names()) if (!known.has(name)) this.#store.remove(name);
    });
    void this.look();
  }

  async listing(): Promise<CheckpointListing> {
    const restored = this.#options.state.get(restoredKey)?.value;
    const checkpoints = await this.list();
    return { checkpoints, ...(typeof restored === "string" ? { restored } : {}) };
  }

  /** Agreed on, the oldest first, with what each host says of its copy. */
  async list(): Promise<CheckpointListed[]> {
    const { hostName } = this.#options;
    const copies = new Map([[hostName, this.copies()]]);
    const asked = this.#options.peers().map(async ({ name, fetch }) => {
      const bytes = await fetch("/api/checkpoints/copies", copiesBytesMax).catch(() => undefined);
      if (bytes !== undefined) copies.set(name, JSON.parse(Buffer.from(bytes).toString()));
    });
    await Promise.all(asked);
    const listed = [...this.#markers()].map(([name, { madeMs, by, isAutomatic, made }]) => ({
      ...{ name, by, isAutomatic, isComplete: made !== undefined },
      time: new Date(madeMs).toISOString(),
      index: made?.index ?? 0,
      term: made?.term ?? 0,
      digest: made === undefined ? "" : Buffer.from(made.digest).toString("hex"),
      copies: Object.fromEntries([...copies].map(([host, states]) => [host, states[name] ?? "missing"])),
    }));
    return listed.sort((a, b) => (a.time < b.time ? -1 : 1));
  }

  /** What is on this host's disk, read anew. */
  copies(): Record<string, CopyState> {
    const states: Record<string, CopyState> = {};
    for (const [name, { made }] of this.#markers()) {
      if (made === undefined) continue;
      states[name] = this.#check(name, made.digest);
    }
    return states;
  }

  /** For another host that lacks it. @throws {ApiFailure} */
  copy(name: string): Uint8Array {
    const { made } = this.#marker(name);
    const bytes = made && this.#check(name, made.digest) === "whole" ? this.#store.bytes(name) : undefined;
    if (bytes !== undefined) return bytes;
    throw new ApiFailure("not-found", `${this.#options.hostName} has no whole copy of ${name}.`);
  }

  /** Resolves once its digest is agreed on. Rejects with `ApiFailure`. */
  async create(name: string, by: string, isAutomatic: boolean): Promise<void> {
    if (!isCheckpointName(name)) {
      throw new ApiFailure(
        "bad-request",
        `${name} is no name for a checkpoint: 1 to 24 small letters, digits and dashes, a letter first, and not "now".`,
      );
    }
    const markers = this.#markers();
    if (markers.get(name)?.made !== undefined) {
      throw new ApiFailure(
        "unwise",
        `There is a checkpoint ${name}: delete it first, or choose another name.`,
      );
    }
    if (isAutomatic) for (const old of this.#outlived(occasionOf(name))) await this.delete(old);
    else demandRoom(markers);
    const marker = { madeMs: this.#options.now(), by, isAutomatic, made: undefined };
    const present = this.#options.state.get(checkpointKeyPrefix + name)?.value;
    await this.#options.put(checkpointKeyPrefix + name, markerToValue(marker), present);
    const deadlineMs = performance.now() + madeWithinMs;
    while (this.#markers().get(name)?.made === undefined) {
      if (performance.now() > deadlineMs) {
        throw new ApiFailure(
          "timeout",
          `The checkpoint ${name} is not complete yet; covey checkpoint list shows when it is.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** What to put first so that the state as it is becomes a checkpoint, whatever is put after it. */
  beforehand(occasion: Occasion, by: string): PutCommand[] {
    const { state, now } = this.#options;
    const old = this.#outlived(occasion).map((name) => ({
      key: checkpointKeyPrefix + name,
      value: undefined,
    }));
    const marker = { madeMs: now(), by, isAutomatic: true, made: undefined };
    const key = `${checkpointKeyPrefix}${occasion}-${state.lastIndex}`;
    return [...old, { key, value: markerToValue(marker) }];
  }

  /** Before new firmware. Where it cannot be made the update goes on, and the log says so. */
  async beforeUpdate(by: string): Promise<void> {
    const { state, now, log } = this.#options;
    const name: `${Occasion}-${number}` = `update-${state.lastIndex}`;
    const times = [...this.#markers()].flatMap(([each, { isAutomatic, madeMs }]) =>
      isAutomatic && occasionOf(each) === "update" ? [madeMs] : [],
    );
    if (now() - Math.max(0, ...times) < sameUpdateMs) return;
    try {
      await this.create(name, by, true);
    } catch (error) {
      log.warn("checkpoint-missing", { name, reason: (error as Error).message });
    }
  }

  /** How many there are that can be used, and the newest; undefined for none. */
  get newest(): { readonly count: number; readonly name: string; readonly time: string } | undefined {
    const made = [...this.#markers()].filter(([, marker]) => marker.made !== undefined);
    if (made.length === 0) return undefined;
    const [name, { madeMs }] = made.reduce((a, b) => (b[1].made!.index > a[1].made!.index ? b : a));
    return { count: made.length, name, time: new Date(madeMs).toISOString() };
  }

  /** Of the agreement and, as each host learns of it, of the files. Rejects with `ApiFailure`. */
  async delete(name: string): Promise<void> {
    this.#marker(name);
    const key = checkpointKeyPrefix + name;
    await this.#options.put(key, undefined, this.#options.state.get(key)?.value);
  }

  /** Whole, of this swarm. Fetched if need be. Rejects with `ApiFailure`. */
  async open(name: string): Promise<Checkpoint> {
    const { made } = this.#marker(name);
    if (made === undefined) {
      throw new ApiFailure("unwise", `The checkpoint ${name} is not complete: make another one.`);
    }
    if (this.#check(name, made.digest) !== "whole") await this.#fetch(name, made.digest);
    try {
      const checkpoint = this.#store.open(name, made.digest);
      if (checkpoint.swarm === this.#options.swarm && checkpoint.name === name) return checkpoint;
      throw new CheckpointDamaged(`it is ${checkpoint.name} of the swarm ${checkpoint.swarm}`);
    } catch (error) {
      if (!(error instanceof CheckpointDamaged)) throw error;
      throw new ApiFailure(
        "unwise",
        `The checkpoint ${name} cannot be used (${error.message}), and no connected host has a whole copy: covey checkpoint list shows who has one.`,
      );
    }
  }

  /** Fetches copies that this host lacks; one look at a time. */
  async look(): Promise<void> {
    if (this.#isLooking || this.#isStopped) return;
    this.#isLooking = true;
    try {
      for (const [name, { made }] of this.#markers()) {
        if (made === undefined || this.#whole.has(name) || this.#captured.has(name)) continue;
        if (this.#check(name, made.digest) !== "whole") await this.#fetch(name, made.digest);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  /** While an entry is being applied: the state is the one behind it. */
  #changed(key: string, value: StateValue | undefined, { index, term }: Entry): void {
    const name = checkpointOf(key);
    if (name === undefined) return;
    const marker = markerFromValue(value);
    if (marker === undefined) {
      this.#captured.delete(name);
      this.#whole.delete(name);
      this.#guarded("remove", () => this.#store.remove(name));
      return;
    }
    if (marker.made !== undefined) return;
    const { state, swarm } = this.#options;
    const values = new Map<string, StateValue>();
    for (const each of state.keys()) if (isKept(each)) values.set(each, state.get(each)!.value);
    const { madeMs, by } = marker;
    this.#captured.set(name, { swarm, name, index, term, madeMs, by, values });
    // The disk is no business of whoever applies entries.
    setImmediate(() => this.#keep(name));
  }

  #keep(name: string): void {
    const checkpoint = this.#captured.get(name);
    if (checkpoint === undefined || this.#isStopped) return;
    this.#captured.delete(name);
    const bytes = checkpointToBytes(checkpoint);
    const known = this.#markers().get(name)?.made?.digest;
    // On a restart entries are applied again: the copy is there already.
    if (known !== undefined && this.#check(name, known) === "whole") return;
    this.#guarded("write", () => this.#store.write(name, bytes));
    this.settle();
  }

  async #complete(name: string, begun: Marker): Promise<void> {
    const { state, log, put } = this.#options;
    const bytes = this.#guarded("read", () => this.#store.bytes(name));
    if (bytes === undefined || this.#captured.has(name)) return;
    this.#completing.add(name);
    try {
      const { index, term, madeMs } = checkpointFromBytes(bytes);
      // One of that name that was given up: its file goes when this one's is written.
      if (madeMs !== begun.madeMs) return;
      const key = checkpointKeyPrefix + name;
      const made = { index, term, digest: statedDigest(bytes) };
      await put(key, markerToValue({ ...begun, made }), state.get(key)?.value);
      log.info("checkpoint", { name, index, bytes: bytes.length });
    } catch (error) {
      log.warn("checkpoint-waits", { name, reason: (error as Error).message });
    } finally {
      this.#completing.delete(name);
    }
  }

  async #fetch(name: string, digest: Uint8Array): Promise<void> {
    for (const peer of this.#options.peers()) {
      const bytes = await peer
        .fetch(`/api/checkpoints/${name}/copy`, checkpointLimits.bytesMax)
        .catch(() => undefined);
      if (bytes === undefined || this.#isStopped || !isWhole(bytes, digest)) continue;
      this.#guarded("write", () => this.#store.write(name, bytes));
      this.#options.log.info("checkpoint-fetched", { name, from: peer.name, bytes: bytes.length });
      if (this.#check(name, digest) === "whole") return;
    }
  }

  /** Those of this occasion that have to go before there is another one. */
  #outlived(occasion: string): string[] {
    const same = [...this.#markers()].filter(
      ([name, { isAutomatic }]) => isAutomatic && occasionOf(name) === occasion,
    );
    const oldestFirst = same.sort(([, a], [, b]) => a.madeMs - b.madeMs).map(([name]) => name);
    return oldestFirst.slice(0, Math.max(0, same.length + 1 - checkpointLimits.automaticMax));
  }

  #check(name: string, digest: Uint8Array): CopyState {
    const state = this.#guarded("read", () => this.#store.check(name, digest)) ?? "missing";
    if (state === "whole") this.#whole.add(name);
    else this.#whole.delete(name);
    return state;
  }

  /** @throws {ApiFailure} */
  #marker(name: string): Marker {
    const markers = this.#markers();
    const marker = markers.get(name);
    if (marker !== undefined) return marker;
    const known = [...markers.keys()].join(", ") || "none";
    throw new ApiFailure("not-found", `There is no checkpoint ${name}; this swarm has ${known}.`);
  }

  #markers(): Map<string, Marker> {
    const { state } = this.#options;
    const markers = new Map<string, Marker>();
    for (const key of state.keys()) {
      const name = checkpointOf(key);
      const marker = name === undefined ? undefined : markerFromValue(state.get(key)!.value);
      if (marker !== undefined) markers.set(name!, marker);
    }
    return markers;
  }

  /** A disk that refuses costs this host its copy, and nothing else. */
  #guarded<T>(what: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#options.log.error("checkpoint-disk", { what, reason: (error as Error).message });
      return undefined;
    }
  }
}

/** Names and states of all checkpoints. */
const copiesBytesMax = 4_096;

/** `deploy` of `deploy-123`. */
function occasionOf(name: string): string {
  return name.slice(0, name.lastIndexOf("-"));
}

/** @throws {ApiFailure} */
function demandRoom(markers: ReadonlyMap<string, Marker>): void {
  const { namedMax } = checkpointLimits;
  const named = [...markers.values()].filter(({ isAutomatic }) => !isAutomatic);
  if (named.length < namedMax) return;
  throw new ApiFailure(
    "out-of-limits",
    `There are ${namedMax} checkpoints, which is the most: delete one with covey checkpoint delete NAME.`,
  );
}

function isWhole(bytes: Uint8Array, digest: Uint8Array): boolean {
  try {
    checkpointFromBytes(bytes);
    return isSameBytes(statedDigest(bytes), digest);
  } catch (error) {
    if (error instanceof CheckpointDamaged) return false;
    throw error;
  }
}
