/**
 * The leader's HTTP interface, as the CLI, the page and other programs see it. All bodies are JSON unless said.
 *
 * | request | answer |
 * | --- | --- |
 * | GET /api/status | `Status` |
 * | GET /api/events | server-sent events: `status` with a `Status`, at most four a second, only when something changed |
 * | GET /api/settings | `Record<string, Setting>` |
 * | GET /api/settings/KEY | `Setting` |
 * | PUT /api/settings/KEY with `{value}` | `SetResult`, once the entry is committed |
 * | GET /api/log?from=INDEX&limit=N | `LogEntry[]` (N at most 1,000) |
 * | GET /api/readings?board=&metric=&from=&to=&limit=&format=json or csv | `StoredReading[]`, or CSV `time,board,metric,value,unit,quality` |
 * | GET / | the page |
 *
 * Every refusal is `{error: ApiError}` with a 4xx or 5xx status.
 */
import type { DeviceHealth, OutputState } from "../../protocols/messages/board-messages.ts";
import type { SettingDefinition } from "../swarm-file/definition.ts";

export interface Status {
  readonly swarm: string;
  readonly leader: LeaderStatus;
  readonly boards: readonly BoardStatus[];
  readonly settings: Readonly<Record<string, Setting>>;
  readonly counters: Counters;
  /** Broken promises seen by this leader, one sentence each; empty in a healthy swarm. At most 100 are kept. */
  readonly violations: readonly string[];
}

export interface LeaderStatus {
  readonly id: string;
  readonly role: "leader" | "candidate" | "follower";
  readonly term: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly mqttPort: number;
  readonly httpPort: number;
  /** Member ids of the present voters, this host among them. */
  readonly voters: readonly string[];
}

export interface BoardStatus {
  /** Name in `swarm.ts`. */
  readonly id: string;
  readonly model: string;
  /** `name.incarnation`, once the board has said hello. */
  readonly memberId: string | undefined;
  readonly role: "voter" | "learner" | "unknown";
  readonly link: "up" | "down";
  readonly term: number;
  readonly matchIndex: number;
  readonly appliedIndex: number;
  readonly heapUsedBytes: number;
  readonly heapPeakBytes: number;
  readonly arenaBytes: number;
  readonly samplesIn: number;
  readonly reportsOut: number;
  readonly readingsDropped: number;
  readonly reconnects: number;
  readonly outputs: readonly OutputStatus[];
  /** The last reading of each metric. */
  readonly readings: readonly { metric: string; value: number | null; unit: string; atMs: number }[];
  /** Unix milliseconds; undefined when never heard of. */
  readonly lastSeenMs: number | undefined;
  /** The board's clock on the wall is off by this many milliseconds at most; undefined while it does not know the time. */
  readonly timeBoundMs?: number | undefined;
  /** Safe mode, crashes, timers' lateness, wear of the flash; undefined while not told. */
  readonly device?: DeviceHealth | undefined;
}

export interface OutputStatus extends OutputState {
  /** A digital output is 0 or 1; a pwm one 0 to 100 %. As `swarm.ts` defines it now. */
  readonly kind: "digital" | "pwm";
}

export interface Setting {
  readonly value: number | string | boolean;
  readonly unit: string;
  /** Log index of the entry that set it; 0 while it has its initial value and nothing was committed. */
  readonly index: number;
  /** Its type and limits, as `swarm.ts` defines them. */
  readonly takes: SettingDefinition;
}

export interface SetResult {
  readonly key: string;
  readonly value: number | string | boolean;
  readonly index: number;
  readonly term: number;
}

export interface LogEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: "noop" | "put" | "membership" | "unknown";
  /** For a put: the key and its value (a program as `N bytes`); for a membership: the voters. */
  readonly text: string;
  readonly committed: boolean;
}

export interface StoredReading {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly board: string;
  readonly metric: string;
  /** null when the sensor gave nothing. */
  readonly value: number | null;
  readonly unit: string;
  readonly quality: number;
}

/** Everything that was refused or went wrong on the way, counted since the leader started. */
export interface Counters {
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** On the TCP connections, MQTT framing and control packets included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The CBOR of the messages alone. */
  readonly payloadBytesIn: number;
  readonly payloadBytesOut: number;
  /** Bytes that were no MQTT, or a payload that did not decode; the connection was closed. */
  readonly garbage: number;
  /** Connections closed for asking what was not theirs: an unknown client id, a foreign topic, a message before hello. */
  readonly refused: number;
  readonly disconnects: number;
  readonly readingsStored: number;
}

export interface ApiError {
  /** One sentence: what is wrong and what to do. */
  readonly message: string;
  readonly code: "bad-request" | "not-found" | "out-of-limits" | "not-leader" | "timeout" | "internal";
}

/** `.covey/<swarm>/leader.json`: how the other verbs find the running leader. */
export interface LeaderFile {
  readonly swarm: string;
  readonly pid: number;
  /** For example `http://127.0.0.1:7800`. */
  readonly url: string;
}
