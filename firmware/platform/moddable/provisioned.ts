import config from "mc/config";
import { parseHosts } from "../../core.ts";
import type { BoardConfig, HostAddress } from "../ports.ts";

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
  const password = text("password", "has no Wi-Fi password (none: password=)");
  return {
    board: {
      swarm: given("swarm", "does not know its swarm"),
      board: given("board", "has no name"),
      model: given("model", "does not know what kind of board it is"),
      hosts: hosts(),
      timeServer: optional("timeServer"),
    },
    wifi: { SSID: given("ssid", "has no Wi-Fi network"), ...(password === "" ? {} : { password }) },
    arenaBytes: Number(config.arenaBytes),
  };
}

function hosts(): readonly HostAddress[] {
  const found = parseHosts(given("hosts", "does not know where its hosts are"));
  if (found === undefined) {
    throw new ProvisioningError("hosts", "can't read where its hosts are: NAME=ADDRESS:PORT,... is expected");
  }
  return found;
}

function optional(key: string): string | undefined {
  const value = config[key];
  return typeof value === "string" && value !== "" ? value : undefined;
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
