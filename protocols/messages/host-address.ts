/**
 * Where a swarm's hosts answer, as one text, for images and command lines: `a=192.0.2.7:7883,b=host-b.local`.
 */

/** A host's broker. */
export interface HostAddress {
  /** The host's name in `swarm.ts`. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Hosts of one swarm (design, point 9). */
export const hostsMax = 3;

/** Of a host's broker, where none is said. */
export const mqttPort = 7883;

/** undefined for what is no such text, for a name twice, and beyond `hostsMax`. */
export function parseHosts(text: string): readonly HostAddress[] | undefined {
  const hosts: HostAddress[] = [];
  for (const part of text.split(",")) {
    const host = parseHost(part);
    if (host === undefined || hosts.some(({ name }) => name === host.name)) return undefined;
    hosts.push(host);
  }
  return hosts.length <= hostsMax ? hosts : undefined;
}

export function formatHosts(hosts: readonly HostAddress[]): string {
  return hosts
    .map(({ name, address, port }) => `${name}=${address.includes(":") ? `[${address}]` : address}:${port}`)
    .join(",");
}

/** `NAME=ADDRESS` or `NAME=ADDRESS:PORT`; an IPv6 address has more than one colon, and a port only behind brackets. */
function parseHost(part: string): HostAddress | undefined {
  const equals = part.indexOf("=");
  const name = part.slice(0, Math.max(0, equals)).trim();
  const place = part.slice(equals + 1).trim();
  const colon = place.lastIndexOf(":");
  const hasPort = colon >= 0 && (place.indexOf(":") === colon || place.charAt(colon - 1) === "]");
  const port = hasPort ? Number(place.slice(colon + 1)) : mqttPort;
  let address = hasPort ? place.slice(0, colon) : place;
  if (address.startsWith("[") && address.endsWith("]")) address = address.slice(1, -1);
  const isWrong = name === "" || address === "" || !Number.isInteger(port) || port < 1 || port > 65_535;
  return isWrong ? undefined : { name, address, port };
}
