/**
 * `/api/checkpoints`: list, make, delete, compare, restore.
 *
 * ```
 * GET    /api/checkpoints
 * POST   /api/checkpoints             {"name": "summer"}
 * POST   /api/checkpoints/delete      {"name": "summer"}
 * GET    /api/checkpoints/diff        ?from=now&to=summer[&only=settings,programs][&boards=north-1]
 * PUT    /api/checkpoints/restore     {"name": "summer", "shown": "...", "only": ["settings"], "boards": ["north-1"]}
 * GET    /api/checkpoints/copies      of the host that is asked: for the other hosts
 * GET    /api/checkpoints/NAME/copy
 * ```
 */
import type { Context, Hono, MiddlewareHandler } from "hono";
import { coveyResource, type Right, toRead, toWrite } from "../access/rights.ts";
import type { Env, HostView } from "../api/api.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";
import { requireJson } from "../api/request-guard.ts";
import { isRestoredPart, restoredParts } from "./restorable.ts";
import type { RestoreChoice } from "./restore-plan.ts";
import type { RestoreRequest } from "./restoring.ts";

const path = "/api/checkpoints";

export function addCheckpoints(
  api: Hono<Env>,
  host: HostView,
  needs: (right: Right) => MiddlewareHandler<Env>,
  onLeader: MiddlewareHandler,
): void {
  const [mayRead, mayWrite] = [
    needs(toRead(coveyResource.checkpoints)),
    needs(toWrite(coveyResource.checkpoints)),
  ];
  const mayRestore = needs(toWrite(coveyResource.restore));
  const actorOf = (context: Context<Env>) => context.get("caller").actor;
  api.get(path, mayRead, onLeader, async (context) => {
    await host.confirm(confirmMs);
    return answer(context, await host.checkpoints());
  });
  api.post(path, requireJson, mayWrite, onLeader, async (context) =>
    answer(context, await host.createCheckpoint(await readName(context), actorOf(context))),
  );
  api.post(`${path}/delete`, requireJson, mayWrite, onLeader, async (context) => {
    const name = await readName(context);
    await host.deleteCheckpoint(name);
    return answer(context, { name });
  });
  api.get(`${path}/diff`, mayRead, onLeader, async (context) => {
    const { from = "now", to = "now", only, boards } = context.req.query();
    const choice = choiceOf(only?.split(","), boards?.split(","));
    return answer(context, await host.compareCheckpoints(from, to, choice));
  });
  api.put(`${path}/restore`, requireJson, mayRestore, onLeader, async (context) =>
    answer(context, await host.restoreCheckpoint(await readRestore(context), actorOf(context))),
  );
  api.get(`${path}/copies`, mayRead, (context) => answer(context, host.checkpointCopies()));
  api.get(`${path}/:name/copy`, mayRead, (context) => {
    const bytes = host.checkpointCopy(context.req.param("name"));
    context.header("content-type", "application/octet-stream");
    context.header("cache-control", "no-store");
    return context.body(Uint8Array.from(bytes));
  });
}

const confirmMs = 1_000;

function answer(context: Context, value: object): Response {
  context.header("cache-control", "no-store");
  return context.json(value);
}

async function readName(context: Context): Promise<string> {
  const example = '{"name": "summer"}';
  const { name } = parseObject(await context.req.text(), example);
  if (typeof name === "string") return name;
  throw new ApiFailure("bad-request", `Say which checkpoint: ${example}.`);
}

async function readRestore(context: Context): Promise<RestoreRequest> {
  const example = '{"name": "summer", "shown": "0011223344556677"}';
  const { name, shown, only, boards } = parseObject(await context.req.text(), example);
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
