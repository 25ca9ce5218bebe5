/**
 * `/api/releases`: which firmware is agreed on. Images are taken by `upload-handler.ts`.
 *
 * ```
 * GET    /api/releases
 * POST   /api/releases    {"release": "...", "boards": ["north-1"]}
 * ```
 */
import { coveyResource, toReadSome, toUpdate } from "../access/rights.ts";
import { visibleReleases } from "../access/visible.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { actorOf, answer, apiLimits, type Routes } from "../api/routes.ts";
import { parseReleaseRequest } from "./release-request.ts";

const path = "/api/releases";

export function addReleases({ api, needs, onLeader }: Routes, host: HostView): void {
  const { leadership, firmware, members } = host;
  api.get(path, needs(toReadSome), onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, visibleReleases(actorOf(context), firmware.listing(members.boards())));
  });
  api.post(path, requireJson, needs(toUpdate(coveyResource.firmware)), onLeader, async (context) => {
    const { signed, boards } = parseReleaseRequest(await context.req.text());
    await leadership.demand();
    return answer(context, await firmware.proposals.propose(signed, boards, actorOf(context)));
  });
}
