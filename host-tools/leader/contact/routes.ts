/**
 * `/api/contact`: how boards are to reach their hosts.
 *
 * ```
 * GET    /api/contact
 * POST   /api/contact    {"sealed": "..."}
 * ```
 */
import type { Context } from "hono";
import { coveyResource, toWrite } from "../access/rights.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { requireJson } from "../api/request-guard.ts";
import { answer, apiLimits, type Routes, readObject } from "../api/routes.ts";

const path = "/api/contact";

export function addContact({ api, needs, onLeader }: Routes, { leadership, contact }: HostView): void {
  const mayWrite = needs(toWrite(coveyResource.contact));
  api.get(path, mayWrite, onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, contact.agreed());
  });
  api.post(path, requireJson, mayWrite, onLeader, async (context) =>
    answer(context, await contact.take(await readSealed(context))),
  );
}

async function readSealed(context: Context): Promise<Uint8Array> {
  const { sealed } = await readObject(context, '{"sealed": "..."}');
  if (typeof sealed === "string") return new Uint8Array(Buffer.from(sealed, "base64url"));
  throw new ApiFailure("bad-request", "Send the contact as covey move seals it, in base64url.");
}
