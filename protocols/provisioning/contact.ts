/**
 * How a board reaches its swarm: the Wi-Fi network, the hosts, where the time is asked.
 *
 * A board is given its first contact when it is provisioned. A later one is agreed on by the whole swarm, under `contactStateKey`, sealed: hosts
 * keep it and pass it on, and only boards and whoever holds the root's keys can read the Wi-Fi's password.
 *
 * ```
 * contact   [version, number, ssid or null, password, 'a=192.0.2.7:7883,b=...', time server or null]
 * sealed    [version, number, h'nonce', h'AES-CCM of the contact']     aad: the CBOR text of the swarm's name
 * ```
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import { formatHosts, type HostAddress, parseHosts } from "../messages/host-address.ts";
import type { Ciphers } from "../security/ciphers.ts";
import { hkdfExpand, hkdfExtract } from "../security/hkdf.ts";

/** Where the agreed state keeps the contact that the swarm was last given. */
export const contactStateKey = "covey/contact";

export interface WifiCredentials {
  readonly ssid: string;
  /** Empty for an open network. */
  readonly password: string;
}

export interface Contact {
  /** 0 for the one of its provisioning; each that the swarm is given has one more than the last. */
  readonly number: number;
  /** undefined for a board that has no Wi-Fi to join: in a simulator. */
  readonly wifi: WifiCredentials | undefined;
  /** May be none: then they are found by mDNS. */
  readonly hosts: readonly HostAddress[];
  /** Where the time can be asked, if not from the hosts alone: a name or an address. */
  readonly timeServer: string | undefined;
}

export const contactLimits = Object.freeze({
  numberMax: 0xff_ff_ff_ff,
  /** IEEE 802.11: bytes of a network's name. */
  ssidBytesMax: 32,
  /** WPA2: a passphrase has at most 63 characters, a raw key 64. */
  passwordBytesMax: 64,
  hostsBytesMax: 512,
  timeServerBytesMax: 128,
  /** Bytes of a contact. */
  bytesMax: 800,
});

const contactVersion = 1;

export function contactToBytes({ number, wifi, hosts, timeServer }: Contact): Uint8Array {
  const { ssid = null, password = "" } = wifi ?? {};
  return encodeCbor([contactVersion, number, ssid, password, formatHosts(hosts), timeServer ?? null]);
}

/** undefined for what is no contact. */
export function contactFromBytes(bytes: Uint8Array): Contact | undefined {
  try {
    return readContact(bytes);
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}

/** 16 bytes, the same for all boards of the swarm, made of the root's private key. */
export function contactKeyOf(ciphers: Ciphers, rootPrivateKey: Uint8Array, swarm: string): Uint8Array {
  const key = hkdfExtract(ciphers, new Uint8Array(0), rootPrivateKey);
  return hkdfExpand(ciphers, key, [encodeCbor(["covey contact", swarm])], contactKeyBytes);
}

/** For the agreed state. `nonce`: 13 random bytes. */
export function sealContact(
  ciphers: Ciphers,
  key: Uint8Array,
  swarm: string,
  contact: Contact,
  nonce: Uint8Array,
): Uint8Array {
  const sealed = ciphers.ccmSeal(key, nonce, tagBytes, encodeCbor(swarm), contactToBytes(contact));
  return encodeCbor([contactVersion, contact.number, nonce, sealed]);
}

/** The number of a sealed contact, for whoever cannot open it; undefined for what is none. */
export function numberOfSealed(bytes: Uint8Array): number | undefined {
  return takeApart(bytes)?.number;
}

/** undefined for what was not sealed under this key for this swarm. */
export function openContact(
  ciphers: Ciphers,
  key: Uint8Array,
  swarm: string,
  bytes: Uint8Array,
): Contact | undefined {
  const parts = takeApart(bytes);
  if (parts === undefined) return undefined;
  const opened = ciphers.ccmOpen(key, parts.nonce, tagBytes, encodeCbor(swarm), parts.sealed);
  const contact = opened && contactFromBytes(opened);
  return contact?.number === parts.number ? contact : undefined;
}

const contactKeyBytes = 16;
const nonceBytes = 13;
const tagBytes = 16;

function takeApart(bytes: Uint8Array): { number: number; nonce: Uint8Array; sealed: Uint8Array } | undefined {
  try {
    const items = new ItemReader(decodeCbor(bytes), "sealed contact", "", 4);
    items.version(contactVersion);
    const number = items.integer("the number", 0, contactLimits.numberMax);
    const nonce = items.bytesOf("the nonce", nonceBytes);
    return { number, nonce, sealed: items.bytes("the contact", contactLimits.bytesMax + tagBytes) };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}

function readContact(bytes: Uint8Array): Contact | undefined {
  const items = new ItemReader(decodeCbor(bytes), "contact", "", 6);
  items.version(contactVersion);
  const number = items.integer("the number", 0, contactLimits.numberMax);
  const ssid = textOrNone(items, "the network's name", contactLimits.ssidBytesMax);
  const password = items.text("the password", contactLimits.passwordBytesMax);
  const text = items.text("the hosts", contactLimits.hostsBytesMax);
  const hosts = text === "" ? [] : parseHosts(text);
  const timeServer = textOrNone(items, "the time server", contactLimits.timeServerBytesMax);
  if (hosts === undefined) return undefined;
  return { number, wifi: ssid === undefined ? undefined : { ssid, password }, hosts, timeServer };
}

function textOrNone(items: ItemReader, item: string, bytesMax: number): string | undefined {
  return items.isNone() ? undefined : items.text(item, bytesMax);
}
