import config from "mc/config";
import type { BoardConfig } from "../ports.ts";

/** What the board was built with: `config` of manifest.json and the `key=value` arguments of mcconfig. */
export interface Provisioned {
  readonly board: BoardConfig;
  readonly wifi: { readonly SSID: string; readonly password?: string };
  /** Bytes of the JavaScript arena, the sum of what `creation` in manifest.json gives. */
  readonly arenaBytes: number;
}

/** Something that the board must be built with is missing or wrong. */
export class ProvisioningError extends Error {
  override readonly name = "ProvisioningError";
  readonly key: string;

  constructor(key: string, problem: string) {
    super(`The board ${problem}; build it with ${key}=... on mcconfig's command line.`);
    this.key = key;
  }
}

/** @throws ProvisioningError */
export function provisioned(): Provisioned {
  const leaderPort = Number(config.leaderPort);
  if (!(Number.isInteger(leaderPort) && leaderPort > 0 && leaderPort < 65_536)) {
    throw new ProvisioningError("leaderPort", "has no port of a leader, 1 to 65535");
  }
  const password = text("password", "has no Wi-Fi password (none: password=)");
  return {
    board: {
      swarm: given("swarm", "does not know its swarm"),
      board: given("board", "has no name"),
      model: given("model", "does not know what kind of board it is"),
      leaderHost: given("leaderHost", "does not know its leader"),
      leaderPort,
    },
    wifi: { SSID: given("ssid", "has no Wi-Fi network"), ...(password === "" ? {} : { password }) },
    arenaBytes: Number(config.arenaBytes),
  };
}

function given(key: string, problem: string): string {
  const value = text(key, problem);
  if (value === "") throw new ProvisioningError(key, problem);
  return value;
}

function text(key: string, problem: string): string {
  const value = config[key];
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new ProvisioningError(key, problem);
}
