/**
 * Who asks, and who was refused what.
 *
 * ```
 * GET    /api/session
 * GET    /api/login
 * POST   /api/login      {"identity": "...", "challenge": "...", "origin": "...", "signature": "..."}
 * POST   /api/logout
 * GET    /api/audit
 * ```
 */
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { answer, type Routes, readObject } from "../api/routes.ts";
import type { Access } from "./access.ts";
import { coveyResource, toRead } from "./rights.ts";

/** Of this host alone: nothing of it is sent on. */
export function addLogin({ api }: Pick<Routes, "api">, access: Access): void {
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

export function addAudit({ api, needs, onLeader }: Routes, { audit }: HostView): void {
  api.get("/api/audit", needs(toRead(coveyResource.audit)), onLeader, (context) =>
    answer(context, audit.entries()),
  );
}
