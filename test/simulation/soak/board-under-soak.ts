/**
 * One board in the real XS engine, its leader, its flash, its sensors and pins, in virtual time, which jumps from one
 * deadline to the next. All that must hold at every moment is checked here, as it happens.
 */
import type { BoardWorld } from "../../../firmware/platform/virtual/world.ts";
import { decodeCbor } from "../../../host-tools/codec/cbor.ts";
import { CallAnswers } from "../../../host-tools/simulator/engines/call-answers.ts";
import type { HeapFigures } from "../../../host-tools/simulator/xs-host/frames.ts";
import { BoardGone, XsProcess } from "../../../host-tools/simulator/xs-host/process.ts";
import type { Health } from "../../../protocols/messages/board-messages.ts";
import { healthFromWire, helloFromWire, reportFromWire } from "../../../protocols/messages/codec.ts";
import { LeaderOnTheWire } from "../../firmware/board/leader-on-the-wire.ts";
import { credentialsOf, memberOf } from "../../firmware/board/members.ts";
import { FlashModel, PowerCut } from "../../firmware/storage/flash-model.ts";
import { MarkAccounts } from "./mark-accounts.ts";
import type { ProbeFirmware } from "./probe-firmware.ts";
import type { Random } from "./random.ts";
import { ReadingAccounts } from "./reading-accounts.ts";
import { SoakFailure } from "./soak-failure.ts";
import { WireTap } from "./wire-tap.ts";

export const boardName = "north-1";

/** How far apart the leader's heartbeats are: the one thing that is slower here than on a swarm. */
const heartbeatMs = 4000;

export interface BoardUnderSoakOptions {
  readonly firmware: ProbeFirmware;
  readonly stackSlots: number;
  readonly arenaBytes?: number;
  readonly random: Random;
}

/** What a board's process has used, all power cycles together. */
export interface Totals {
  boots: number;
  collections: number;
  instructions: number;
  turns: number;
  erases: number;
  reported: number;
  dropped: number;
  peakBytes: number;
  claimedBytes: number;
  stackPeakSlots: number;
}

/** What is in use after a collection. */
export interface HeapSample {
  readonly atMs: number;
  readonly usedBytes: number;
  readonly timers: number;
}

export class BoardUnderSoak {
  readonly leader = new LeaderOnTheWire(undefined, heartbeatMs);
  readonly marks = new MarkAccounts();
  readonly totals: Totals = {
    boots: 0,
    collections: 0,
    instructions: 0,
    turns: 0,
    erases: 0,
    reported: 0,
    dropped: 0,
    peakBytes: 0,
    claimedBytes: 0,
    stackPeakSlots: 0,
  };
  /** Sensors that give nothing now. */
  readonly silentSensors = new Set<string>();
  /** How often each kind of line was logged. */
  readonly logged = new Map<string, number>();
  readonly tap: WireTap;
  nowMs = 0;
  /** False: the leader's process is stuck; what reaches it is still answered as far as the broker does. */
  isLeaderAwake = true;
  readonly #options: BoardUnderSoakOptions;
  readonly #pins = new Map<string, number>();
  #flash = FlashModel.blank(16, 4096);
  #accounts = new ReadingAccounts();
  #process: XsProcess | undefined;
  #arrivals: Uint8Array[] = [];
  #deadlineMs = Infinity;
  #figures: HeapFigures | undefined;
  #timers = 0;
  #tallied = 0;
  #isDark = false;
  #failure: Error | undefined;
  #health: Health | undefined;
  #memberId: string | undefined;
  #appliedIndex = 0;
  #term = 0;

  constructor(options: BoardUnderSoakOptions) {
    this.#options = options;
    this.tap = new WireTap(this.leader, (channel, payload) => this.#onPublish(channel, payload));
  }

  /** The board's latest own figures in this power cycle. */
  get health(): Health | undefined {
    return this.#health;
  }

  get readingsWaiting(): number {
    return this.#accounts.waiting;
  }

  get isOn(): boolean {
    return this.#process !== undefined;
  }

  pin(name: string): number | undefined {
    return this.#pins.get(name);
  }

  powerOn(): void {
    const answers = new CallAnswers(this.#world(), (message) => arrivals.push(message));
    const arrivals: Uint8Array[] = [];
    const { firmware, stackSlots, arenaBytes } = this.#options;
    this.#arrivals = arrivals;
    this.#accounts = new ReadingAccounts();
    this.#health = undefined;
    this.#isDark = false;
    this.#deadlineMs = this.nowMs;
    this.#process = new XsProcess({
      ...firmware,
      stackSlots,
      ...(arenaBytes === undefined ? {} : { arenaBytes }),
      seed: ++this.totals.boots,
      onCall: (request) => this.#onCall(answers, request),
    });
  }

  async powerOff(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
    this.leader.cut();
    const { totals } = this;
    totals.collections += this.#figures?.collections ?? 0;
    totals.erases += this.#flash.erases;
    totals.reported += this.#accounts.reported;
    totals.dropped += this.#accounts.dropped;
    this.#figures = undefined;
    this.#pins.clear();
    this.#flash = this.#flash.reboot();
  }

  /** The power will end while flash is written, once so many bytes more are. */
  endPowerAfter(flashBytes: number): void {
    this.#flash.power = flashBytes;
  }

  /** Moves time on. Ends early when the power does. */
  async run(forMs: number): Promise<void> {
    const endMs = this.nowMs + forMs;
    for (;;) {
      this.leader.nowMs = this.nowMs;
      if (this.isLeaderAwake && this.leader.deadlineMs <= this.nowMs) this.leader.tick(this.nowMs);
      if (this.#process !== undefined && (this.#arrivals.length > 0 || this.#deadlineMs <= this.nowMs)) {
        await this.#turn(this.#process, this.#arrivals.shift());
        if (this.#isDark) return this.powerOff();
        continue;
      }
      if (this.nowMs >= endMs) return;
      const leaderMs = this.isLeaderAwake ? this.leader.deadlineMs : Infinity;
      const boardMs = this.#process === undefined ? Infinity : this.#deadlineMs;
      this.nowMs = Math.min(endMs, Math.max(this.nowMs, Math.min(boardMs, leaderMs)));
    }
  }

  /** Collects garbage on the board. */
  async sampleHeap(): Promise<HeapSample> {
    await this.#turn(this.#process!, Uint8Array.of(0));
    return { atMs: this.nowMs, usedBytes: this.#figures!.usedBytes, timers: this.#timers };
  }

  fail(what: string): never {
    throw new SoakFailure(this.nowMs, what);
  }

  async #turn(process: XsProcess, message: Uint8Array | undefined): Promise<void> {
    try {
      const done = await process.turn(this.nowMs, message);
      if (!this.#isDark) this.#expect(this.marks.settle());
      const { totals } = this;
      const { heap } = done;
      this.#deadlineMs = done.nextDeadlineMs;
      this.#figures = heap;
      totals.turns++;
      totals.instructions += heap.instructions;
      totals.peakBytes = Math.max(totals.peakBytes, heap.peakBytes);
      totals.claimedBytes = Math.max(totals.claimedBytes, heap.claimedBytes);
      totals.stackPeakSlots = Math.max(totals.stackPeakSlots, heap.stackPeakSlots);
    } catch (error) {
      // Without power a board may end as it likes.
      if (!this.#isDark)
        this.#failure ??=
          error instanceof BoardGone ? new SoakFailure(this.nowMs, error.message) : (error as Error);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #onCall(answers: CallAnswers, request: Uint8Array): Uint8Array {
    if (this.#isDark) throw new PowerCut();
    if (request.length === 1) {
      this.#timers = request[0]!;
      return new Uint8Array(0);
    }
    try {
      return answers.answer(request);
    } catch (error) {
      if (error instanceof PowerCut) this.#isDark = true;
      else this.#failure ??= error as Error;
      throw error;
    }
  }

  #onPublish(channel: string, payload: Uint8Array): void {
    const value = decodeCbor(payload);
    if (channel === "hello") {
      const { memberId, lastIndex, appliedIndex, term } = helloFromWire(value);
      this.#memberId ??= memberId;
      if (memberId !== this.#memberId) this.fail(`${this.#memberId} has become ${memberId}`);
      this.#noteProgress(term, appliedIndex);
      if (lastIndex < appliedIndex) this.fail(`entry ${appliedIndex} is applied, ${lastIndex} is the last`);
    } else if (channel === "report") {
      this.#expect(this.#accounts.onReport(reportFromWire(value)));
    } else if (channel === "health") {
      const health = healthFromWire(value);
      this.#health = health;
      this.#noteProgress(health.term, health.appliedIndex);
      this.#expect(this.#accounts.onHealth(health));
    }
  }

  /** What was told as applied was durable: no later word may fall behind it, power cuts or not. */
  #noteProgress(term: number, appliedIndex: number): void {
    if (term < this.#term) this.fail(`the term goes back from ${this.#term} to ${term}`);
    if (appliedIndex < this.#appliedIndex) {
      this.fail(`the applied index goes back from ${this.#appliedIndex} to ${appliedIndex}`);
    }
    if (appliedIndex > this.leader.commitIndex) this.fail(`entry ${appliedIndex} is applied uncommitted`);
    this.#term = term;
    this.#appliedIndex = appliedIndex;
  }

  #expect(problem: string | undefined): void {
    if (problem !== undefined) this.fail(problem);
  }

  #world(): BoardWorld {
    const { random } = this.#options;
    return {
      random: {
        fill: (into) => into.set(random.bytes(into.length)),
      },
      ciphers: this.tap.tapped(this.leader.trust.boardCiphers),
      flash: this.#flash,
      network: this.tap,
      sensors: { read: (sensor) => this.#sample(sensor) },
      actuators: {
        configure: ({ name, safeValue }) => {
          if (name === "mark") this.marks.onConfigure();
          this.#pins.set(name, safeValue);
        },
        write: (name, value) => {
          if (name === "mark") this.marks.onWrite(value);
          this.#pins.set(name, value);
        },
        release: (name) => void this.#pins.delete(name),
      },
      system: {
        config: {
          swarm: "greenhouse",
          board: boardName,
          model: "esp32c3-devkit",
          hosts: [{ name: "main", address: "127.0.0.1", port: 7883 }],
          credentials: credentialsOf(memberOf("board", boardName)),
        },
        log: (level, text) => this.#onLine(level, text),
        restart: (reason) => this.fail(`the board restarts: ${reason}`),
      },
    };
  }

  #onLine(level: string, text: string): void {
    const [event = ""] = text.split(" ", 1);
    this.logged.set(event, (this.logged.get(event) ?? 0) + 1);
    if (event === "program") this.marks.onProgram();
    if (text.startsWith("program pipelines=0")) this.#accounts.onNoProgram();
    if (level === "error" && event !== "program-refused") this.fail(`the board says ${text}`);
  }

  #sample(sensor: string): number {
    const value = this.silentSensors.has(sensor) ? NaN : this.#value(sensor);
    this.#accounts.onSample(sensor, value, this.nowMs);
    return value;
  }

  #value(sensor: string): number {
    const { random } = this.#options;
    if (sensor === "tally") return this.#tallied++;
    // About the rule's threshold, a few times an hour.
    if (sensor === "temperature") return 25 + 8 * Math.sin(this.nowMs / 200_000) + random.next();
    return 100 * random.next();
  }
}
