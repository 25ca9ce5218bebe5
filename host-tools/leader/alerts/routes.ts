/**
 * `/api/alerts`: what fires, and who has seen it.
 *
 * ```
 * GET    /api/alerts
 * POST   /api/alerts/acknowledge    {"alert": "too-hot", "board": "north-1"}
 * POST   /api/alerts/test
 * ```
 */
import { coveyResource, toReadSome, toWrite } from "../access/rights.ts";
import { visibleAlerts } from "../access/visible.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { actorOf, answer, type Routes, readObject } from "../api/routes.ts";

const path = "/api/alerts";

export function addAlerts({ api, needs, onLeader }: Routes, { leadership, alerts }: HostView): void {
  const mayWrite = needs(toWrite(coveyResource.alerts));
  api.get(path, needs(toReadSome), onLeader, (context) => {
    const all = alerts?.list() ?? { alerts: [], watched: 0, webhooks: [] };
    return answer(context, { ...all, alerts: visibleAlerts(actorOf(context), all.alerts) });
  });
  api.post(`${path}/acknowledge`, requireJson, mayWrite, onLeader, async (context) => {
    const example = '{"alert": "too-hot", "board": "north-1"}';
    const { alert, board } = await readObject(context, example);
    if (typeof alert !== "string" || (board !== undefined && typeof board !== "string")) {
      throw new ApiFailure("bad-request", `Say which alert: ${example}.`);
    }
    await leadership.demand();
    return answer(context, await demandAlerts(alerts).acknowledge(alert, board, actorOf(context).name));
  });
  api.post(`${path}/test`, requireJson, mayWrite, onLeader, async (context) => {
    await leadership.demand();
    return answer(context, await demandAlerts(alerts).test());
  });
}

function demandAlerts(alerts: HostView["alerts"]): NonNullable<HostView["alerts"]> {
  if (alerts !== undefined) return alerts;
  throw new ApiFailure(
    "not-found",
    "This swarm has no alerts; swarm.ts says alerts: {...} (docs/alerts.md).",
  );
}
