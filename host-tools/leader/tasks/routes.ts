/**
 * `/api/tasks`: which board or host holds which task.
 *
 * ```
 * GET    /api/tasks
 * POST   /api/tasks              {"action": "drain", "name": "north-1"}
 * POST   /api/tasks/NAME/hold    {"process": "...", "number": 1, "isRunning": false, "isLeaving": false}    of the host that is asked alone
 * ```
 */
import { coveyResource, taskResource, toRead, toWrite } from "../access/rights.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { answer, apiLimits, nameIn, type Routes } from "../api/routes.ts";
import { readHoldRequest } from "./hold-request.ts";
import { readTaskChange } from "./task-change.ts";

const path = "/api/tasks";

export function addTasks({ api, needs, onLeader }: Routes, { leadership, tasks }: HostView): void {
  const mayHold = needs((context) => toWrite(taskResource(nameIn(context))));
  api.get(path, needs(toRead("*")), onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, tasks.status());
  });
  api.post(path, requireJson, needs(toWrite(coveyResource.tasks)), onLeader, async (context) => {
    const change = readTaskChange(await context.req.text());
    await leadership.demand();
    return answer(context, await tasks.change(change));
  });
  // Of this host alone: nothing of it is sent on.
  api.post(`${path}/:name/hold`, requireJson, mayHold, async (context) =>
    answer(context, tasks.hold(nameIn(context), readHoldRequest(await context.req.text()))),
  );
}
