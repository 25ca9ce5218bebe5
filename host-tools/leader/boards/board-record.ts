/** What a host knows of one board: who it is at present and where it is connected, what it last said, what it last measured. */
import type { Health, Hello, Report } from "../../../protocols/messages/board-messages.ts";
import { programLimits } from "../../../protocols/pipeline/program.ts";
import type { AppendResponse, MemberId } from "../../../protocols/raft/types.ts";
import type { MetricBlock } from "../../../protocols/series/block.ts";
import { decodeBlock } from "../../../protocols/series/decoder.ts";
import type { BoardDefinition } from "../../swarm-file/definition.ts";
import type { BoardStatus, OutputStatus } from "../api/types/status.ts";
import type { BoardLink } from "../broker/broker-types.ts";
import type { TaskMetric } from "../tasks/task-metrics.ts";
import type { NewReading } from "../telemetry/telemetry.ts";
import { BoardClock } from "./board-clock.ts";

type LastReading = BoardStatus["readings"][number];

/** A board that changes its program keeps reporting under its old metrics for a moment. */
const metricsMax = 2 * programLimits.pipelinesMax;

/** The first health messages of a connection are answered with the time, so that a slow one among them does no harm. */
const firstTimesTold = 4;
/** And then one in this time: at 500 ppm, two clocks have drifted apart by 30 ms. */
const tellTimeEveryMs = 60_000;

/** A board's connection to one host: a voter has one to each, any other board one. */
export interface Presence {
  /** As it said hello there. */
  readonly memberId: MemberId;
  /** Of the board's firmware, as it said there. */
  readonly startId: number;
  /** The hello as it came, for hosts that connect later. */
  readonly hello: Uint8Array;
  /** Only at this host's own broker. */
  readonly link: BoardLink | undefined;
}

/** A block of readings on this host's clock, in Unix milliseconds. */
export interface PlacedBlock {
  readonly block: MetricBlock;
  readonly firstMs: number;
  readonly lastMs: number;
}

export class BoardRecord {
  readonly name: string;
  readonly definition: BoardDefinition;
  /** As it last said hello, at any host. */
  memberId: MemberId | undefined;
  /** By name of the host; empty while it is down. */
  readonly presences = new Map<string, Presence>();
  #clock = new BoardClock();
  #lastSequence = -1;
  #lastSeenMs: number | undefined;
  /** On this connection. */
  #timesTold = 0;
  #toldMs = 0;
  /** As the board last said. */
  term = 0;
  appliedIndex = 0;
  /** The last entry that it acknowledged. */
  matchIndex = 0;
  /** Version of its firmware, as it said hello. */
  firmware: string | undefined;
  #health: Health | undefined;
  readonly #readings = new Map<string, LastReading>();

  readonly #taskMetric: (told: string) => TaskMetric | undefined;
  #readingsFenced = 0;

  /** `taskMetric` reads what a metric with a token is; undefined for one that this board may not tell. */
  constructor(
    name: string,
    definition: BoardDefinition,
    taskMetric: (told: string) => TaskMetric | undefined = () => undefined,
  ) {
    this.name = name;
    this.definition = definition;
    this.#taskMetric = taskMetric;
  }

  /** Unix milliseconds; undefined when never heard of. */
  get lastSeenMs(): number | undefined {
    return this.#lastSeenMs;
  }

  /** It crashed again and again and runs no program. */
  get isSafe(): boolean {
    return this.#health?.device?.isSafe === true;
  }

  /** It said hello at `host`. Returns what it should have remembered and did not, as sentences. */
  greet(host: string, presence: Presence, hello: Hello, nowMs: number): string[] {
    const isSame = hello.memberId === this.memberId;
    // While another connection is up, what it acknowledged there may have overtaken this hello.
    const forgotten = isSame && this.presences.size === 0 ? this.#forgottenBy(hello) : [];
    this.presences.set(host, presence);
    this.memberId = hello.memberId;
    this.firmware = hello.firmware;
    this.#clock = new BoardClock();
    this.#lastSequence = -1;
    this.#lastSeenMs = nowMs;
    this.#timesTold = 0;
    if (!isSame) this.matchIndex = 0;
    this.term = isSame ? Math.max(this.term, hello.term) : hello.term;
    this.appliedIndex = isSame ? Math.max(this.appliedIndex, hello.appliedIndex) : hello.appliedIndex;
    return forgotten;
  }

  /** Where this member is connected; `first` before all others, because what goes there makes no detour. */
  hostsOf(memberId: MemberId, first: string): string[] {
    const hosts = [...this.presences].filter(([, presence]) => presence.memberId === memberId);
    return hosts.map(([host]) => host).sort((a, b) => Number(b === first) - Number(a === first));
  }

  /** Takes a report's readings, placed on this host's clock; none when this report was taken before since the last hello. Tells of its blocks as well. */
  takeReport(report: Report, nowMs: number, onBlock?: (block: PlacedBlock) => void): NewReading[] {
    this.#hear(report.sentMs, nowMs);
    if (report.sequence <= this.#lastSequence) return [];
    this.#lastSequence = report.sequence;
    const readings: NewReading[] = [];
    const take = (told: string, takenMs: number, value: number, quality: number) => {
      const ofTask = told.includes("#") ? this.#taskMetric(told) : { metric: told, unit: undefined };
      if (ofTask === undefined) {
        this.#readingsFenced++;
        return;
      }
      const { metric, unit } = ofTask;
      if (!this.#readings.has(metric) && this.#readings.size === metricsMax) return;
      // No reading is taken after it was sent.
      const atMs = Math.round(this.#clock.at(Math.min(takenMs, report.sentMs)));
      readings.push({ board: this.name, metric, atMs, value, quality });
      // A block comes late: what was reported by itself meanwhile is newer.
      if (atMs >= (this.#readings.get(metric)?.atMs ?? -Infinity))
        this.#show({ metric, atMs, value, quality }, unit);
    };
    for (const { metric, takenMs, value, quality } of report.readings) take(metric, takenMs, value, quality);
    for (const block of report.blocks) {
      let lastMs = block.startMs;
      decodeBlock(block, (takenMs, value) => {
        lastMs = takenMs;
        take(block.metric, takenMs, value, 0);
      });
      const firstMs = Math.round(this.#clock.at(block.startMs));
      onBlock?.({ block, firstMs, lastMs: firstMs + lastMs - block.startMs });
    }
    return readings;
  }

  #show({ metric, atMs, value, quality }: Omit<NewReading, "board">, given: string | undefined): void {
    const shown = Number.isFinite(value) ? value : null;
    const unit = given ?? this.definition.units[metric] ?? "";
    this.#readings.set(metric, { metric, value: shown, unit, atMs, quality });
  }

  /** Returns a broken promise as a sentence, or undefined. */
  takeHealth(health: Health, nowMs: number): string | undefined {
    this.#hear(health.sentMs, nowMs);
    this.#health = health;
    this.term = health.term;
    this.appliedIndex = health.appliedIndex;
    if (health.appliedIndex <= health.commitIndex) return undefined;
    return `${this.name} applied entry ${health.appliedIndex} while it knew only ${health.commitIndex} to be committed.`;
  }

  /** Whether a health message that has come now is to be answered with the time. Ask once for each. */
  isTimeToTell(nowMs: number): boolean {
    const sinceMs = nowMs - this.#toldMs;
    // Below 0: this host's clock was set back, which the board should learn soon.
    if (this.#timesTold >= firstTimesTold && sinceMs >= 0 && sinceMs < tellTimeEveryMs) return false;
    this.#timesTold++;
    this.#toldMs = nowMs;
    return true;
  }

  takeAppendResponse(response: AppendResponse, nowMs: number): void {
    this.#lastSeenMs = nowMs;
    this.term = response.term;
    this.appliedIndex = response.appliedIndex;
    if (response.success) this.matchIndex = Math.max(this.matchIndex, response.matchIndex);
  }

  status(isVoter: (id: MemberId) => boolean, cloned: boolean): BoardStatus {
    const health = this.#health;
    const role = this.memberId === undefined ? "unknown" : isVoter(this.memberId) ? "voter" : "learner";
    return {
      id: this.name,
      model: this.definition.model,
      memberId: this.memberId,
      role,
      link: this.presences.size === 0 ? "down" : "up",
      hosts: [...this.presences.keys()].sort(),
      term: this.term,
      matchIndex: this.matchIndex,
      appliedIndex: this.appliedIndex,
      heapUsedBytes: health?.heapUsedBytes ?? 0,
      heapPeakBytes: health?.heapPeakBytes ?? 0,
      arenaBytes: health?.arenaBytes ?? 0,
      samplesIn: health?.samplesIn ?? 0,
      reportsOut: health?.reportsOut ?? 0,
      readingsDropped: health?.readingsDropped ?? 0,
      readingsFenced: this.#readingsFenced,
      reconnects: health?.reconnects ?? 0,
      outputs: (health?.outputs ?? []).map((output) => ({ ...output, kind: this.#kindOf(output.name) })),
      readings: [...this.#readings.values()],
      lastSeenMs: this.#lastSeenMs,
      timeBoundMs: health?.timeBoundMs,
      device: health?.device,
      contact: health?.contact,
      firmware:
        this.firmware === undefined ? undefined : { version: this.firmware, update: health?.firmware },
      cloned,
    };
  }

  #kindOf(output: string): OutputStatus["kind"] {
    return this.definition.program.outputs.find(({ name }) => name === output)?.kind ?? "pwm";
  }

  #hear(sentMs: number, nowMs: number): void {
    this.#clock.hear(sentMs, nowMs);
    this.#lastSeenMs = nowMs;
  }

  /** Term and acknowledged entries are durable on a member for as long as it keeps its id (Raft, figure 2: persistent state). */
  #forgottenBy(hello: Hello): string[] {
    const forgotten = [];
    if (hello.term < this.term) {
      forgotten.push(`${hello.memberId} returned in term ${hello.term} after it had been in ${this.term}.`);
    }
    if (hello.lastIndex < this.matchIndex) {
      forgotten.push(
        `${hello.memberId} returned with a log up to ${hello.lastIndex} after it had acknowledged ${this.matchIndex}.`,
      );
    }
    return forgotten;
  }
}
