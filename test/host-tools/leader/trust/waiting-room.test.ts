import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { WaitingRoom } from "../../../../host-tools/leader/trust/waiting-room.ts";

function from(remoteAddress: string): Socket {
  return { remoteAddress } as Socket;
}

test("room is made by the address that has most waiting, and of those by the one that waits longest", () => {
  const room = new WaitingRoom();
  const board = from("10.0.0.5");
  const crowd = [1, 2, 3].map(() => from("10.0.0.66"));
  for (const socket of [crowd[0]!, board, crowd[1]!, crowd[2]!]) room.enter(socket);
  const turnedAway: Socket[] = [];
  for (let surplus = room.surplus; surplus !== undefined; surplus = room.surplus) {
    turnedAway.push(surplus);
    room.leave(surplus);
  }
  expect(turnedAway.slice(0, 2)).toEqual(crowd.slice(0, 2));
  expect(new Set(turnedAway.slice(2))).toEqual(new Set([board, crowd[2]]));
});

test("whoever has proved itself waits no more, though its socket has forgotten its address", () => {
  const room = new WaitingRoom();
  const socket = { remoteAddress: "10.0.0.5" as string | undefined } as { remoteAddress?: string };
  room.enter(socket as Socket);
  socket.remoteAddress = undefined as unknown as string;
  room.leave(socket as Socket);
  room.leave(socket as Socket);
  expect(room.surplus).toBeUndefined();
});
