/** What `GET /api/status` answers: the swarm as the host that leads sees it. */
import type {
  DeviceHealth,
  FirmwareHealth,
  OutputState,
} from "../../../../protocols/messages/board-messages.ts";
import type { HostTraffic } from "../../hosts/host-link.ts";
import type { SessionCounters } from "../../trust/session-counters.ts";
import type { AlertStatus } from "./alerts.ts";
import type { ContactStatus } from "./contact.ts";
import type { StoredReading } from "./readings.ts";
import type { RegisterStatus } from "./registers.ts";
import type { Setting } from "./settings.ts";

export interface Status {
  readonly swarm: string;
  /**
   * Nothing older than what anybody was told is committed is shown: a majority of the voters confirmed that this host leads. False
   * while there is no leader, or none that can be sure of it.
   */
  readonly isConfirmed: boolean;
  /** The host that leads; while none does, the one that was asked. */
  readonly leader: LeaderStatus;
  /** All hosts of the swarm, in the order of `swarm.ts`. */
  readonly hosts: readonly HostStatus[];
  readonly boards: readonly BoardStatus[];
  readonly settings: Readonly<Record<string, Setting>>;
  /** What boards agree on among themselves, as the log has it; absent in a swarm without registers. */
  readonly registers?: Readonly<Record<string, RegisterStatus>>;
  /** By which contact boards are to be here; undefined where none was ever agreed on. */
  readonly contact?: ContactStatus | undefined;
  /** How many there are that can be used, and the newest; undefined for none. */
  readonly checkpoints?: { readonly count: number; readonly name: string; readonly time: string } | undefined;
  /** What fires; absent in a swarm without alerts. */
  readonly alerts?: readonly AlertStatus[];
  /** Boards of which readings are kept, and how many of these have all their copies; absent where nothing is kept. */
  readonly keeping?: {
    readonly boards: number;
    readonly whole: number;
    readonly waiting: number;
    readonly lost: number;
  };
  readonly counters: Counters;
  /** Broken promises seen by this host, one sentence each; empty in a healthy swarm. At most 100 are kept. */
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

export interface HostStatus {
  /** Name in `swarm.ts`. */
  readonly name: string;
  /** `name.incarnation`; undefined when never heard of. */
  readonly memberId: string | undefined;
  readonly role: "leader" | "candidate" | "follower" | "unknown";
  /** As seen from the host that answers, which is always up. */
  readonly link: "up" | "down";
  readonly isVoter: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Of its HTTP interface; undefined when never heard of. */
  readonly url: string | undefined;
  /** Boards connected to its broker. */
  readonly boards: number;
}

export interface BoardStatus {
  /** Name in `swarm.ts`. */
  readonly id: string;
  readonly model: string;
  /** `name.incarnation`, once the board has said hello. */
  readonly memberId: string | undefined;
  readonly role: "voter" | "learner" | "unknown";
  readonly link: "up" | "down";
  /** Names of the hosts that it is connected to. */
  readonly hosts: readonly string[];
  readonly term: number;
  readonly matchIndex: number;
  readonly appliedIndex: number;
  readonly heapUsedBytes: number;
  readonly heapPeakBytes: number;
  readonly arenaBytes: number;
  readonly samplesIn: number;
  readonly reportsOut: number;
  readonly readingsDropped: number;
  /** Readings of tasks that were refused here, because the board does not hold the task any more. */
  readonly readingsFenced: number;
  readonly reconnects: number;
  readonly outputs: readonly OutputStatus[];
  /** The last reading of each metric, good or not (docs/pipelines.md). */
  readonly readings: readonly Omit<StoredReading, "board">[];
  /** Unix milliseconds; undefined when never heard of. */
  readonly lastSeenMs: number | undefined;
  /** The board's clock on the wall is off by this many milliseconds at most; undefined while it does not know the time. */
  readonly timeBoundMs?: number | undefined;
  /** Safe mode, crashes, timers' lateness, wear of the flash; undefined while not told. */
  readonly device?: DeviceHealth | undefined;
  /** undefined before its first hello. */
  readonly firmware?: BoardFirmware | undefined;
  /** The number of the contact by which it is here; undefined while not told, and where it keeps none. */
  readonly contact?: number | undefined;
  /** Two living devices have its identity: revoke it. */
  readonly cloned: boolean;
}

export interface BoardFirmware {
  /** As the board said when it connected: `0.2.0`. */
  readonly version: string;
  /** Which release runs, and how far the next one is; undefined while not told. */
  readonly update: FirmwareHealth | undefined;
}

export interface OutputStatus extends OutputState {
  /** A digital output is 0 or 1; a pwm one 0 to 100 %. As `swarm.ts` defines it now. */
  readonly kind: "digital" | "pwm";
}

/** Of the host that answers, since it started: what it carried, and everything that was refused or went wrong. */
export interface Counters {
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** On the TCP connections, MQTT framing and control packets included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The messages alone, as they are sealed. */
  readonly payloadBytesIn: number;
  readonly payloadBytesOut: number;
  /** Bytes that were no MQTT, or a payload that did not decode; the connection was closed. */
  readonly garbage: number;
  /** Connections closed for asking what was not theirs: an unknown client id, a foreign topic, a message before hello. */
  readonly refused: number;
  readonly disconnects: number;
  /** Connections that made room for newcomers before they had proved to be a board's. */
  readonly turnedAway: number;
  /** With boards. */
  readonly sessions: SessionCounters;
  /** Committed entries published to all listening boards at once: how often, their bytes counted once, and to how many sockets. */
  readonly publications: number;
  readonly publicationBytes: number;
  readonly publicationWrites: number;
  readonly readingsStored: number;
  /** To and from the other hosts. */
  readonly hosts: HostTraffic;
}
