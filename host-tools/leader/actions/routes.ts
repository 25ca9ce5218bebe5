/**
 * `/api/actions`: what boards do together, or not at all.
 *
 * ```
 * GET    /api/actions
 * POST   /api/actions/NAME           {"boards": ["north-1"], "timeoutMs": 5000, "startMs": 1767225600000}
 * POST   /api/actions/NAME/forget    {"id": "1f3a5c7e", "boards": ["north-1"], "acceptLoss": true}
 * ```
 */
import { actionResource, toReadSome, toWrite } from "../access/rights.ts";
import { visibleActions } from "../access/visible.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { actorOf, answer, apiLimits, nameIn, type Routes } from "../api/routes.ts";
import { parseActionRequest } from "./action-request.ts";
import { parseForgetRequest } from "./forget-request.ts";

const path = "/api/actions";

export function addActions({ api, needs, onLeader }: Routes, { leadership, actions }: HostView): void {
  const mayAct = needs((context) => toWrite(actionResource(nameIn(context))));
  api.get(path, needs(toReadSome), onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, visibleActions(actorOf(context), actions.list()));
  });
  api.post(`${path}/:name`, requireJson, mayAct, onLeader, async (context) => {
    const wanted = parseActionRequest(nameIn(context), await context.req.text(), Date.now());
    // What was begun before is known then, and in the way of what it is in conflict with.
    await leadership.demand();
    return answer(context, await actions.begin(wanted, actorOf(context)));
  });
  api.post(`${path}/:name/forget`, requireJson, mayAct, onLeader, async (context) => {
    const wanted = parseForgetRequest(nameIn(context), await context.req.text());
    await leadership.demand();
    return answer(context, await actions.forget(wanted, actorOf(context)));
  });
}
