/**
 * `/api/registers`: what boards agree on among themselves.
 *
 * ```
 * GET    /api/registers
 * GET    /api/registers/NAME            as the log has it
 * GET    /api/registers/NAME/now        as a majority of its boards has it
 * GET    /api/registers/NAME/changes
 * PUT    /api/registers/NAME            {"value": true, "ifVersion": 4}
 * POST   /api/registers/recover         {"acceptLoss": true}
 * ```
 */
import { registerLimits } from "../../../protocols/paxos/types.ts";
import { coveyResource, toRead, toReadSome, toWrite } from "../access/rights.ts";
import { visibleRegisters } from "../access/visible.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { parseObject } from "../api/request-body.ts";
import { requireJson } from "../api/request-guard.ts";
import { actorOf, answer, apiLimits, nameIn, type Routes, readObject } from "../api/routes.ts";

const path = "/api/registers";

export function addRegisters({ api, needs, onLeader }: Routes, { leadership, registers }: HostView): void {
  const mayRead = needs((context) => toRead(nameIn(context)));
  const mayWrite = needs((context) => toWrite(nameIn(context)));
  const mayRecover = needs(toWrite(coveyResource.registers));
  api.get(path, needs(toReadSome), onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, visibleRegisters(actorOf(context), registers.status()));
  });
  api.get(`${path}/:name`, mayRead, onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, registers.statusOf(nameIn(context)));
  });
  api.get(`${path}/:name/now`, mayRead, onLeader, async (context) =>
    answer(context, await registers.read(nameIn(context))),
  );
  api.get(`${path}/:name/changes`, mayRead, onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, registers.changes(nameIn(context)));
  });
  api.put(`${path}/:name`, requireJson, mayWrite, onLeader, async (context) => {
    const { value, ifVersion } = readChange(await context.req.text());
    return answer(context, await registers.change(nameIn(context), value, ifVersion, actorOf(context)));
  });
  api.post(`${path}/recover`, requireJson, mayRecover, onLeader, async (context) => {
    const example = '{"acceptLoss": true}';
    const { acceptLoss } = await readObject(context, example);
    if (acceptLoss !== true) {
      throw new ApiFailure("bad-request", `Changes may be lost; say that you accept it: ${example}.`);
    }
    return answer(context, await registers.recover(actorOf(context)));
  });
}

function readChange(text: string): { value: unknown; ifVersion: number | undefined } {
  const example = '{"value": true, "ifVersion": 4}';
  const body = parseObject(text, example);
  const { value, ifVersion } = body;
  const isVersion = Number.isInteger(ifVersion) && Number(ifVersion) >= 0;
  if (
    !("value" in body) ||
    (ifVersion !== undefined && !(isVersion && Number(ifVersion) <= registerLimits.versionMax))
  ) {
    throw new ApiFailure("bad-request", `That is no change of a register; send for example ${example}.`);
  }
  return { value, ifVersion: ifVersion as number | undefined };
}
