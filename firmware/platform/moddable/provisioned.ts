import config from "mc/config";
import type { Contact, WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import type { Identity } from "../../../protocols/security/identity/identity.ts";
import { contactInUse, IdentityError, readStoredIdentity, storedKeys } from "../../core.ts";
import type { BoardConfig, BoardCredentials, KeyValue } from "../ports.ts";
import { keyBytes } from "./p256.ts";

/**
 * What the board is: its kind and its memory from the image (`config` of its manifest), all else from the small values that it was
 * given when it was provisioned.
 */
export interface Provisioned {
  readonly board: BoardConfig;
  /** undefined while it was told of none. */
  readonly wifi: WifiCredentials | undefined;
  /** What keeps it from its swarm: it then runs what it knows and speaks to nobody. */
  readonly lacks: readonly ProvisioningError[];
  /** Bytes of the JavaScript arena, the sum of what `creation` in the manifest gives. */
  readonly arenaBytes: number;
}

/** Something that the board must be built with or be given is missing or wrong. */
export class ProvisioningError extends Error {
  override readonly name = "ProvisioningError";
  readonly key: string;

  constructor(key: string, problem: string, remedy = "provision it with covey provision") {
    super(`The board ${problem}; ${remedy}.`);
    this.key = key;
  }
}

type Values = Pick<KeyValue, "read">;

/**
 * A board that does not know who it is has neither a swarm nor a name.
 *
 * @throws ProvisioningError for an image that was built wrong
 */
export function provisioned(values: Values): Provisioned {
  const found = (key: string) => values.read(key) ?? new Uint8Array(0);
  const credentials: BoardCredentials = {
    root: found(storedKeys.root),
    signed: found(storedKeys.signed),
    privateKey: found(storedKeys.privateKey),
    authority: values.read(storedKeys.authority),
  };
  const identity = identityIn(credentials.signed);
  const contact = contactInUse(values);
  return {
    board: {
      swarm: identity?.swarm ?? "",
      board: identity?.name ?? "",
      model: builtWith("model", "does not know what kind of board it is"),
      hosts: contact?.hosts ?? [],
      timeServer: contact?.timeServer,
      credentials,
    },
    wifi: contact?.wifi,
    lacks: [
      ...(identity === undefined ? [lack(storedKeys.signed, "an identity", credentials.signed)] : []),
      ...keysLacking(credentials),
      ...contactLacking(found(storedKeys.contact), contact),
    ],
    arenaBytes: Number(config.arenaBytes),
  };
}

/** Not that the root signed it: whoever checks that does so when it counts. */
function identityIn(signed: Uint8Array): Identity | undefined {
  if (signed.length === 0) return undefined;
  try {
    return readStoredIdentity(signed);
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}

/** Only whether each has a length that it can have: whose they are is seen where they are used. */
function keysLacking({ root, privateKey }: BoardCredentials): ProvisioningError[] {
  const lacks: ProvisioningError[] = [];
  if (root.length !== 2 * keyBytes) lacks.push(lack(storedKeys.root, "its swarm's root key", root));
  if (privateKey.length !== keyBytes) lacks.push(lack(storedKeys.privateKey, "a private key", privateKey));
  return lacks;
}

function contactLacking(stored: Uint8Array, contact: Contact | undefined): ProvisioningError[] {
  if (contact === undefined) return [lack(storedKeys.contact, "a contact", stored)];
  if (contact.wifi !== undefined) return [];
  return [new ProvisioningError(storedKeys.contact, "was told of no Wi-Fi network")];
}

function lack(key: string, what: string, found: Uint8Array): ProvisioningError {
  const problem =
    found.length === 0 ? `has not got ${what}` : `can't use what it has for ${what}: ${found.length} bytes`;
  return new ProvisioningError(key, problem);
}

function builtWith(key: string, problem: string): string {
  const value = config[key];
  if (typeof value === "string" && value !== "") return value;
  throw new ProvisioningError(key, problem, `build it with ${key}=... on mcconfig's command line`);
}
