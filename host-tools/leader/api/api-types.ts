/**
 * A host's HTTP interface, as the CLI, the page and other programs see it. All bodies are JSON unless said.
 *
 * Any host may be asked: one that does not lead asks the leader and hands on what that says. While nobody leads, it answers what
 * needs no leader with what it knows itself, and refuses the rest with `not-leader`: ask again.
 *
 * | request | answer |
 * | --- | --- |
 * | GET /api/status | `Status` |
 * | GET /api/events | server-sent events: `status` with a `Status`, at most four a second, only when something changed |
 * | GET /api/settings | `Record<string, Setting>` |
 * | GET /api/settings/KEY | `Setting` |
 * | PUT /api/settings/KEY with `{value, expected?}` | `SetResult`, once the entry is committed; with `expected`, only if that is the value before |
 * | GET /api/registers | `RegistersStatus` |
 * | GET /api/registers/NAME | `RegisterStatus`: as the log has it |
 * | GET /api/registers/NAME/now | `RegisterRead`: as a majority of its boards has it now |
 * | GET /api/registers/NAME/changes | `RegisterChanges` |
 * | PUT /api/registers/NAME with `{value, ifVersion?}` | `RegisterRead`, once a majority of its boards has it |
 * | POST /api/registers/recover with `{acceptLoss: true}` | `RegistersStatus`, once the next group is agreed on |
 * | GET /api/members | `Members` |
 * | POST /api/members/voters with `{action, names, force?}` | `VotersChanged`, once it is committed who ought to vote; they do soon after |
 * | POST /api/members/transfer with `{to}` | `{to}`, once leadership is on its way to that host |
 * | GET /api/log?from=INDEX&limit=N | `LogEntry[]` (N at most 1,000) |
 * | GET /api/readings?board=&metric=&from=&to=&limit=&format=json or csv | `StoredReading[]`, or CSV `time,board,metric,value,unit,quality` |
 * | POST /api/roster with `{statement}` | `{epoch}`, once the root's statement is agreed on |
 * | GET /api/contact | `AgreedContact`: how boards are to reach their hosts, sealed |
 * | POST /api/contact with `{sealed}` | `ContactStatus`, once it is agreed on |
 * | GET /api/releases | `Releases`: which firmware is agreed on, and what each board runs |
 * | PUT /api/images/DIGEST with an image's bytes, its release in the header `covey-release` | `ImageTaken`; for the host that is asked alone |
 * | POST /api/releases with `ReleaseRequest` | `ReleaseAgreed`, once it is committed; `no-image` until the host that leads has the image |
 * | POST /api/actions/NAME with `{boards?, timeoutMs?, startMs?}` | `ActionBegun`, once it is committed that it has begun |
 * | GET /api/actions | `ActionStatus[]`: the last ones and how each board stands |
 * | GET /api/tasks | `TasksStatus` |
 * | POST /api/tasks with `{action, name}` | `TasksStatus`, once it is agreed on |
 * | POST /api/tasks/NAME/hold with `{process, number, isRunning, isLeaving}` | `HoldAnswer`; for the host that is asked alone |
 * | GET /api/audit | `AuditEntry[]`, newest last: who was refused what |
 * | GET /api/session | `LoggedIn`: who asks |
 * | GET /api/login | `LoginChallenge` |
 * | POST /api/login with `LoginRequest` | `LoggedIn` with a token, also as a cookie; send one of them with each request: `authorization: Bearer TOKEN` |
 * | POST /api/logout | `{}`; the token opens nothing any more |
 * | GET /api/alerts | `AlertsAnswer` |
 * | POST /api/alerts/acknowledge with `{alert, board?}` | `AlertStatus[]`, once it is agreed on |
 * | POST /api/alerts/test | `AlertTested[]` |
 * | GET /api/query?q=QUESTION | `QueryAnswer`, once all boards have answered or 2 s are over |
 * | GET /api/keep | `KeepStatus`: what boards keep of others' readings |
 * | GET /api/keep/readings?board=&metric=&from=&to= | CSV as of /api/readings, read from the boards, one series after the other |
 * | POST /api/keep/restore with `{board?, metric?}` | `KeepRestored`, as soon as it has begun |
 * | GET / | the page |
 *
 * Where a host asks who is there, whoever is not logged in is answered 401 (`not-logged-in`), and 403 (`forbidden`) says which right is missing. Listings hold
 * what whoever asks may read.
 *
 * Every refusal is `{error: ApiError}` with a 4xx or 5xx status.
 *
 * A command may be repeated until its outcome is known, and is carried out once, if it says who it is: header `idempotency-key: INDEX-16HEX`, a log index
 * at or before which it had not been tried and eight random bytes. Answers about settings hand out a new one in a header of the same
 * name. A command that comes again so late that nobody remembers whether it was carried out is refused with `forgotten`.
 */
import type {
  DeviceHealth,
  FirmwareHealth,
  OutputState,
} from "../../../protocols/messages/board-messages.ts";
import type { Scope } from "../../../protocols/security/identity/scope.ts";
import type { Phase } from "../../../protocols/two-phase-commit/action.ts";
import type { Stage } from "../../../protocols/two-phase-commit/report.ts";
import type { RegisterDefinition, SettingDefinition } from "../../swarm-file/definition.ts";
import type { HostTraffic } from "../hosts/host-link.ts";
import type { SessionCounters } from "../trust/session-counters.ts";

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

/** An alert on one board: pending, firing, or over. */
export interface AlertStatus {
  readonly alert: string;
  readonly board: string;
  /** For a person: `temperature above 28 °C for 5m`. */
  readonly condition: string;
  readonly phase: "pending" | "firing" | "recovered";
  /** Unix milliseconds. */
  readonly sinceMs: number;
  /** With which it began: a reading in `unit`, or the seconds of a silence. */
  readonly value: number;
  readonly unit: string;
  /** Of one that is over. */
  readonly untilMs?: number | undefined;
  readonly untilValue?: number | undefined;
  /** Who has seen it; undefined for nobody. */
  readonly acknowledgedBy?: string | undefined;
  /** Notices that webhooks have still to be told. */
  readonly untoldNotices: number;
}

export interface AlertsAnswer {
  /** What fires, the newest first, then what is pending, then what was over last. */
  readonly alerts: readonly AlertStatus[];
  /** Pairs of an alert and a board. */
  readonly watched: number;
  readonly webhooks: readonly { readonly place: string; readonly problem: string | undefined }[];
}

export interface AlertTested {
  /** Where the webhook is: scheme, name and port of its address. */
  readonly place: string;
  /** Why it did not take the test notice; undefined when it did. */
  readonly problem: string | undefined;
}

/** What the boards answered, merged. */
export interface QueryAnswer {
  readonly query: string;
  readonly function: string;
  readonly metric: string;
  readonly by: "board" | "model" | "all";
  readonly unit: string;
  readonly windowMs: number;
  /** By group, in order. */
  readonly rows: readonly QueryRow[];
  /** Boards that were asked, and those that answered. */
  readonly boards: number;
  readonly answered: number;
  readonly silent: readonly string[];
  /** How far back the answers reach, at least and at most; undefined when there are none. */
  readonly coveredMs: readonly [number, number] | undefined;
}

export interface QueryRow {
  /** A board, a model, or `all`. */
  readonly group: string;
  /** null where there are too few samples for one. */
  readonly value: number | null;
  /** The value is off by this at most; 0 but for percentiles. */
  readonly error: number;
  readonly samples: number;
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
  /** undefined for a command that was carried out so long ago that the log no longer holds it. */
  readonly term: number | undefined;
}

/** Of a register, as the log has it: boards may have agreed on another since, and not told yet. */
export interface RegisterStatus {
  readonly value: number | string | boolean;
  readonly unit: string;
  /** Counts its changes; 0 while it has its initial value. */
  readonly version: number;
  /** The board that proposed it; "" for nobody. */
  readonly by: string;
  /** Unix milliseconds at that board; undefined where it did not know them. */
  readonly atMs: number | undefined;
  /** Log index of the entry that says so, or a later one; 0 for none yet. */
  readonly index: number;
  /** Its type and limits, as `swarm.ts` defines them. */
  readonly takes: RegisterDefinition;
}

export interface RegistersStatus {
  readonly group: RegisterGroupStatus;
  readonly registers: Readonly<Record<string, RegisterStatus>>;
}

/** Who agrees. */
export interface RegisterGroupStatus {
  /** `none`: not all boards were here yet. `closing`: another group is to follow, and until then nothing changes. */
  readonly phase: "none" | "open" | "closing";
  readonly epoch: number;
  readonly majority: number;
  /** The boards of `swarm.ts`. */
  readonly members: readonly RegisterMemberStatus[];
  /** Boards that were never here, without which no group is agreed on. */
  readonly missing: readonly string[];
}

export interface RegisterMemberStatus {
  readonly board: string;
  readonly link: "up" | "down";
  /** False where it was declared since, or has lost its memory. */
  readonly isMember: boolean;
  /** Of a group that is closing: it has told what it accepted. */
  readonly hasClosed: boolean;
  /** Changes that it forgot before it could tell them: it keeps 16. */
  readonly lost: number;
}

/** As a majority of the boards has it; `via` is the one that asked them. */
export interface RegisterRead extends Pick<RegisterStatus, "value" | "version" | "by" | "atMs"> {
  readonly name: string;
  readonly via: string;
}

/** The last changes of a register, the oldest first; those up to version `floor` are not kept any more. */
export interface RegisterChanges {
  readonly name: string;
  readonly floor: number;
  readonly changes: readonly Pick<RegisterStatus, "value" | "version" | "by" | "atMs">[];
}

export interface Members {
  /** Member id of the leader; undefined while nobody leads. */
  readonly leader: string | undefined;
  readonly term: number;
  readonly commitIndex: number;
  /** Voters that answer now, and how many of them a decision needs. */
  readonly answering: number;
  readonly quorum: number;
  /** How many more voters may be lost before nothing can be decided; below 0 nothing can now. */
  readonly spare: number;
  /** Hosts, then boards, each in the order of `swarm.ts`; then ids that vote and belong to none of these any more. */
  readonly members: readonly MemberStatus[];
  /** What is unwise about the present voters, and what to do; undefined when nothing is. */
  readonly advice: string | undefined;
}

export interface MemberStatus {
  /** Name in `swarm.ts`. */
  readonly name: string;
  readonly kind: "host" | "board";
  /** `name.incarnation`; undefined when never heard of. */
  readonly memberId: string | undefined;
  readonly role: "leader" | "voter" | "learner" | "unknown";
  /** It ought to vote: it does, or will when it has caught up. */
  readonly shouldVote: boolean;
  /** The last entry known to be in its log, and the last that it applied. */
  readonly matchIndex: number;
  readonly appliedIndex: number;
  /** Names of the hosts that it is connected to; of a host, empty when it is not connected to the one that answers. */
  readonly hosts: readonly string[];
  /** Since it last answered, as the leader sees it; undefined for never. */
  readonly silentMs: number | undefined;
  readonly answers: boolean;
}

export type VoterAction = "promote" | "demote" | "replace";

export interface VotersChanged {
  /** Names of the boards that ought to vote from now on. */
  readonly voters: readonly string[];
  /** Why that is unwise, where it was forced. */
  readonly warning: string | undefined;
}

/** How boards are to reach their hosts, as far as everybody may know. */
export interface ContactStatus {
  /** Grows with each one that is agreed on. */
  readonly number: number;
  /** Log index of the entry that says so. */
  readonly index: number;
}

/** Answer of `GET /api/contact`: number and index are 0 while none was ever agreed on. */
export interface AgreedContact extends ContactStatus, RootOfSwarm {
  /** For whoever has the root's keys; base64url. */
  readonly sealed: string | undefined;
}

/** Whose keys sign and seal what boards take. */
export interface RootOfSwarm {
  /** Public key of the swarm's root, x and y; base64url. */
  readonly root: string;
}

/** Answer of `GET /api/releases`. */
export interface Releases extends RootOfSwarm {
  /** The highest sequence that was ever agreed on, of all kinds of boards; 0 for none. */
  readonly sequence: number;
  /** First those for all boards of a kind. */
  readonly releases: readonly ReleaseStatus[];
  /** Those that whoever asks may read, in the order of `swarm.ts`. */
  readonly boards: readonly BoardUpdate[];
}

/** A release that the swarm has agreed on. */
export interface ReleaseStatus {
  /** The kind of board. */
  readonly model: string;
  /** The board that it is for; undefined for all of its kind that have no release of their own. */
  readonly board: string | undefined;
  readonly sequence: number;
  /** For people: `0.2.0`. */
  readonly firmware: string;
  readonly sizeBytes: number;
  /** Hexadecimal: of the image's first chunk. */
  readonly digest: string;
  /** Log index of the entry that says so. */
  readonly index: number;
  /** Names of the hosts that have the image and are connected to the one that answers. */
  readonly hosts: readonly string[];
}

export interface BoardUpdate {
  readonly id: string;
  readonly model: string;
  readonly link: "up" | "down";
  readonly role: BoardStatus["role"];
  readonly firmware: BoardFirmware | undefined;
  /** Sequence of the release that it is to run; 0 for none. */
  readonly target: number;
}

export interface ActionBegun {
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly boards: readonly string[];
  /** Unix milliseconds: not decided then, it is aborted. */
  readonly deadlineMs: number;
  /** Unix milliseconds; undefined for at once. */
  readonly startMs: number | undefined;
}

export interface ActionStatus extends Omit<ActionBegun, "boards"> {
  readonly phase: Phase;
  /** Every board's outcome is known. */
  readonly isEnded: boolean;
  /** Why it was aborted; "" otherwise. */
  readonly reason: string;
  /** Of one that had ended before this host knew of it, those that did not follow the decision. */
  readonly boards: readonly ActionOnBoard[];
}

export interface ActionOnBoard {
  readonly board: string;
  /** `silent`: it has not said anything. */
  readonly stage: Stage | "silent";
  readonly reason: string;
  /** When it acted, in Unix milliseconds by its own clock, and by how much that may be off. */
  readonly wallMs: number | undefined;
  readonly boundMs: number | undefined;
}

/** Body of `POST /api/releases`. */
export interface ReleaseRequest {
  /** As the root signed it, base64url. */
  readonly release: string;
  /** At most `releaseBoardsMax` names; undefined for all boards of the release's kind. */
  readonly boards?: readonly string[];
}

export const releaseBoardsMax = 64;

export interface ReleaseAgreed {
  readonly model: string;
  readonly sequence: number;
  readonly firmware: string;
  /** Names of the boards that are to run it. */
  readonly boards: readonly string[];
}

export interface ImageTaken {
  /** Hexadecimal. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** With an image: its release as the root signed it, base64url. */
export const releaseHeader = "covey-release";

export interface LogEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: "noop" | "put" | "puts" | "membership" | "unknown";
  /** For a put: the key and its value (a program as `N bytes`); for several in one entry: each of them; for a membership: the voters. */
  readonly text: string;
  /** Of a put. */
  readonly key?: string;
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

export interface ApiError {
  /** One sentence: what is wrong and what to do. */
  readonly message: string;
  readonly code:
    | "bad-request"
    | "not-found"
    | "out-of-limits"
    /** The value is not the expected one; nothing was changed. */
    | "unexpected-value"
    /** It cannot be told any more whether this command was carried out. */
    | "forgotten"
    /** The root's statement is no newer than what is agreed on. */
    | "not-newer"
    /** The host that leads has not got the image yet: send it there, or wait until it has fetched it. */
    | "conflict"
    | "no-image"
    /** The host wants to know first who asks. */
    | "not-logged-in"
    /** Whoever asks has no right to that. */
    | "forbidden"
    /** Too many attempts to log in: wait as long as the header retry-after says. */
    | "too-many"
    /** The voters would be without a majority. */
    | "no-quorum"
    /** It can be done with `force`, but something else would be better. */
    | "unwise"
    /** Nobody leads, or this host was asked for another and does not lead: nothing was changed. */
    | "not-leader"
    /** Not known in time whether it was carried out. */
    | "timeout"
    | "internal";
}

/** Body of `PUT /api/settings/KEY`. */
export interface SetRequest {
  readonly value: unknown;
  /** Set only if this is the value at present. */
  readonly expected?: unknown;
}

/** How a task stands. `waiting`: no board may hold it, or the one that had it may still run it. `silent`: its board has not claimed it for a whole lease. */
export interface TaskStatus {
  readonly name: string;
  readonly state: "placed" | "silent" | "waiting" | "stopped";
  /** Whether boards or hosts may hold it. */
  readonly on: "boards" | "hosts";
  readonly holder: string | undefined;
  /** Of the last placement; 0 for none yet. */
  readonly token: number;
  /** Unix milliseconds of the last placement. */
  readonly sinceMs: number | undefined;
  readonly strategy: string;
  readonly leaseMs: number;
  /** Since its holder last claimed it. */
  readonly silentMs: number | undefined;
}

/** Answer of `GET /api/tasks`, and of each change of them. */
export interface TasksStatus {
  readonly tasks: readonly TaskStatus[];
  /** Boards and hosts that are to be given none. */
  readonly drained: readonly string[];
}

/** Answer of `POST /api/tasks/NAME/hold`. */
export interface HoldAnswer {
  readonly task: string;
  /** Which was asked. */
  readonly host: string;
  /** `held`: whoever asked may carry out the role, for `leftMs` from when it asked. `waiting`: it may not. */
  readonly state: "held" | "waiting";
  readonly leaseMs: number;
  /** After which it is to ask again. */
  readonly askAgainMs: number;
  /** Of the tenure; absent while waiting, as `leftMs`. */
  readonly token?: number;
  readonly leftMs?: number;
}

/** Answer of `GET /api/keep`. */
export interface KeepStatus {
  /** Those of which something is kept. */
  readonly boards: readonly KeptBoardStatus[];
  readonly keepers: readonly KeeperStatus[];
  /** Blocks that each host has taken and not placed, and those that it had no room for, since it has its disk. */
  readonly hosts: readonly KeepHostStatus[];
  /** Of the host that leads, since it began. */
  readonly mending: {
    readonly isBusy: boolean;
    readonly copied: number;
    readonly copiedBytes: number;
    /** Blocks that a board listed and none gave whole. */
    readonly unreadable: number;
  };
  readonly restored?: KeepRestored | undefined;
}

export interface KeptBoardStatus {
  readonly board: string;
  readonly metrics: readonly string[];
  /** As many as are wanted, and as are whole. */
  readonly copies: number;
  readonly whole: number;
  readonly keepers: readonly {
    readonly board: string;
    readonly zone: string;
    /** `behind`: it is being given what it lacks. `away`: it is not connected, whole or not. */
    readonly state: "whole" | "behind" | "away";
    readonly isWhole: boolean;
    /** Blocks that it lacked when it was last looked at; undefined while it was not. */
    readonly missing: number | undefined;
  }[];
  /** On all keepers together, when they were last listed; each counts once. */
  readonly blocks: number;
  /** About, by the mean block of the host that answers. */
  readonly bytes: number;
  /** Why there are too few whole copies; absent when there are enough, or soon will be. */
  readonly reason?: string;
}

export interface KeeperStatus {
  readonly board: string;
  readonly zone: string;
  readonly link: "up" | "down";
  readonly isDrained: boolean;
  /** Boards whose readings it keeps. */
  readonly of: readonly string[];
  /** Of flash, when it was last listed; undefined before. */
  readonly bytes: number | undefined;
  readonly usedBytes: number | undefined;
  /** For each block that comes its oldest goes. */
  readonly isFull: boolean;
  /** Blocks that were found damaged when it was last listed. */
  readonly damaged: number;
  /** Why it keeps nothing: no-room, sleeps, flash. */
  readonly refusal?: string;
}

export interface KeepHostStatus {
  readonly host: string;
  readonly waiting: number;
  /** Gave way while some of their keepers had them. */
  readonly short: number;
  /** No board has these. */
  readonly lost: number;
}

export interface KeepRestored {
  /** Counts them, since the host that leads began. */
  readonly number: number;
  readonly state: "running" | "done" | "failed";
  readonly series: number;
  readonly seriesDone: number;
  readonly blocks: number;
  /** Readings that the host that leads did not have. */
  readonly readings: number;
  /** Blocks that are listed and that nobody gave. */
  readonly missing: number;
  /** That were given the readings. */
  readonly hosts: readonly string[];
  /** Boards that said what they keep. */
  readonly boards: readonly string[];
  readonly reason?: string;
}

/** Answer of `GET /api/login`: what to sign, see `access/login-proof.ts`. */
export interface LoginChallenge {
  readonly swarm: string;
  /** The host that asks. */
  readonly host: string;
  /** 32 bytes as base64url, for one login within a minute. */
  readonly challenge: string;
}

/** Body of `POST /api/login`; bytes as base64url. */
export interface LoginRequest {
  /** As the swarm's root signed it. */
  readonly identity: string;
  readonly challenge: string;
  /** The address that the client uses, such as `https://a.example:7800`. */
  readonly origin: string;
  /** ES256, r and s. */
  readonly signature: string;
}

/** Who asks, as the host that was asked knows it. */
export interface LoggedIn {
  readonly name: string;
  readonly role: string;
  readonly scope: Scope;
  /** This host asks nobody to log in. */
  readonly isLocal: boolean;
  /** For `authorization: Bearer`; only in the answer to a login. */
  readonly token?: string;
}

/** Refusals of one kind, counted together. */
export interface AuditEntry {
  /** ISO 8601, UTC, of the last of them. */
  readonly time: string;
  /** A member, an operator, or an address. */
  readonly who: string;
  readonly what: string;
  readonly count: number;
}

/** `.covey/<swarm>/host-<name>/host.json`: how the other verbs find the running hosts. */
export interface HostFile {
  readonly swarm: string;
  /** The host's name in `swarm.ts`. */
  readonly host: string;
  readonly pid: number;
  /** For example `http://127.0.0.1:7800`. */
  readonly url: string;
}

/** `GET /api/checkpoints`, the oldest first. */
export interface CheckpointListed {
  readonly name: string;
  readonly by: string;
  /** ISO 8601. */
  readonly time: string;
  /** Made before a restore; the oldest of them go first. */
  readonly isAutomatic: boolean;
  /** Whether its digest is agreed on; until then nothing can be done with it. */
  readonly isComplete: boolean;
  /** The state behind this entry of the log, and its term; 0 until it is complete. */
  readonly index: number;
  readonly term: number;
  /** SHA-256 of its content, hexadecimal. */
  readonly digest: string;
  /** What each connected host has on its disk. */
  readonly copies: Readonly<Record<string, "whole" | "damaged" | "missing">>;
}

export interface CheckpointListing {
  readonly checkpoints: readonly CheckpointListed[];
  /** What was restored last, by whom and when; undefined for nothing ever. */
  readonly restored?: string | undefined;
}

export interface StateDifference {
  readonly part: "settings" | "programs" | "models" | "voters" | "releases" | "own";
  readonly key: string;
  /** `fan.duty: 40 -> 55`. */
  readonly text: string;
}

/** `GET /api/checkpoints/diff?from=now&to=NAME`. */
export interface CheckpointDifference {
  readonly from: string;
  readonly to: string;
  /** All that differs. */
  readonly differences: readonly StateDifference[];
  /** What would not come back, and why. */
  readonly leftOut: readonly string[];
  /** If `to` was restored where `from` is the state. */
  readonly restore: {
    readonly changes: readonly StateDifference[];
    /** To be said again when it is to be done. */
    readonly digest: string;
    readonly keys: number;
    readonly bytes: number;
    /** Whether it can be agreed on at once, which is the only way. */
    readonly fits: boolean;
  };
}

/** `PUT /api/checkpoints/restore`. */
export interface CheckpointRestored {
  readonly name: string;
  /** Keys; 0: the state was so already. */
  readonly changed: number;
  readonly leftOut: readonly string[];
  /** Of the one entry that changed all of them. */
  readonly index?: number;
  /** The checkpoint of the state before. */
  readonly saved?: string;
}
