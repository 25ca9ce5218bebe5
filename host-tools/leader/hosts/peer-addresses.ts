/** Where the other hosts of a swarm answer: as given on a command line, and where they are when nobody says. */
import type { PeerAddress } from "./host-links.ts";

/** Ports of the first host of a swarm; each further one on the same computer has the next. */
export const firstPorts = { http: 7800, mqtt: 7883, peer: 7900 } as const;

/** `b=127.0.0.1:7901,c=[::1]:7902`; empty text is no host. undefined for anything else. */
export function parsePeers(text: string): Map<string, PeerAddress> | undefined {
  const peers = new Map<string, PeerAddress>();
  for (const part of text.split(",")) {
    if (part.trim() === "") continue;
    const [, name, bracketed, plain, digits] =
      /^\s*([^=\s]+)=(?:\[([^\]]+)\]|([^:\s]+)):(\d+)\s*$/.exec(part) ?? [];
    const address = bracketed ?? plain;
    const port = Number(digits);
    if (name === undefined || address === undefined || !(port >= 1 && port <= 65_535)) return undefined;
    if (peers.has(name)) return undefined;
    peers.set(name, { address, port });
  }
  return peers;
}

/** All hosts of `hostNames` but this one, on this computer at their usual ports, where `given` does not say otherwise. */
export function peersOf(
  hostName: string,
  hostNames: readonly string[],
  given: ReadonlyMap<string, PeerAddress>,
): Map<string, PeerAddress> {
  const peers = new Map<string, PeerAddress>();
  hostNames.forEach((name, i) => {
    if (name === hostName) return;
    peers.set(name, given.get(name) ?? { address: "127.0.0.1", port: firstPorts.peer + i });
  });
  return peers;
}
