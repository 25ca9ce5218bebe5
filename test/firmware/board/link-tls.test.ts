/** Which connections of a board are over TLS. */
import { expect, test } from "vitest";
import { Link } from "../../../firmware/board/link.ts";
import type { LinkParts } from "../../../firmware/board/link-parts.ts";
import type { Network } from "../../../firmware/platform/ports.ts";

const authority = new Uint8Array([0x30]);
const connection = { write: () => true, close: () => {} };

/** What it asked the network for, in an image with TLS or without. */
function asked(withTls: boolean, given: Uint8Array | undefined): unknown[] {
  const calls: unknown[] = [];
  const network: Network = {
    start: () => {},
    connect: (host, port) => {
      calls.push(["plain", host, port]);
      return connection;
    },
    ...(withTls && {
      connectSecurely: (host, port, tls) => {
        calls.push(["TLS", host, port, tls.authority]);
        return connection;
      },
    }),
  };
  const parts = { network, authority: given, clock: { nowMs: () => 0 } } as unknown as LinkParts;
  const events = { onJoined: () => {}, onPayload: () => {}, onPublication: () => {} };
  const link = new Link(parts, events, [{ name: "main", address: "leader.local", port: 7883 }], 0);
  link.onNetworkChange(true);
  return calls;
}

test("with an authority and TLS in the image: over TLS, trusting that authority", () => {
  expect(asked(true, authority)).toEqual([["TLS", "leader.local", 7883, authority]]);
});

test("with one of them alone: plain", () => {
  expect(asked(true, undefined)).toEqual([["plain", "leader.local", 7883]]);
  expect(asked(false, authority)).toEqual([["plain", "leader.local", 7883]]);
});
