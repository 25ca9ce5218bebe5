/** RFC 2217, byte by byte. */
import { expect, test } from "vitest";
import { Rfc2217Server } from "./rfc2217.ts";

const iac = 255;
const sub = (...body: number[]) => [iac, 250, 44, ...body, iac, 240];

test("offers of binary, go-ahead and Com Port Control are taken once, others turned down", () => {
  const { server, said } = telnet();
  server.receive(Uint8Array.of(iac, 251, 44, iac, 253, 0, iac, 251, 3));
  expect(said()).toEqual([iac, 253, 44, iac, 251, 0, iac, 253, 3]);
  server.receive(Uint8Array.of(iac, 251, 44, iac, 253, 0));
  expect(said()).toEqual([]);
  server.receive(Uint8Array.of(iac, 251, 24, iac, 253, 1));
  expect(said()).toEqual([iac, 254, 24, iac, 252, 1]);
  server.receive(Uint8Array.of(iac, 252, 44));
  expect(said()).toEqual([iac, 254, 44]);
});

test("SET-BAUDRATE sets and asks, also in bytes that come one at a time", () => {
  const { server, said, state } = telnet();
  for (const byte of sub(1, 0, 7, 8, 0)) server.receive(Uint8Array.of(byte));
  expect(state.baud).toBe(460_800);
  expect(said()).toEqual(sub(101, 0, 7, 8, 0));
  server.receive(Uint8Array.from(sub(1, 0, 0, 0, 0)));
  expect(said()).toEqual(sub(101, 0, 7, 8, 0));
});

test("a 255 inside a value and inside data is doubled both ways", () => {
  const { server, said, state } = telnet();
  server.receive(Uint8Array.from(sub(1, 0, 0, iac, iac, 0)));
  expect(state.baud).toBe(0xff00);
  expect(said()).toEqual(sub(101, 0, 0, iac, iac, 0));
  server.receive(Uint8Array.of(1, iac, iac, 2));
  expect(state.data).toEqual([1, iac, 2]);
  expect([...server.escape(Uint8Array.of(3, iac, 4))]).toEqual([3, iac, iac, 4]);
});

test("SET-CONTROL turns DTR and RTS, and tells how they are", () => {
  const { server, said, state } = telnet();
  server.receive(
    Uint8Array.from([...sub(5, 8), ...sub(5, 11), ...sub(5, 7), ...sub(5, 10), ...sub(5, 9), ...sub(5, 12)]),
  );
  expect(said()).toEqual([
    ...sub(105, 8),
    ...sub(105, 11),
    ...sub(105, 8),
    ...sub(105, 11),
    ...sub(105, 9),
    ...sub(105, 12),
  ]);
  expect(state.turned).toEqual([{ dtr: true }, { rts: true }, { dtr: false }, { rts: false }]);
  server.receive(Uint8Array.from([...sub(5, 0), ...sub(5, 4)]));
  expect(said()).toEqual([...sub(105, 1), ...sub(105, 6)]);
});

test("size, parity, stops, masks and purge are confirmed", () => {
  const { server, said } = telnet();
  server.receive(Uint8Array.from([...sub(2, 0), ...sub(2, 7), ...sub(2, 0), ...sub(3, 0), ...sub(4, 0)]));
  expect(said()).toEqual([...sub(102, 8), ...sub(102, 7), ...sub(102, 7), ...sub(103, 1), ...sub(104, 1)]);
  server.receive(Uint8Array.from([...sub(10, 255, 255), ...sub(11, 0), ...sub(12, 3)]));
  expect(said()).toEqual([...sub(110, 255, 255), ...sub(111, 0), ...sub(112, 3)]);
});

test("data before, between and after commands keeps its order", () => {
  const { server, state } = telnet();
  server.receive(Uint8Array.from([1, 2, ...sub(5, 8), 3, iac, 241, 4]));
  expect(state.events).toEqual(["data 1,2", "lines", "data 3", "data 4"]);
});

function telnet() {
  let replies: number[] = [];
  const state = {
    baud: 115_200,
    lines: { dtr: false, rts: false },
    turned: [] as object[],
    data: [] as number[],
    events: [] as string[],
  };
  const server = new Rfc2217Server({
    data: (bytes) => {
      state.data.push(...bytes);
      state.events.push(`data ${[...bytes]}`);
    },
    setBaud: (baud) => {
      state.baud = baud;
    },
    baud: () => state.baud,
    setLines: (lines) => {
      state.lines = { ...state.lines, ...lines };
      state.turned.push(lines);
      state.events.push("lines");
    },
    lines: () => state.lines,
    reply: (bytes) => replies.push(...bytes),
  });
  const said = () => {
    const all = replies;
    replies = [];
    return all;
  };
  return { server, said, state };
}
