/** `covey provision --show`: who boards are. */
import { choosePorts, onEach } from "../../flasher/fleet.ts";
import { provisionBoard } from "../../provisioner/provision-board.ts";
import { untilInterrupted } from "../interruption.ts";
import type { Terminal } from "../terminal.ts";
import type { ProvisionOptions } from "./place.ts";
import { holderJson, tellHolder, tellProblem } from "./tell.ts";
import { watched } from "./watched.ts";

/** Who the boards at these ports are; needs no keys. */
export async function showBoards(terminal: Terminal, options: ProvisionOptions): Promise<number> {
  const ports = await choosePorts(options.port, options.all === true);
  const signal = untilInterrupted();
  const nothing = { take: () => undefined, put: () => {}, drop: () => {} };
  const outcomes = await watched(terminal, ports, (report) =>
    onEach(ports, (port) =>
      provisionBoard({
        ...{ port, baud: options.baud, dryRun: true, rescue: nothing, signal },
        chosen: async () => undefined,
        report: (progress) => report(port, progress),
      }),
    ),
  );
  const [only] = outcomes;
  if (outcomes.length === 1 && "problem" in only!) throw only.problem;
  const boards = outcomes.map((outcome) => {
    if ("problem" in outcome) {
      tellProblem(terminal, outcome.problem);
      const { code, message } = outcome.problem;
      return { port: outcome.port, error: { code, message } };
    }
    const { port, chip, before } = outcome.result;
    tellHolder(terminal, outcome.result);
    return { port, chip, holder: before === undefined ? null : holderJson(before) };
  });
  terminal.result({ boards });
  return outcomes.some((outcome) => "problem" in outcome) ? 1 : 0;
}
