import config from "mc/config";
import { parseHosts } from "../../core.ts";
import type { BoardConfig, BoardCredentials, HostAddress, KeyValue } from "../ports.ts";
import { keyBytes } from "./p256.ts";

/**
 * What the board was built with, `config` of manifest.json and the `key=value` arguments of mcconfig; and its credentials, which no
 * image holds: they are small values of its own.
 */
export interface Provisioned {
  readonly board: BoardConfig;
  readonly wifi: { readonly SSID: string; readonly password?: string };
  /** What its credentials lack: it then runs what it knows and speaks to nobody. */
  readonly lacks: ProvisioningError | undefined;
  /** Bytes of the JavaScript arena, the sum of what `creation` in manifest.json gives. */
  readonly arenaBytes: number;
}

/**
 * Keys of the credentials among the board's small values: the swarm's root key (x, y), the signed identity, its private key, and, for
 * TLS alone, the certificate of the hosts' authority.
 */
export const credentialKeys = Object.freeze({
  root: "root",
  signed: "identity",
  privateKey: "key",
  authority: "authority",
} as const);

/** Something that the board must be built with or be given is missing or wrong. */
export class ProvisioningError extends Error {
  override readonly name = "ProvisioningError";
  readonly key: string;

  constructor(key: string, problem: string, remedy = `build it with ${key}=... on mcconfig's command line`) {
    super(`The board ${problem}; ${remedy}.`);
    this.key = key;
  }
}

/** @throws ProvisioningError for what the board was built with */
export function provisioned(values: Pick<KeyValue, "read">): Provisioned {
  const password = text("password", "has no Wi-Fi password (none: password=)");
  const found = credentials(values);
  return {
    board: {
      swarm: given("swarm", "does not know its swarm"),
      board: given("board", "has no name"),
      model: given("model", "does not know what kind of board it is"),
      hosts: hosts(),
      timeServer: optional("timeServer"),
      credentials: found,
    },
    wifi: { SSID: given("ssid", "has no Wi-Fi network"), ...(password === "" ? {} : { password }) },
    lacks: lackOf(found),
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

/** As they are found, and empty where there is none. */
function credentials(values: Pick<KeyValue, "read">): BoardCredentials {
  const found = (key: string) => values.read(key) ?? new Uint8Array(0);
  const { root, signed, privateKey, authority } = credentialKeys;
  return {
    ...{ root: found(root), signed: found(signed), privateKey: found(privateKey) },
    authority: values.read(authority),
  };
}

/** Only whether each has a length that it can have: whose they are is seen where they are used. */
function lackOf({ root, signed, privateKey }: BoardCredentials): ProvisioningError | undefined {
  if (root.length !== 2 * keyBytes) return lack(credentialKeys.root, "its swarm's root key", root);
  if (signed.length === 0) return lack(credentialKeys.signed, "an identity", signed);
  if (privateKey.length !== keyBytes) return lack(credentialKeys.privateKey, "a private key", privateKey);
  return undefined;
}

function lack(key: string, what: string, found: Uint8Array): ProvisioningError {
  const problem =
    found.length === 0 ? `has not got ${what}` : `can't use what it has for ${what}: ${found.length} bytes`;
  return new ProvisioningError(key, problem, "give it its identity with covey provision");
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
