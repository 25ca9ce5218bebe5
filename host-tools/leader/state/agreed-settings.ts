/** The settings of the swarm: as they are agreed on, and setting them. */
import { stateLimits } from "../../../protocols/state/command.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import type { Actor } from "../access/actor.ts";
import { isAuditKey } from "../access/audit-ring.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { SetResult, Setting } from "../api/types/settings.ts";
import type { CommandId } from "../raft/command-id.ts";
import type { Registers } from "../registers/registers.ts";
import type { AgreedState } from "./agreed-state.ts";
import type { Command } from "./commands.ts";
import type { Proposals } from "./proposals.ts";
import { checkSetting, SettingRefused, type SettingValue } from "./settings.ts";

export interface AgreedSettingsOptions {
  readonly definition: SwarmDefinition;
  readonly state: AgreedState;
  readonly registers: Pick<Registers, "demandNone">;
  readonly proposals: Proposals;
}

export interface SetCommand {
  readonly key: string;
  readonly value: unknown;
  /** Only if this is the value at present; undefined: whatever it is. */
  readonly expected: unknown;
  /** undefined: a command that is not repeated. */
  readonly id: CommandId | undefined;
  /** Who asks, and has the right to. */
  readonly actor: Actor;
  /** Another host asks. */
  readonly isForwarded: boolean;
}

export class AgreedSettings {
  readonly #options: AgreedSettingsOptions;

  constructor(options: AgreedSettingsOptions) {
    this.#options = options;
  }

  all(): Record<string, Setting> {
    const { definition, state } = this.#options;
    const settings: Record<string, Setting> = {};
    for (const [key, takes] of Object.entries(definition.settings)) {
      const agreed = state.get(key);
      const value = (agreed?.value ?? takes.initial) as SettingValue;
      const unit = takes.type === "number" ? takes.unit : "";
      settings[key] = { value, unit, index: agreed?.index ?? 0, takes };
    }
    return settings;
  }

  /** Resolves once committed. Rejects with `ApiFailure`. */
  async set({ key, value, expected, id, actor, isForwarded }: SetCommand): Promise<SetResult> {
    const { proposals } = this.#options;
    const check = isForwarded && actor.role === "host" && isAuditKey(key) ? checkAudit : this.#check;
    const checked = check(key, value);
    const condition = expected === undefined ? undefined : check(key, expected);
    const command: Command = {
      ...{ key, value: checked, expected: condition },
      id: id ?? proposals.newCommandId(),
    };
    const { index, term } = await proposals.carryOut(command, actor, isForwarded);
    return { key, value: checked, index, term };
  }

  readonly #check = (key: string, value: unknown): SettingValue => {
    this.#options.registers.demandNone(key);
    try {
      return checkSetting(this.#options.definition.settings, key, value);
    } catch (error) {
      throw error instanceof SettingRefused ? new ApiFailure(error.code, error.message) : error;
    }
  };
}

/** What another host has to say of refusals is set as a setting is. */
function checkAudit(key: string, value: unknown): SettingValue {
  if (typeof value === "string" && Buffer.byteLength(value) <= stateLimits.textBytesMax) return value;
  throw new ApiFailure("bad-request", `${key} takes text of at most ${stateLimits.textBytesMax} bytes.`);
}
