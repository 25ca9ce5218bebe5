import { expect, test } from "vitest";
import type { BoardRegistry } from "../../../../host-tools/leader/boards/board-registry.ts";
import { PeerRefused } from "../../../../host-tools/leader/hosts/host-link.ts";
import type { HostLinks } from "../../../../host-tools/leader/hosts/host-links.ts";
import { MessageRoutes } from "../../../../host-tools/leader/hosts/message-routes.ts";
import { messageToWire } from "../../../../protocols/raft/codec.ts";
import type { Message } from "../../../../protocols/raft/types.ts";

/** Routes of host a, where the boards `here` have a session. */
function routesWith(here: readonly string[]) {
  const taken: Message[] = [];
  const sent: Message[] = [];
  const boards = {
    isHere: (id: string) => here.includes(id),
    send: (message: Message) => sent.push(message),
    takeAppendResponse: () => {},
  };
  const routes = new MessageRoutes({
    ...{ hostName: "a", hostNames: ["a", "b", "c"] },
    boards: boards as unknown as BoardRegistry,
    broker: { publish: () => 0 },
    groupKeys: { seal: (payload) => payload },
    links: {} as HostLinks,
    receive: (message) => taken.push(message),
  });
  return { routes, taken, sent };
}

function answer(from: string, to: string): Message {
  const indexes = { matchIndex: 9, appliedIndex: 9, readRound: 0 };
  return { type: "append-response", term: 3, from, to, success: true, ...indexes };
}

test("a board that has a session here speaks for itself: what another host says in its name is dropped", () => {
  const { routes, taken } = routesWith(["n1.0000000a"]);
  routes.takeFromHost("b", messageToWire(answer("n1.0000000a", "a.00000001")));
  expect(taken).toEqual([]);
  routes.takeFromHost("b", messageToWire(answer("n2.0000000a", "a.00000001")));
  expect(taken.map(({ from }) => from)).toEqual(["n2.0000000a"]);
});

test("no host speaks for another host", () => {
  const { routes, taken } = routesWith([]);
  expect(() => routes.takeFromHost("b", messageToWire(answer("c.00000001", "a.00000001")))).toThrow(
    PeerRefused,
  );
  expect(() => routes.takeFromHost("b", messageToWire(answer("a.00000001", "a.00000001")))).toThrow(
    PeerRefused,
  );
  routes.takeFromHost("b", messageToWire(answer("b.00000001", "a.00000001")));
  expect(taken).toHaveLength(1);
});
