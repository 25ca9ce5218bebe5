/** `covey get`: the agreed settings. */
import type { Setting } from "../../leader/api/api-types.ts";
import { formatSetting } from "../setting-text.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Verb } from "../verb.ts";

export const get: Verb<SwarmOptions> = {
  usage: "get [key]",
  summary: "print a setting, or all of them",
  details:
    "A setting's value alone, for use in scripts; without a key, each with its unit and the log entry that set it.",
  examples: ["covey get fan.duty", "covey get --json"],
  options: swarmOptions(),
  async run(terminal, options, [key]) {
    const swarm = SwarmClient.find(options);
    if (key !== undefined) {
      const setting = await swarm.get<Setting>(`/api/settings/${encodeURIComponent(key)}`);
      terminal.line(String(setting.value));
      terminal.result({ key, ...setting });
      return 0;
    }
    const settings = await swarm.get<Record<string, Setting>>("/api/settings");
    for (const [each, setting] of Object.entries(settings)) {
      const origin = setting.index === 0 ? "initial" : `entry ${setting.index}`;
      terminal.line(
        `${formatSetting(each, setting.value, setting.unit)} ${terminal.style("dim", `(${origin})`)}`,
      );
    }
    terminal.result(settings);
    return 0;
  },
};
