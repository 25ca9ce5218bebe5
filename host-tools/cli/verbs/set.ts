/** `covey set`: proposes a setting's new value and waits until the swarm has agreed on it. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { SetResult, Setting } from "../../leader/api/types/settings.ts";
import type { Status } from "../../leader/api/types/status.ts";
import { Failed } from "../failure.ts";
import { durationMs } from "../option-values.ts";
import { formatSetting, parseSettingValue } from "../setting-text.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Verb } from "../verb.ts";

interface SetOptions extends SwarmOptions {
  readonly if?: string;
  readonly wait?: boolean;
  readonly timeout: number;
}

export const set: Verb<SetOptions> = {
  usage: "set <key> <value>",
  summary: "change a setting of the whole swarm",
  details:
    "Returns once a majority of the voters has the change on disk or in flash, so that nothing short of losing them loses it. A host that dies meanwhile does no harm: another one is asked, and the change is made once. With --wait, once every board that is linked has applied it.",
  examples: [
    "covey set fan.duty 40",
    "covey set door.lamp on --wait",
    "covey set frost.limit -5",
    "covey set fan.duty 50 --if 40",
  ],
  options: [
    new Option("--if <old>", "only if the setting has this value at present"),
    new Option("--wait", "until all linked boards have applied it"),
    new Option("--timeout <duration>", "how long --wait waits").argParser(durationMs).default(30_000, "30s"),
    ...swarmOptions(),
  ],
  async run(terminal, options, [key, text]) {
    const swarm = SwarmClient.find(options);
    const path = `/api/settings/${encodeURIComponent(key!)}`;
    const { value: present, commandId } = await swarm.ask<Setting>(path);
    const value = parseSettingValue(key!, text!, present);
    const condition =
      options.if === undefined ? {} : { expected: parseSettingValue(key!, options.if, present) };
    const result = await swarm.put<SetResult>(path, { value, ...condition }, commandId);
    const said = formatSetting(key!, result.value, present.unit);
    terminal.line(`${said} ${terminal.style("dim", `(${placeText(result)})`)}`);
    if (options.wait !== true) {
      terminal.result(result);
      return 0;
    }
    const boards = await untilApplied(swarm, result.index, options.timeout);
    terminal.line(`applied on ${boards.length} ${boards.length === 1 ? "board" : "boards"}`);
    terminal.result({ ...result, appliedOn: boards });
    return 0;
  },
};

function placeText({ index, term }: SetResult): string {
  return term === undefined ? `entry ${index}` : `entry ${index}, term ${term}`;
}

const pollEveryMs = 100;

/** Names of the boards that have applied the entry; all that are linked. */
async function untilApplied(swarm: SwarmClient, index: number, timeoutMs: number): Promise<string[]> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const { boards } = await swarm.get<Status>("/api/status");
    const linked = boards.filter(({ link }) => link === "up");
    const behind = linked.filter(({ appliedIndex }) => appliedIndex < index).map(({ id }) => id);
    if (behind.length === 0) return linked.map(({ id }) => id);
    if (performance.now() > deadlineMs) {
      const who = behind.slice(0, 5).join(", ") + (behind.length > 5 ? ` and ${behind.length - 5} more` : "");
      throw new Failed(
        `The change is committed (entry ${index}), but not yet applied on ${who} after ${timeoutMs / 1000} s; covey status shows when it is.`,
        "timeout",
      );
    }
    await sleep(pollEveryMs);
  }
}
