/**
 * What a board is given before it first starts (`protocols/provisioning/stored.ts`), as values, as items of NVS, and read back from a board that has them. Whatever other
 * namespaces hold, such as the radio's calibration, stays.
 */
import { type Contact, contactToBytes } from "../../protocols/provisioning/contact.ts";
import { contactInUse } from "../../protocols/provisioning/contact-use.ts";
import { storedKeys, storedNamespace } from "../../protocols/provisioning/stored.ts";
import { kidOf } from "../../protocols/security/identity/credential.ts";
import { type Identity, IdentityError, readIdentity } from "../../protocols/security/identity/identity.ts";
import type { NvsItem } from "../images/nvs/format.ts";
import type { MemberSecrets } from "../security/member-file.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";

export interface BoardSettings {
  readonly member: Pick<MemberSecrets, "root" | "signed" | "privateKey">;
  /** Certificate of the hosts' authority, DER: an image with TLS then uses it. */
  readonly authority?: Uint8Array | undefined;
  /** `contactKeyOf` the swarm's root. */
  readonly contactKey: Uint8Array;
  readonly contact: Contact;
}

/** By their keys. */
export type StoredValues = ReadonlyMap<string, Uint8Array>;

export function valuesOf({ member, authority, contactKey, contact }: BoardSettings): StoredValues {
  const { root, signed, privateKey } = member;
  const values = new Map<string, Uint8Array>([
    [storedKeys.root, root],
    [storedKeys.signed, signed],
    [storedKeys.privateKey, privateKey],
    [storedKeys.contactKey, contactKey],
    [storedKeys.contact, contactToBytes(contact)],
  ]);
  if (authority !== undefined) values.set(storedKeys.authority, authority);
  return values;
}

/** What the board's own namespace holds. */
export function storedIn(items: readonly NvsItem[]): StoredValues {
  const values = new Map<string, Uint8Array>();
  for (const item of items) {
    if (item.namespace === storedNamespace && item.type === "blob") values.set(item.key, item.value);
  }
  return values;
}

/** What is public of a board's values; undefined for one that has no identity. */
export interface Holder {
  readonly swarm: string;
  readonly name: string;
  readonly role: Identity["role"];
  /** Reference of its identity, hexadecimal, as in `covey keys list`. */
  readonly kid: string;
  /** The swarm's root key, base64url. */
  readonly root: string;
  /** Whether its private key is there and the identity's own. */
  readonly hasKey: boolean;
  readonly hasAuthority: boolean;
  readonly hasContactKey: boolean;
  /** The one in use. */
  readonly contact: PublicContact | undefined;
}

/** A contact without its password. */
export interface PublicContact {
  readonly number: number;
  readonly ssid: string | undefined;
  readonly hosts: Contact["hosts"];
  readonly timeServer: string | undefined;
}

/** @returns undefined where there is no identity, or none that the root beside it has signed */
export function holderOf(values: StoredValues): Holder | undefined {
  const root = values.get(storedKeys.root);
  const signed = values.get(storedKeys.signed);
  if (root === undefined || signed === undefined) return undefined;
  const identity = identityOf(root, signed);
  if (identity === undefined) return undefined;
  const { swarm, name, role } = identity;
  return {
    ...{ swarm, name, role, kid: kidText(signed), root: Buffer.from(root).toString("base64url") },
    hasKey: ownsKey(identity, values.get(storedKeys.privateKey)),
    hasAuthority: values.has(storedKeys.authority),
    hasContactKey: values.has(storedKeys.contactKey),
    contact: publicContact(values),
  };
}

/** As the ledger of the keys has it. */
export function kidText(signed: Uint8Array): string {
  return Buffer.from(kidOf(nodeCiphers, signed)).toString("hex");
}

/**
 * The values that the board is to hold, given what it holds: of the same board, what it noted of its updates stays, and a contact that its swarm gave it later, unless `replace`.
 */
export function mergedValues(wanted: StoredValues, held: StoredValues, replace: boolean): StoredValues {
  const values = new Map(wanted);
  const [before, after] = [holderOf(held), holderOf(wanted)];
  if (before === undefined || before.swarm !== after?.swarm || before.name !== after.name) return values;
  const keep = (key: string) => {
    const value = held.get(key);
    if (value !== undefined) values.set(key, value);
  };
  keep(storedKeys.update);
  if (replace) return values;
  const isSwarms = (before.contact?.number ?? 0) > 0;
  const isAsGiven = isSame(held.get(storedKeys.contact), wanted.get(storedKeys.contact));
  if (isSwarms || isAsGiven) for (const key of contactKeys) keep(key);
  return values;
}

const contactKeys = [storedKeys.contact, storedKeys.otherContact, storedKeys.contactUse];

/** `values` with the identity, root and key of a board that has them. */
export function withIdentityOf(held: StoredValues, values: StoredValues): StoredValues {
  const own = [storedKeys.root, storedKeys.signed, storedKeys.privateKey].map(
    (key) => [key, held.get(key)!] as const,
  );
  return new Map([...values, ...own]);
}

export function sameValues(left: StoredValues, right: StoredValues): boolean {
  return left.size === right.size && [...left].every(([key, value]) => isSame(right.get(key), value));
}

/** Items of all namespaces, the board's own replaced by `values`. */
export function mergedItems(items: readonly NvsItem[], values: StoredValues): NvsItem[] {
  const others = items.filter(({ namespace }) => namespace !== storedNamespace);
  const own = [...values].map(
    ([key, value]): NvsItem => ({ namespace: storedNamespace, key, type: "blob", value }),
  );
  return [...others, ...own];
}

function identityOf(root: Uint8Array, signed: Uint8Array): Identity | undefined {
  try {
    return readIdentity(nodeCiphers, root, signed);
  } catch (error) {
    if (error instanceof IdentityError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function ownsKey({ publicKey }: Identity, privateKey: Uint8Array | undefined): boolean {
  if (privateKey?.length !== 32) return false;
  const message = new Uint8Array(32);
  try {
    return nodeCiphers.verify(publicKey, message, nodeCiphers.sign(privateKey, message));
  } catch {
    return false;
  }
}

function publicContact(values: StoredValues): PublicContact | undefined {
  const contact = contactInUse({ read: (key) => values.get(key) });
  if (contact === undefined) return undefined;
  const { number, wifi, hosts, timeServer } = contact;
  return { number, ssid: wifi?.ssid, hosts, timeServer };
}

function isSame(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return Buffer.compare(left, right) === 0;
}
