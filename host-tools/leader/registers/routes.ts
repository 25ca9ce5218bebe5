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
import type { Context, Hono, MiddlewareHandler } from "hono";
import { registerLimits } from "../../../protocols/paxos/types.ts";
import { coveyResource, type Right, toRead, toReadSome, toWrite } from "../access/rights.ts";
import { visibleRegisters } from "../access/visible.ts";
import type { Env, HostView } from "../api/api.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";
import { requireJson } from "../api/request-guard.ts";

const path = "/api/registers";
const confirmMs = 1_000;

export function addRegisters(
  api: Hono<Env>,
  host: HostView,
  needs: (right: Right | ((context: Context) => Right)) => MiddlewareHandler<Env>,
  onLeader: MiddlewareHandler,
): void {
  const nameOf = (context: Context) => context.req.param("name")!;
  const actorOf = (context: Context<Env>) => context.get("caller").actor;
  const mayRead = needs((context) => toRead(nameOf(context)));
  const mayWrite = needs((context) => toWrite(nameOf(context)));
  api.get(path, needs(toReadSome), onLeader, async (context) => {
    await host.confirm(confirmMs);
    return answer(context, visibleRegisters(actorOf(context), host.registers.status()));
  });
  api.get(`${path}/:name`, mayRead, onLeader, async (context) => {
    await host.confirm(confirmMs);
    return answer(context, host.registers.statusOf(nameOf(context)));
  });
  api.get(`${path}/:name/now`, mayRead, onLeader, async (context) =>
    answer(context, await host.registers.read(nameOf(context))),
  );
  api.get(`${path}/:name/changes`, mayRead, onLeader, async (context) => {
    await host.confirm(confirmMs);
    return answer(context, host.registers.changes(nameOf(context)));
  });
  api.put(`${path}/:name`, requireJson, mayWrite, onLeader, async (context) => {
    const { value, ifVersion } = readChange(await context.req.text());
    return answer(context, await host.registers.change(nameOf(context), value, ifVersion, actorOf(context)));
  });
  api.post(
    `${path}/recover`,
    requireJson,
    needs(toWrite(coveyResource.registers)),
    onLeader,
    async (context) => {
      const { acceptLoss } = parseObject(await context.req.text(), '{"acceptLoss": true}');
      if (acceptLoss !== true) {
        throw new ApiFailure(
          "bad-request",
          'Changes may be lost; say that you accept it: {"acceptLoss": true}.',
        );
      }
      return answer(context, await host.registers.recover(actorOf(context)));
    },
  );
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

function answer(context: Context, value: object): Response {
  context.header("cache-control", "no-store");
  return context.json(value);
}
