/** `GET /api/query?q=QUESTION`: what the boards answer, merged. */
import { mayRead } from "../access/actor.ts";
import { toReadSome } from "../access/rights.ts";
import type { HostView } from "../api/host-view.ts";
import { actorOf, answer, type Routes } from "../api/routes.ts";

export function addQueries({ api, needs, onLeader }: Routes, { queries }: HostView): void {
  api.get("/api/query", needs(toReadSome), onLeader, async (context) => {
    const actor = actorOf(context);
    const question = context.req.query("q") ?? "";
    return answer(context, await queries.run(question, (board) => mayRead(actor, board)));
  });
}
