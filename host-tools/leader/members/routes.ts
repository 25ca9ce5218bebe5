/**
 * `/api/members`: who belongs to the group, who of them votes, and who leads.
 *
 * ```
 * GET    /api/members
 * POST   /api/members/voters      {"action": "promote", "names": ["north-1"]}
 * POST   /api/members/transfer    {"to": "b"}
 * ```
 */
import type { Context } from "hono";
import { coveyResource, toRead, toWrite } from "../access/rights.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { answer, apiLimits, type Routes, readObject } from "../api/routes.ts";
import type { VoterAction } from "../api/types/members.ts";
import type { VoterChange } from "./change-voters.ts";

const path = "/api/members";

export function addMembers({ api, needs, onLeader }: Routes, { leadership, members }: HostView): void {
  const mayChange = needs(toWrite(coveyResource.voters));
  const mayTransfer = needs(toWrite(coveyResource.leader));
  api.get(path, needs(toRead("*")), onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, members.list());
  });
  api.post(`${path}/voters`, requireJson, mayChange, onLeader, async (context) =>
    answer(context, await members.changeVoters(await readVoterChange(context))),
  );
  api.post(`${path}/transfer`, requireJson, mayTransfer, onLeader, async (context) => {
    const { to } = await readObject(context, '{"to": "b"}');
    if (typeof to !== "string") throw new ApiFailure("bad-request", 'Say which host: {"to": "b"}.');
    members.transfer(to);
    return answer(context, { to });
  });
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
