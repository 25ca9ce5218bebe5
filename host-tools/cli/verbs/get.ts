/** `covey get`: the agreed settings. */
import type { RegisterStatus, RegistersStatus } from "../../leader/api/types/registers.ts";
import type { Setting } from "../../leader/api/types/settings.ts";
import { Failed } from "../failure.ts";
import { registerText } from "../register-lines.ts";
import { formatSetting } from "../setting-text.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Verb } from "../verb.ts";

export const get: Verb<SwarmOptions> = {
  usage: "get [key]",
  summary: "print a setting or a register, or all of them",
  details:
    "Its value alone, for use in scripts; without a key, each with its unit and the log entry that set it. Of a register, what the log knows: covey register get NAME --now asks its boards.",
  examples: ["covey get fan.duty", "covey get --json"],
  options: swarmOptions(),
  async run(terminal, options, [key]) {
    const swarm = SwarmClient.find(options);
    if (key !== undefined) {
      const agreed = await settingOrRegister(swarm, key);
      terminal.line(String(agreed.value));
      terminal.result({ key, ...agreed });
      return 0;
    }
    const settings = await swarm.get<Record<string, Setting>>("/api/settings");
    for (const [each, setting] of Object.entries(settings)) {
      const origin = setting.index === 0 ? "initial" : `entry ${setting.index}`;
      terminal.line(
        `${formatSetting(each, setting.value, setting.unit)} ${terminal.style("dim", `(${origin})`)}`,
      );
    }
    const { registers } = await swarm.get<RegistersStatus>("/api/registers");
    for (const [name, register] of Object.entries(registers)) {
      const origin =
        register.version === 0 ? "initial" : `register, version ${register.version} by ${register.by}`;
      terminal.line(`${name} = ${registerText(register)} ${terminal.style("dim", `(${origin})`)}`);
    }
    terminal.result({ ...settings, ...registers });
    return 0;
  },
};

/** Who reads a value need not know who agrees on it. */
async function settingOrRegister(swarm: SwarmClient, key: string): Promise<Setting | RegisterStatus> {
  const name = encodeURIComponent(key);
  try {
    return await swarm.get<Setting>(`/api/settings/${name}`);
  } catch (error) {
    if (!(error instanceof Failed) || error.code !== "not-found") throw error;
    return await swarm.get<RegisterStatus>(`/api/registers/${name}`).catch(() => {
      throw error;
    });
  }
}
