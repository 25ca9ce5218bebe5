/**
 * A host's HTTP interface, as the CLI, the page and other programs see it. All bodies are JSON unless said, in the shapes of `types/`. Each room adds its own
 * routes, in its `routes.ts`.
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
 * | POST /api/actions/NAME/forget with `{id, boards, acceptLoss: true}` | `ActionStatus`: boards that are lost for good are given up, once that is committed |
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
 * | GET /api/checkpoints | `CheckpointListing` |
 * | POST /api/checkpoints with `{name}` | `CheckpointListed`, once it is committed that there is one |
 * | POST /api/checkpoints/delete with `{name}` | `{name}`, once that is agreed on |
 * | GET /api/checkpoints/diff?from=&to=&only=&boards= | `CheckpointDifference` |
 * | GET /api/checkpoints/restore | `RestoreUnderWay`, or `{}` |
 * | PUT /api/checkpoints/restore with `{name, shown, only?, boards?}` | `CheckpointRestored`, once the one entry that does it is committed |
 * | GET /api/checkpoints/copies, GET /api/checkpoints/NAME/copy | what the host that is asked has on its disk, for the other hosts |
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
import { Hono } from "hono";
import { addAudit, addLogin } from "../access/routes.ts";
import { addActions } from "../actions/routes.ts";
import { addAlerts } from "../alerts/routes.ts";
import { addCheckpoints } from "../checkpoints/routes.ts";
import { addContact } from "../contact/routes.ts";
import { addReleases } from "../images/routes.ts";
import { addKeeping } from "../keeping/routes.ts";
import type { Log } from "../log.ts";
import { addMembers } from "../members/routes.ts";
import { createPageFiles } from "../page-files.ts";
import { addQueries } from "../queries/routes.ts";
import { addRegisters } from "../registers/routes.ts";
import { addLog, addSettings } from "../state/routes.ts";
import { addTasks } from "../tasks/routes.ts";
import { addReadings } from "../telemetry/routes.ts";
import { addRoster } from "../trust/routes.ts";
import { ApiFailure, failureOf } from "./api-failure.ts";
import type { HostView } from "./host-view.ts";
import { atLeader } from "./leader-requests.ts";
import { guardRequests, limitBody } from "./request-guard.ts";
import { apiLimits, type Door, type Env, type Routes, requireRight } from "./routes.ts";
import { addStatus } from "./status-routes.ts";

/** All of it but what Node answers without hono: the setting of a value (`set-handler.ts`), and images (`../images/upload-handler.ts`). */
export function createApi(host: HostView, door: Door, log: Log): Hono<Env> {
  const api = new Hono<Env>();
  api.use(guardRequests(door.reach), limitBody(apiLimits.bodyBytesMax));
  const routes: Routes = { api, needs: requireRight(door), onLeader: atLeader(host.leadership) };
  addLogin(routes, door.access);
  addStatus(routes, host, door.access);
  addSettings(routes, host);
  addMembers(routes, host);
  addRoster(routes, host);
  addContact(routes, host);
  addCheckpoints(routes, host);
  addKeeping(routes, host);
  addRegisters(routes, host);
  addReleases(routes, host);
  addActions(routes, host);
  addTasks(routes, host);
  addAudit(routes, host);
  addAlerts(routes, host);
  addQueries(routes, host);
  addLog(routes, host);
  addReadings(routes, host);
  addPage(routes);
  api.onError((error, context) => {
    const failure = failureOf(error, context.req.path, log);
    for (const [name, value] of Object.entries(failure.headers)) context.header(name, value);
    return context.json(failure.body, failure.status);
  });
  return api;
}

/** Whatever no room answers. */
function addPage({ api }: Pick<Routes, "api">): void {
  const pageFile = createPageFiles();
  api.all("*", (context) => {
    const file = context.req.method === "GET" ? pageFile(context) : undefined;
    if (file !== undefined) return file;
    throw new ApiFailure(
      "not-found",
      `There is no ${context.req.method} ${context.req.path}; GET /api/status is a start.`,
    );
  });
}
