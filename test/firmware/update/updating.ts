/**
 * Lives of a board's updater on a chip: from a start to a restart, a crash or a power cut, one after the other until nothing is left to do. Around it is what a test says: what the
 * state holds, and what hosts answer. Time goes from one deadline to the next.
 */
import { BoardLog } from "../../../firmware/board/board-log.ts";
import type { StartReason } from "../../../firmware/platform/ports.ts";
import type { UpdateParts } from "../../../firmware/update/update-parts.ts";
import { Updater } from "../../../firmware/update/updater.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { FirmwareHealth } from "../../../protocols/messages/board-messages.ts";
import { chunkAt, chunkDigests } from "../../../protocols/update/chunks.ts";
import { chunkToWire, type Want, wantFromWire } from "../../../protocols/update/messages.ts";
import { type Release, releaseKeyPrefix, signRelease } from "../../../protocols/update/release.ts";
import { root } from "../board/members.ts";
import { config } from "../board/surroundings.ts";
import type { ChipModel, Running } from "./chip-model.ts";

export interface Published {
  readonly release: Release;
  readonly image: Uint8Array;
  readonly digests: Uint8Array;
  readonly signed: Uint8Array;
}

/** An image as the root releases it. */
export function publish(image: Uint8Array, sequence: number, over: Partial<Release> = {}): Published {
  const digests = chunkDigests(nodeCiphers, image);
  const release: Release = {
    ...{ swarm: config.swarm, model: config.model, sequence, firmware: `0.${sequence}.0` },
    ...{ sizeBytes: image.length, digest: digests.slice(0, 32) },
    ...over,
  };
  return { release, image, digests, signed: signRelease(nodeCiphers, root.keys.privateKey, release) };
}

/** What a host answers to a want, in order. */
export type Host = (want: Want, nowMs: number) => Uint8Array[];

/** Has these images, and is in order. */
export function hostWith(...published: readonly Published[]): Host {
  return ({ image, chunk, count }) => {
    const found = published.find(({ release }) => Buffer.compare(release.digest.subarray(0, 8), image) === 0);
    return Array.from({ length: count }, (_, i) =>
      answer(image, chunk + i, found && chunkAt(found.image, found.digests, chunk + i)),
    );
  };
}

export function answer(image: Uint8Array, chunk: number, bytes: Uint8Array | undefined): Uint8Array {
  return encodeCbor(chunkToWire({ image, chunk, bytes }));
}

/** How a life ended. `quiet`: nothing is left to do. */
export type End = "quiet" | "restart" | "crash" | "cut" | "time";

export class Updating {
  readonly chip: ChipModel;
  readonly state = new Map<string, Uint8Array>();
  /** By turn: how often a board has left a host that was of no use. */
  hosts: readonly Host[];
  /** Whether a board that wants to may catch up with its swarm. */
  isLeading = true;
  isVoter = false;
  /** Whether the swarm has given a voter the turn to be away. */
  hasTurn = true;
  nowMs = 0;
  readonly lines: string[] = [];
  readonly wants: Want[] = [];
  lives = 0;
  /** Called whenever the updater waits for time to pass. */
  onTime: (nowMs: number) => void = () => {};
  runs: Running | undefined;
  #updater: Updater | undefined;
  #queue: { readonly atMs: number; readonly payload: Uint8Array }[] = [];
  #reason: StartReason | undefined = "power";
  readonly dropped: string[] = [];

  constructor(chip: ChipModel, hosts: readonly Host[]) {
    this.chip = chip;
    this.hosts = hosts;
  }

  /** Says in the state what all boards of the kind are to run. */
  give({ signed }: Published): this {
    return this.put(`${releaseKeyPrefix}${config.model}`, signed);
  }

  put(key: string, value: Uint8Array | undefined): this {
    if (value === undefined) this.state.delete(key);
    else this.state.set(key, value);
    this.#updater?.onStateChange(key);
    return this;
  }

  get health(): FirmwareHealth {
    return this.#updater!.health;
  }

  logged(event: string): string[] {
    return this.lines.filter((line) => line.split(" ")[1] === event);
  }

  /** Life after life, until nothing is left to do, or `untilMs`. */
  run(untilMs = Infinity): this {
    for (let i = 0; i < livesMax; i++) {
      const end = this.live(untilMs);
      if (end === "quiet" || end === "time") return this;
    }
    throw new Error(`It never comes to rest:\n${this.lines.slice(-12).join("\n")}`);
  }

  /** One life, after a start unless it goes on. */
  live(untilMs = Infinity): End {
    const end = this.#guard(() => this.#liveOn(untilMs));
    if (end !== "quiet" && end !== "time") {
      this.#updater = undefined;
      this.#queue = [];
      this.#reason = end === "cut" ? "power" : end;
      this.chip.flash.power = end === "cut" ? Infinity : this.chip.flash.power;
    }
    return end;
  }

  /** It goes to sleep, and the next life begins when it wakes. */
  sleep(): void {
    this.#updater!.save();
    this.#updater = undefined;
    this.#queue = [];
    this.#reason = "sleep";
  }

  #liveOn(untilMs: number): End {
    if (this.#updater === undefined) {
      this.lives++;
      this.runs = this.chip.start();
      if (this.runs.behaviour === "crash") return "crash";
      this.#updater = new Updater(this.#parts(this.runs), this.nowMs);
      if (this.runs.behaviour === "good" && this.isLeading) this.#catchUp();
    }
    while (this.chip.flash.power > 0) {
      this.onTime(this.nowMs);
      const updater = this.#updater;
      if (updater.run(this.nowMs) !== undefined) return "restart";
      const next = this.#queue[0];
      const dueMs = Math.min(updater.dueMs(this.nowMs), next?.atMs ?? Infinity);
      if (dueMs === Infinity && untilMs === Infinity) return "quiet";
      if (dueMs > untilMs) {
        this.nowMs = untilMs;
        return "time";
      }
      this.nowMs = Math.max(this.nowMs, dueMs);
      if (next !== undefined && next.atMs <= this.nowMs) {
        this.#queue.shift();
        updater.take(next.payload, this.#link, this.nowMs);
      }
    }
    return "cut";
  }

  /** A power cut that the firmware's own `catch` has seen is one all the same. */
  #guard(live: () => End): End {
    let end: End = "cut";
    try {
      end = live();
    } catch (error) {
      if (this.chip.flash.power > 0) throw error;
    }
    return this.chip.flash.power === 0 ? "cut" : end;
  }

  #catchUp(): void {
    this.chip.markValid();
    this.#updater!.onCaughtUp();
  }

  readonly #link = {
    dropForGarbage: (what: string) => void this.dropped.push(what),
  } as unknown as Parameters<Updater["take"]>[1];

  #parts({ behaviour, slot }: Running): UpdateParts {
    const self = this;
    const system = {
      config,
      startReason: this.#reason,
      memory: () => ({ heapUsedBytes: 0, heapPeakBytes: 0, arenaBytes: 0 }),
      log: (level: string, text: string) => void this.lines.push(`${level} ${text}`),
      restart: () => {},
    };
    const isRunning = () => behaviour === "good" && this.isLeading;
    return {
      ports: { ciphers: nodeCiphers, random: { fill: (into) => void into.fill(128) }, system },
      keyValue: this.chip,
      slot,
      store: {
        get: (key) => this.state.get(key),
        get isVoter() {
          return self.isVoter;
        },
      },
      log: new BoardLog(system),
      links: {
        publishAt: (turn, _channel, payload) => this.#ask(turn, payload),
        moveOn: () => {},
        hearsLeader: () => this.isLeading,
      },
      life: {
        get state() {
          return isRunning() ? ("running" as const) : ("offline" as const);
        },
        isTelling: () => false,
        sleeps: false,
      },
      leaving: { mayLeave: () => !this.isVoter || this.hasTurn },
      telemetry: { tellNews: () => {} },
    };
  }

  #ask(turn: number, payload: Uint8Array): boolean {
    const want = wantFromWire(decodeCbor(payload));
    this.wants.push(want);
    const answers = this.hosts[turn % this.hosts.length]!(want, this.nowMs);
    for (const each of answers) this.#queue.push({ atMs: this.nowMs + hostDelayMs, payload: each });
    return true;
  }
}

const livesMax = 40;
const hostDelayMs = 5;
