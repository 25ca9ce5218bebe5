/**
 * A swarm's hosts as a DNS-SD service (RFC 6763): each is an instance of `_covey._tcp.local` whose TXT record says of which swarm it is, and which host.
 *
 * ```
 * _covey._tcp.local                     PTR   greenhouse main._covey._tcp.local
 * greenhouse main._covey._tcp.local     SRV   7883 main-4f1a.local
 * greenhouse main._covey._tcp.local     TXT   v=1 swarm=greenhouse host=main
 * main-4f1a.local                       A     192.0.2.7
 * ```
 *
 * Whoever is on the network may answer so. It proves nothing, and need not: a board believes a host that proves its name in the handshake.
 */
import { type HostAddress, hostsMax } from "../messages/host-address.ts";
import type { MdnsAnswer, MdnsRecord } from "./message.ts";

export const coveyService = "_covey._tcp.local";

export const serviceLimits = Object.freeze({
  /** Places of one host that an answer may give. */
  placesPerHostMax: 2,
  placesMax: 2 * hostsMax,
});

/** Of the TXT record. Others are for newer programs. */
export const serviceVersion = "1";

/** Where hosts of this swarm answer, as an answer says: at most `placesMax`, for one host at most `placesPerHostMax`. */
export function hostsInAnswer({ records }: MdnsAnswer, swarm: string): HostAddress[] {
  const found: HostAddress[] = [];
  for (const record of records) {
    if (record.type !== "ptr" || record.name !== coveyService) continue;
    for (const place of placesOf(record.target, records, swarm)) addPlace(found, place);
  }
  return found;
}

/** Adds it unless it is there, or there are enough. */
export function addPlace(places: HostAddress[], place: HostAddress): void {
  const same = places.filter(({ name }) => name === place.name);
  const isThere = same.some(({ address, port }) => address === place.address && port === place.port);
  const isFull = same.length >= serviceLimits.placesPerHostMax || places.length >= serviceLimits.placesMax;
  if (!isThere && !isFull) places.push(place);
}

function placesOf(instance: string, records: readonly MdnsRecord[], swarm: string): HostAddress[] {
  const places: HostAddress[] = [];
  const name = hostOf(instance, records, swarm);
  if (name === undefined) return places;
  for (const service of records) {
    if (service.type !== "srv" || service.name !== instance || service.port === 0) continue;
    for (const each of records) {
      if (each.type !== "a" || each.name !== service.target) continue;
      places.push({ name, address: each.address, port: service.port });
    }
  }
  return places;
}

/** undefined for an instance of another swarm, and for one that says nothing. */
function hostOf(instance: string, records: readonly MdnsRecord[], swarm: string): string | undefined {
  const text = records.find((record) => record.type === "txt" && record.name === instance);
  if (text?.type !== "txt") return undefined;
  const isOurs = text.texts.includes(`v=${serviceVersion}`) && text.texts.includes(`swarm=${swarm}`);
  const said = text.texts.find((each) => each.startsWith("host="));
  const name = said?.slice("host=".length) ?? "";
  return isOurs && name !== "" && name.length <= nameMax ? name : undefined;
}

/** Names in `swarm.ts` are shorter. */
const nameMax = 63;
