/** The contact that the swarm is to agree on next: what the command says, and what it leaves out as it was agreed on last. */
import { randomBytes } from "node:crypto";
import { formatHosts, type HostAddress } from "../../../protocols/messages/host-address.ts";
import {
  type Contact,
  contactKeyOf,
  openContact,
  sealContact,
  type WifiCredentials,
} from "../../../protocols/provisioning/contact.ts";
import type { KeyFolder } from "../../keys/key-folder.ts";
import type { RootKeys } from "../../keys/root-file.ts";
import type { AgreedContact } from "../../leader/api/types/contact.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";
import { WrongInput } from "../failure.ts";
import { contactOf, foundByMdns, wifiOf } from "../provision/contact.ts";
import type { Terminal } from "../terminal.ts";

export interface MoveParts {
  readonly hosts?: string;
  /** A file; true: from the environment, or asked for. */
  readonly wifi?: string | true;
  readonly timeServer?: string;
  readonly again?: boolean;
}

const nonceBytes = 13;

/** The contact that was agreed on; undefined for none, and for one under other keys, which no board can open either. */
export function openAgreed({ sealed }: AgreedContact, keys: RootKeys, swarm: string): Contact | undefined {
  if (sealed === undefined) return undefined;
  const bytes = new Uint8Array(Buffer.from(sealed, "base64url"));
  return openContact(nodeCiphers, contactKeyOf(nodeCiphers, keys.root, swarm), swarm, bytes);
}

/** What the command says of the contact: what it leaves out is undefined. */
export interface GivenParts {
  readonly wifi: WifiCredentials | undefined;
  readonly hosts: readonly HostAddress[] | undefined;
  readonly timeServer: string | undefined;
}

/** What a contact is made of. */
export interface ContactParts {
  readonly options: MoveParts;
  readonly given: GivenParts;
  readonly folder: KeyFolder;
  /** Names of the swarm's hosts. */
  readonly hosts: readonly string[];
}

/** Checked, and the Wi-Fi asked for where that is to be. @param names of the swarm's hosts @throws {WrongInput} */
export async function givenParts(
  terminal: Terminal,
  { wifi, hosts, timeServer }: MoveParts,
  folder: KeyFolder,
  names: readonly string[],
): Promise<GivenParts> {
  const place = { hosts: hosts ?? foundByMdns, ...(timeServer === undefined ? {} : { timeServer }) };
  const told = await contactOf(terminal, place, folder, names, false);
  return {
    wifi: wifi === undefined ? undefined : await wifiOf(terminal, wifi === true ? undefined : wifi),
    hosts: hosts === undefined ? undefined : told.hosts,
    timeServer: told.timeServer,
  };
}

/** @throws {WrongInput} */
export async function nextContact(
  terminal: Terminal,
  { options, given, folder, hosts: names }: ContactParts,
  present: Contact | undefined,
  number: number,
): Promise<Contact> {
  const { wifi, hosts } = given;
  const next: Contact = {
    number,
    wifi: wifi ?? present?.wifi,
    // Of the first contact all is to be said.
    hosts: hosts ?? present?.hosts ?? (await contactOf(terminal, {}, folder, names, false)).hosts,
    timeServer: options.timeServer === undefined ? present?.timeServer : given.timeServer,
  };
  const isSame = present !== undefined && describe(next) === describe(present) && isSameWifi(next, present);
  if (!isSame || options.again === true) return next;
  throw new WrongInput(
    "That is what the swarm agreed on already; say --again to have the boards that went back try it once more.",
  );
}

/** For `POST /api/contact`. */
export function sealedText(contact: Contact, keys: RootKeys, swarm: string): string {
  const key = contactKeyOf(nodeCiphers, keys.root, swarm);
  const sealed = sealContact(nodeCiphers, key, swarm, contact, new Uint8Array(randomBytes(nonceBytes)));
  return Buffer.from(sealed).toString("base64url");
}

/** For people; without the password. */
export function contactLines({ wifi, hosts, timeServer }: Contact): string[] {
  return [
    `Wi-Fi        ${wifi === undefined ? "as each board has it" : wifi.password === "" ? `${wifi.ssid} (open: no password)` : wifi.ssid}`,
    `hosts        ${hosts.length === 0 ? "found by mDNS" : formatHosts(hosts)}`,
    `time server  ${timeServer ?? "none"}`,
  ];
}

function describe(contact: Contact): string {
  return contactLines(contact).join();
}

function isSameWifi({ wifi: a }: Contact, { wifi: b }: Contact): boolean {
  return a?.ssid === b?.ssid && a?.password === b?.password;
}
