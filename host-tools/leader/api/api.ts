/**
 * A host's HTTP interface, as the CLI, the page and other programs see it. All bodies are JSON unless said,
 * and have the shapes of `types/`.
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
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { streamSSE } from "hono/streaming";
import type { Access, Caller } from "../access/access.ts";
import { type Actor, mayRead, mayReadAll } from "../access/actor.ts";
import type { Reach } from "../access/reach.ts";
import {
  actionResource,
  coveyResource,
  demand,
  type Right,
  taskResource,
  toRead,
  toReadSome,
  toUpdate,
  toWrite,
} from "../access/rights.ts";
import {
  visibleActions,
  visibleAlerts,
  visibleLog,
  visibleReleases,
  visibleSettings,
  visibleStatus,
} from "../access/visible.ts";
import { type ActionRequest, parseActionRequest } from "../actions/action-request.ts";
import type { Audit } from "../audit.ts";
import type { RestoreChoice } from "../checkpoints/restore-plan.ts";
import type { RestoreRequest } from "../checkpoints/restoring.ts";
import { addCheckpoints } from "../checkpoints/routes.ts";
import { parseReleaseRequest, type ReadRequest } from "../images/release-request.ts";
import type { RestoreWish } from "../keeping/restoration.ts";
import { addKeeping } from "../keeping/routes.ts";
import type { Log } from "../log.ts";
import type { VoterChange } from "../members/change-voters.ts";
import { createPageFiles } from "../page-files.ts";
import type { CommandId } from "../raft/command-id.ts";
import type { RegistersView } from "../registers/registers.ts";
import { addRegisters } from "../registers/routes.ts";
import { notLeadingMessage } from "../state/commands.ts";
import { type HoldRequest, readHoldRequest } from "../tasks/hold-request.ts";
import { readTaskChange, type TaskChange } from "../tasks/task-change.ts";
import { csvPages, parseCount, parseReadingRequest } from "../telemetry/reading-export.ts";
import type { ReadingQuery } from "../telemetry/telemetry.ts";
import { ApiFailure, failureOf } from "./api-failure.ts";
import { atLeader, type Leader } from "./leader-requests.ts";
import { parseObject } from "./request-body.ts";
import { guardRequests, limitBody, requireJson } from "./request-guard.ts";
import type { StatusFeed } from "./status-feed.ts";
import type { AuditEntry } from "./types/access.ts";
import type { ActionBegun, ActionStatus } from "./types/actions.ts";
import type { AlertStatus, AlertsAnswer, AlertTested } from "./types/alerts.ts";
import type {
  CheckpointDifference,
  CheckpointListed,
  CheckpointListing,
  CheckpointRestored,
} from "./types/checkpoints.ts";
import type { AgreedContact, ContactStatus } from "./types/contact.ts";
import type { KeepRestored, KeepStatus } from "./types/keeping.ts";
import type { LogEntry } from "./types/log.ts";
import type { Members, VoterAction, VotersChanged } from "./types/members.ts";
import type { QueryAnswer } from "./types/queries.ts";
import type { StoredReading } from "./types/readings.ts";
import type { ReleaseAgreed, Releases } from "./types/releases.ts";
import type { SetResult, Setting } from "./types/settings.ts";
import type { Status } from "./types/status.ts";
import type { HoldAnswer, TasksStatus } from "./types/tasks.ts";

/** What the interface needs from the host. */
export interface HostView {
  readonly hostName: string;
  /** `here`, the host that leads, or undefined when this host knows none. */
  readonly leader: "here" | Leader | undefined;
  /** Whether, within `waitMs`, a majority confirmed that this host leads and all that anybody was told is committed is applied here. */
  confirm(waitMs: number): Promise<boolean>;
  status(isConfirmed: boolean): Status;
  settings(): Record<string, Setting>;
  /** For one command that was not tried yet. */
  newCommandId(): string;
  /** Resolves once committed. Rejects with `ApiFailure`. */
  set(command: SetCommand): Promise<SetResult>;
  readonly registers: RegistersView;
  members(): Members;
  changeVoters(change: VoterChange): Promise<VotersChanged>;
  /** Throws `ApiFailure`. */
  transfer(to: string): void;
  /** Consecutive entries; `from` undefined for the newest. */
  log(from: number | undefined, limit: number): LogEntry[];
  newestReadings(query: ReadingQuery, limit: number): StoredReading[];
  readingPages(query: ReadingQuery): Iterable<readonly StoredReading[]>;
  readonly feed: StatusFeed;
  /** Grows whenever the root has said anew who belongs. */
  readonly rosterEpoch: number;
  /** Resolves once the root's statement is agreed on. Rejects with `ApiFailure`. */
  takeRoster(statement: Uint8Array): Promise<{ epoch: number }>;
  contact(): AgreedContact;
  /** Resolves once it is agreed on. Rejects with `ApiFailure`. */
  takeContact(sealed: Uint8Array): Promise<ContactStatus>;
  checkpoints(): Promise<CheckpointListing>;
  /** What this host itself has on its disk. */
  checkpointCopies(): Readonly<Record<string, string>>;
  /** Throws `ApiFailure` when this host has no whole copy. */
  checkpointCopy(name: string): Uint8Array;
  /** These reject with `ApiFailure`. */
  createCheckpoint(name: string, actor: Actor): Promise<CheckpointListed>;
  deleteCheckpoint(name: string): Promise<void>;
  compareCheckpoints(from: string, to: string, choice: RestoreChoice): Promise<CheckpointDifference>;
  restoreCheckpoint(request: RestoreRequest, actor: Actor): Promise<CheckpointRestored>;
  releases(): Releases;
  tasks(): TasksStatus;
  /** Resolves once it is agreed on. Rejects with `ApiFailure`. */
  changeTasks(change: TaskChange): Promise<TasksStatus>;
  /** Whether a process on this computer may carry out a role. Throws `ApiFailure`. */
  holdTask(task: string, request: HoldRequest): HoldAnswer;
  keep(): KeepStatus;
  /** Begins to bring back what boards keep; `keep` tells how far it is. Throws `ApiFailure`. */
  restoreKept(wish: RestoreWish): KeepRestored;
  /** CSV, read from the boards. */
  keptReadings(query: ReadingQuery): AsyncIterable<string>;
  /** Resolves once the release is agreed on. Rejects with `ApiFailure`. */
  propose(request: ReadRequest, actor: Actor): Promise<ReleaseAgreed>;
  /** Oldest first. */
  actions(): ActionStatus[];
  /** Resolves once it is agreed that the action has begun. Rejects with `ApiFailure`. */
  act(request: ActionRequest, actor: Actor): Promise<ActionBegun>;
  /** Newest last. */
  audit(): AuditEntry[];
  alerts(): AlertsAnswer;
  /** On one board, or on all on which it fires. Rejects with `ApiFailure`. */
  acknowledgeAlert(alert: string, board: string | undefined, actor: Actor): Promise<AlertStatus[]>;
  /** Asks the boards that `isWanted`. Rejects with `ApiFailure`. */
  query(text: string, isWanted: (board: string) => boolean): Promise<QueryAnswer>;
  /** Tells every webhook that it works. Rejects with `ApiFailure`. */
  testAlerts(): Promise<AlertTested[]>;
}

export interface SetCommand {
  readonly key: string;
  readonly value: unknown;
  /** Only if this is the value at present; undefined: whatever it is. */
  readonly expected: unknown;
  /** undefined: a command that is not repeated. */
  readonly id: CommandId | undefined;
  /** Who asks, and has the right to. */
  readonly actor: Actor;
  /** Another host asks. */
  readonly isForwarded: boolean;
}

export const apiLimits = {
  bodyBytesMax: 4_096,
  logEntriesMax: 1_000,
  logEntriesDefault: 100,
  /** For a majority to confirm what is told: a status is told all the same, and says so; a setting is not. */
  statusConfirmMs: 1_000,
  settingConfirmMs: 5_000,
  /** A comment on a quiet event stream, so that both ends notice a dead connection. */
  heartbeatMs: 15_000,
  /** After which a browser asks again when the stream ended. */
  eventsRetryMs: 500,
  /** After which whoever watches has to ask again. */
  eventsMaxMs: 600_000,
} as const;

/** What stands between a request and the host. */
export interface Door {
  readonly reach: Reach;
  readonly access: Access;
  readonly audit: Audit;
}

export type Env = { Bindings: HttpBindings; Variables: { caller: Caller } };
type ApiContext = Context<Env>;

export function createApi(host: HostView, door: Door, log: Log): Hono<Env> {
  const api = new Hono<Env>();
  const pageFile = createPageFiles();
  const onLeader = atLeader(host);
  const needs = (right: Right | ((context: Context) => Right)) => requireRight(door, right);
  api.use(guardRequests(door.reach), limitBody(apiLimits.bodyBytesMax));
  addLogin(api, door);
  api.get("/api/status", needs(toReadSome), onLeader, async (context) => {
    const status = host.status(await host.confirm(apiLimits.statusConfirmMs));
    return answer(context, visibleStatus(actorOf(context), status));
  });
  api.get("/api/events", needs(toReadSome), onLeader, async (context) => {
    // Whoever looks again after a restart is not to see what was overtaken long ago.
    await host.confirm(apiLimits.statusConfirmMs);
    return streamEvents(context, host, door);
  });
  api.get("/api/settings", needs(toReadSome), onLeader, async (context) =>
    answerSettings(context, host, (all) => all),
  );
  const keyOf = (context: Context) => context.req.param("key")!;
  api.get(
    "/api/settings/:key",
    needs((context) => toRead(keyOf(context))),
    onLeader,
    async (context) => {
      host.registers.demandNone(keyOf(context));
      return answerSettings(context, host, (all) => settingOf(all, keyOf(context)));
    },
  );
  api.get("/api/members", needs(toRead("*")), onLeader, async (context) => {
    await host.confirm(apiLimits.statusConfirmMs);
    return answer(context, host.members());
  });
  api.post(
    "/api/members/voters",
    requireJson,
    needs(toWrite(coveyResource.voters)),
    onLeader,
    async (context) => answer(context, await host.changeVoters(await readVoterChange(context))),
  );
  api.post(
    "/api/members/transfer",
    requireJson,
    needs(toWrite(coveyResource.leader)),
    onLeader,
    async (context) => {
      const { to } = await readObject(context, '{"to": "b"}');
      if (typeof to !== "string") throw new ApiFailure("bad-request", 'Say which host: {"to": "b"}.');
      host.transfer(to);
      return answer(context, { to });
    },
  );
  api.post("/api/roster", requireJson, needs(toWrite(coveyResource.roster)), onLeader, async (context) =>
    answer(context, await host.takeRoster(await readStatement(context))),
  );
  api.get("/api/contact", needs(toWrite(coveyResource.contact)), onLeader, async (context) => {
    await host.confirm(apiLimits.statusConfirmMs);
    return answer(context, host.contact());
  });
  api.post("/api/contact", requireJson, needs(toWrite(coveyResource.contact)), onLeader, async (context) =>
    answer(context, await host.takeContact(await readSealed(context))),
  );
  addCheckpoints(api, host, needs, onLeader);
  addKeeping(api, host, needs, onLeader);
  addRegisters(api, host, needs, onLeader);
  api.get("/api/releases", needs(toReadSome), onLeader, async (context) => {
    await host.confirm(apiLimits.statusConfirmMs);
    return answer(context, visibleReleases(actorOf(context), host.releases()));
  });
  api.post(
    "/api/releases",
    requireJson,
    needs(toUpdate(coveyResource.firmware)),
    onLeader,
    async (context) => {
      const wanted = parseReleaseRequest(await context.req.text());
      return answer(context, await host.propose(wanted, actorOf(context)));
    },
  );
  api.get("/api/actions", needs(toReadSome), onLeader, async (context) => {
    await host.confirm(apiLimits.statusConfirmMs);
    return answer(context, visibleActions(actorOf(context), host.actions()));
  });
  const actionOf = (context: Context) => context.req.param("name")!;
  api.post(
    "/api/actions/:name",
    requireJson,
    needs((context) => toWrite(actionResource(actionOf(context)))),
    onLeader,
    async (context) => {
      const wanted = parseActionRequest(actionOf(context), await context.req.text(), Date.now());
      return answer(context, await host.act(wanted, actorOf(context)));
    },
  );
  api.get("/api/tasks", needs(toRead("*")), onLeader, async (context) => {
    await host.confirm(apiLimits.statusConfirmMs);
    return answer(context, host.tasks());
  });
  api.post("/api/tasks", requireJson, needs(toWrite(coveyResource.tasks)), onLeader, async (context) =>
    answer(context, await host.changeTasks(readTaskChange(await context.req.text()))),
  );
  const taskOf = (context: Context) => context.req.param("name")!;
  // Of this host alone: nothing of it is sent on.
  api.post(
    "/api/tasks/:name/hold",
    requireJson,
    needs((context) => toWrite(taskResource(taskOf(context)))),
    async (context) =>
      answer(context, host.holdTask(taskOf(context), readHoldRequest(await context.req.text()))),
  );
  api.get("/api/audit", needs(toRead(coveyResource.audit)), onLeader, (context) =>
    answer(context, host.audit()),
  );
  addAlerts(api, host, needs, onLeader);
  api.get("/api/query", needs(toReadSome), onLeader, async (context) => {
    const actor = actorOf(context);
    const question = context.req.query("q") ?? "";
    return answer(context, await host.query(question, (board) => mayRead(actor, board)));
  });
  api.get("/api/log", needs(toReadSome), onLeader, (context) => {
    const { from, limit } = context.req.query();
    const first = parseCount("from", from, Number.MAX_SAFE_INTEGER);
    const count = parseCount("limit", limit, apiLimits.logEntriesMax) ?? apiLimits.logEntriesDefault;
    return answer(context, visibleLog(actorOf(context), host.log(first, count)));
  });
  const ofBoard = (context: Context) => {
    const board = context.req.query("board");
    return board ? toRead(board) : toReadSome;
  };
  api.get("/api/readings", needs(ofBoard), onLeader, (context) => answerReadings(context, host));
  api.all("*", (context) => {
    const file = context.req.method === "GET" ? pageFile(context) : undefined;
    if (file !== undefined) return file;
    throw new ApiFailure(
      "not-found",
      `There is no ${context.req.method} ${context.req.path}; GET /api/status is a start.`,
    );
  });
  api.onError((error, context) => refuse(context, error, log));
  return api;
}

/** Logging in is of this host alone: nothing of it is sent on. */
function addLogin(api: Hono<Env>, { access }: Door): void {
  api.get("/api/session", (context) => answer(context, access.describe(context.env.incoming)));
  api.get("/api/login", (context) => answer(context, access.challenge()));
  api.post("/api/login", requireJson, async (context) => {
    const example = '{"identity": "...", "challenge": "...", "origin": "...", "signature": "..."}';
    const opened = access.login(await readObject(context, example), context.env.incoming);
    context.header("set-cookie", opened.cookie);
    return answer(context, opened.answer);
  });
  api.post("/api/logout", requireJson, (context) => {
    context.header("set-cookie", access.logout(context.env.incoming));
    return answer(context, {});
  });
}

function addAlerts(
  api: Hono<Env>,
  host: HostView,
  needs: (right: Right) => MiddlewareHandler<Env>,
  onLeader: MiddlewareHandler,
): void {
  api.get("/api/alerts", needs(toReadSome), onLeader, (context) => {
    const all = host.alerts();
    return answer(context, { ...all, alerts: visibleAlerts(actorOf(context), all.alerts) });
  });
  api.post(
    "/api/alerts/acknowledge",
    requireJson,
    needs(toWrite(coveyResource.alerts)),
    onLeader,
    async (context) => {
      const example = '{"alert": "too-hot", "board": "north-1"}';
      const { alert, board } = await readObject(context, example);
      if (typeof alert !== "string" || (board !== undefined && typeof board !== "string")) {
        throw new ApiFailure("bad-request", `Say which alert: ${example}.`);
      }
      return answer(context, await host.acknowledgeAlert(alert, board, actorOf(context)));
    },
  );
  api.post("/api/alerts/test", requireJson, needs(toWrite(coveyResource.alerts)), onLeader, async (context) =>
    answer(context, await host.testAlerts()),
  );
}

/** Of every route but the page and logging in: who asks, and whether it may. */
function requireRight(
  { access, audit }: Door,
  right: Right | ((context: Context) => Right),
): MiddlewareHandler<Env> {
  return async (context, next) => {
    const caller = await access.identify(context.env.incoming, () => context.req.text());
    demand(caller.actor, typeof right === "function" ? right(context) : right, audit);
    context.set("caller", caller);
    await next();
  };
}

function actorOf(context: ApiContext): Actor {
  return context.get("caller").actor;
}

function answer(context: Context, value: object): Response {
  context.header("cache-control", "no-store");
  return context.json(value);
}

function refuse(context: Context, error: Error, log: Log): Response {
  const failure = failureOf(error, context.req.path, log);
  for (const [name, value] of Object.entries(failure.headers)) context.header(name, value);
  return context.json(failure.body, failure.status);
}

function settingOf(settings: Record<string, Setting>, key: string): Setting {
  if (Object.hasOwn(settings, key)) return settings[key]!;
  const known = Object.keys(settings).join(", ") || "none";
  throw new ApiFailure("not-found", `There is no setting ${key}; this swarm has ${known}.`);
}

async function answerSettings<T extends object>(
  context: ApiContext,
  host: HostView,
  choose: (settings: Record<string, Setting>) => T,
): Promise<Response> {
  if (!(await host.confirm(apiLimits.settingConfirmMs))) {
    throw new ApiFailure("not-leader", notLeadingMessage);
  }
  context.header("idempotency-key", host.newCommandId());
  return answer(context, choose(visibleSettings(actorOf(context), host.settings())));
}

const voterActions: readonly unknown[] = ["promote", "demote", "replace"] satisfies VoterAction[];

async function readVoterChange(context: Context): Promise<VoterChange> {
  const example = '{"action": "promote", "names": ["north-1"]}';
  const { action, names, force } = await readObject(context, example);
  const areNames =
    Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string");
  const count = action === "replace" ? 2 : 0;
  if (!voterActions.includes(action) || !areNames || (count > 0 && names.length !== count)) {
    throw new ApiFailure("bad-request", `That is no change of voters; send for example ${example}.`);
  }
  return { action: action as VoterAction, names, force: force === true };
}

async function readStatement(context: Context): Promise<Uint8Array> {
  const { statement } = await readObject(context, '{"statement": "..."}');
  if (typeof statement === "string") return new Uint8Array(Buffer.from(statement, "base64url"));
  throw new ApiFailure("bad-request", "Send the root's statement as covey keys writes it, in base64url.");
}

async function readSealed(context: Context): Promise<Uint8Array> {
  const { sealed } = await readObject(context, '{"sealed": "..."}');
  if (typeof sealed === "string") return new Uint8Array(Buffer.from(sealed, "base64url"));
  throw new ApiFailure("bad-request", "Send the contact as covey move seals it, in base64url.");
}

async function readObject(context: Context, example: string): Promise<Record<string, unknown>> {
  return parseObject(await context.req.text(), example);
}

function answerReadings(context: ApiContext, host: HostView): Response {
  const { query: wanted, limit, format } = parseReadingRequest(context.req.query());
  const query = { ...wanted, isWanted: (board: string) => mayRead(actorOf(context), board) };
  if (format === "json") return answer(context, host.newestReadings(query, limit!));
  const pages = limit === undefined ? host.readingPages(query) : [host.newestReadings(query, limit)];
  context.header("cache-control", "no-store");
  context.header("content-type", "text/csv; charset=utf-8");
  context.header("content-disposition", 'attachment; filename="readings.csv"');
  return context.body(textStream(csvPages(pages)));
}

/** One page is read when the client has taken the one before. */
function textStream(pages: Generator<string>): ReadableStream {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = pages.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel() {
      pages.return(undefined);
    },
  });
}

/**
 * Ends when another host leads: whoever watches asks again then, and is shown what that one says. And when who belongs has changed, when the session
 * is over, and after a while: whoever asks again has to be somebody still.
 */
function streamEvents(context: ApiContext, host: HostView, { access }: Door): Response {
  const watch = host.feed.watch();
  if (watch === undefined) {
    throw new ApiFailure("internal", "Too many programs watch this host; close one of its pages.", 503);
  }
  const caller = context.get("caller");
  const { rosterEpoch } = host;
  const endMs = performance.now() + apiLimits.eventsMaxMs;
  const isOver = () =>
    watch.isClosed ||
    leadsElsewhere(host) ||
    host.rosterEpoch !== rosterEpoch ||
    performance.now() > endMs ||
    !access.isStill(caller, context.env.incoming);
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => watch.close());
    try {
      while (!isOver()) {
        const status = await watch.next(apiLimits.heartbeatMs);
        if (isOver()) break;
        if (status === undefined) await stream.write(": quiet\n\n");
        else {
          const data = visibleText(caller.actor, status);
          await stream.writeSSE({ event: "status", data, retry: apiLimits.eventsRetryMs });
        }
      }
    } finally {
      watch.close();
    }
  });
}

/** The text is made once for all who may read everything. */
function visibleText(actor: Actor, status: string): string {
  return mayReadAll(actor) ? status : JSON.stringify(visibleStatus(actor, JSON.parse(status) as Status));
}

function leadsElsewhere({ leader }: HostView): boolean {
  return leader !== undefined && leader !== "here";
}
