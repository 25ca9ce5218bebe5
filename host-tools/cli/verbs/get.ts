/** `covey get`: the agreed settings. */
import type { Setting } from "../../leader/api-types.ts";
import { LeaderClient, type LeaderOptions, leaderOptions } from "../leader-client.ts";
import { formatSetting } from "../setting-text.ts";
import type { Verb } from "../verb.ts";

export const get: Verb<LeaderOptions> = {
  usage: "get [key]",
  summary: "print a setting, or all of them",
  details:
    "A setting's value alone, for use in scripts; without a key, each with its unit and the log entry that set it.",
  examples: ["covey get fan.duty", "covey get --json"],
  options: leaderOptions(),
  async run(terminal, options, [key]) {
    const leader = LeaderClient.find(options);
    if (key !== undefined) {
      const setting = await leader.get<Setting>(`/api/settings/${encodeURIComponent(key)}`);
      terminal.line(String(setting.value));
      terminal.result({ key, ...setting });
      return 0;
    }
    const settings = await leader.get<Record<string, Setting>>("/api/settings");
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
