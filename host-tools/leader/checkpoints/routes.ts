/**
 * `/api/checkpoints`: list, make, delete, compare, restore.
 *
 * ```
 * GET    /api/checkpoints
 * POST   /api/checkpoints             {"name": "summer"}
 * POST   /api/checkpoints/delete      {"name": "summer"}
 * GET    /api/checkpoints/diff        ?from=now&to=summer[&only=settings,programs][&boards=north-1]
 * GET    /api/checkpoints/restore     what is being restored at this moment: {} for nothing
 * PUT    /api/checkpoints/restore     {"name": "summer", "shown": "...", "only": ["settings"], "boards": ["north-1"]}
 * GET    /api/checkpoints/copies      of the host that is asked: for the other hosts
 * GET    /api/checkpoints/NAME/copy
 * ```
 */
import type { Context } from "hono";
import { coveyResource, toRead, toWrite } from "../access/rights.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { actorOf, answer, apiLimits, nameIn, type Routes, readObject } from "../api/routes.ts";
import { isRestoredPart, restoredParts } from "./restorable.ts";
import type { RestoreChoice } from "./restore-plan.ts";
import type { RestoreRequest } from "./restoring.ts";

const path = "/api/checkpoints";

export function addCheckpoints({ api, needs, onLeader }: Routes, host: HostView): void {
  const { leadership, checkpoints, restoring } = host;
  const mayRead = needs(toRead(coveyResource.checkpoints));
  const mayWrite = needs(toWrite(coveyResource.checkpoints));
  const mayRestore = needs(toWrite(coveyResource.restore));
  api.get(path, mayRead, onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, { ...(await checkpoints.listing()), restoring: restoring.underWay });
  });
  api.post(path, requireJson, mayWrite, onLeader, async (context) => {
    const name = await readName(context);
    await leadership.demand();
    await checkpoints.create(name, actorOf(context).name, false);
    return answer(context, (await checkpoints.list()).find((listed) => listed.name === name)!);
  });
  api.post(`${path}/delete`, requireJson, mayWrite, onLeader, async (context) => {
    const name = await readName(context);
    await leadership.demand();
    await checkpoints.delete(name);
    return answer(context, { name });
  });
  api.get(`${path}/diff`, mayRead, onLeader, async (context) => {
    const { from = "now", to = "now", only, boards } = context.req.query();
    const choice = choiceOf(only?.split(","), boards?.split(","));
    await leadership.demand();
    return answer(context, await restoring.compare(from, to, choice, actorOf(context).name));
  });
  api.get(`${path}/restore`, mayRead, onLeader, (context) => answer(context, restoring.underWay ?? {}));
  api.put(`${path}/restore`, requireJson, mayRestore, onLeader, async (context) => {
    const wanted = await readRestore(context);
    await leadership.demand();
    return answer(context, await restoring.restore(wanted, actorOf(context).name));
  });
  api.get(`${path}/copies`, mayRead, (context) => answer(context, checkpoints.copies()));
  api.get(`${path}/:name/copy`, mayRead, (context) => {
    const bytes = checkpoints.copy(nameIn(context));
    context.header("content-type", "application/octet-stream");
    context.header("cache-control", "no-store");
    return context.body(Uint8Array.from(bytes));
  });
}

async function readName(context: Context): Promise<string> {
  const example = '{"name": "summer"}';
  const { name } = await readObject(context, example);
  if (typeof name === "string") return name;
  throw new ApiFailure("bad-request", `Say which checkpoint: ${example}.`);
}

async function readRestore(context: Context): Promise<RestoreRequest> {
  const example = '{"name": "summer", "shown": "0011223344556677"}';
  const { name, shown, only, boards } = await readObject(context, example);
  if (typeof name !== "string" || typeof shown !== "string") {
    throw new ApiFailure(
      "bad-request",
      `Say which checkpoint, and the digest of what was shown: ${example}.`,
    );
  }
  return { name, shown, ...choiceOf(only, boards) };
}

/** @throws {ApiFailure} */
function choiceOf(only: unknown, boards: unknown): RestoreChoice {
  const areTexts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.every((item) => typeof item === "string");
  if (only !== undefined && !(areTexts(only) && only.every(isRestoredPart))) {
    throw new ApiFailure(
      "bad-request",
      `What can be restored is ${restoredParts.join(", ")}, and nothing else.`,
    );
  }
  if (boards !== undefined && !areTexts(boards)) {
    throw new ApiFailure("bad-request", "Say which boards as a list of their names.");
  }
  return { parts: only as RestoreChoice["parts"], boards };
}
