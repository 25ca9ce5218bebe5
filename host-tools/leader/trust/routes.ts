/** `POST /api/roster {"statement": "..."}`: who belongs to the swarm, as its root says. */
import type { Context } from "hono";
import { coveyResource, toWrite } from "../access/rights.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { answer, type Routes, readObject } from "../api/routes.ts";

export function addRoster({ api, needs, onLeader }: Routes, { roster }: HostView): void {
  api.post("/api/roster", requireJson, needs(toWrite(coveyResource.roster)), onLeader, async (context) =>
    answer(context, await roster.take(await readStatement(context))),
  );
}

async function readStatement(context: Context): Promise<Uint8Array> {
  const { statement } = await readObject(context, '{"statement": "..."}');
  if (typeof statement === "string") return new Uint8Array(Buffer.from(statement, "base64url"));
  throw new ApiFailure("bad-request", "Send the root's statement as covey keys writes it, in base64url.");
}
