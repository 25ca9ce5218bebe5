/** What is put, and in which order, so that the state is what the definition asks for. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { AgreedState } from "../../../../host-tools/leader/state/agreed-state.ts";
import { missingPuts } from "../../../../host-tools/leader/state/deployment.ts";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { encodeCbor } from "../../../../protocols/cbor/encode.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { commandToWire } from "../../../../protocols/state/codec.ts";
import type { PutCommand } from "../../../../protocols/state/command.ts";

function swarmWith(model: Uint8Array | undefined): SwarmDefinition {
  const models = model && [{ name: "it", crc: crc32(model), bytes: Buffer.from(model).toString("base64") }];
  const program = { pipelines: [], outputs: [], rules: [] };
  const board = { model: "esp32c3-devkit", program, units: {}, simulate: {}, ...(models ? { models } : {}) };
  return {
    name: "house",
    file: "/swarm.ts",
    hosts: ["main"],
    voters: [],
    settings: {},
    boards: { a: board, b: board },
  };
}

function apply(state: AgreedState, puts: readonly PutCommand[]): void {
  let index = 100;
  for (const put of puts) {
    state.apply([
      { index: index++, term: 1, kind: EntryKind.put, version: 1, data: encodeCbor(commandToWire(put)) },
    ]);
  }
}

test("parts of models come before programs, once for all boards; those that nobody needs go last", () => {
  const state = new AgreedState();
  const [first, second] = [new Uint8Array(2_000).fill(1), new Uint8Array(900).fill(2)];
  const keysOf = (puts: readonly PutCommand[]) =>
    puts.map(({ key, value }) => (value === undefined ? `-${key}` : key));
  const stem = (model: Uint8Array) => `model/it-${crc32(model).toString(16)}`;

  const puts = missingPuts(swarmWith(first), state);
  expect(keysOf(puts).slice(0, 5)).toEqual(
    [0, 1, 2].map((part) => `${stem(first)}/${part}`).concat(["program/a", "program/b"]),
  );
  expect(puts.slice(0, 3).map(({ value }) => (value as Uint8Array).length)).toEqual([900, 900, 200]);
  apply(state, puts);
  expect(missingPuts(swarmWith(first), state)).toEqual([]);

  const change = missingPuts(swarmWith(second), state);
  expect(keysOf(change)).toEqual([
    `${stem(second)}/0`,
    ...[0, 1, 2].map((part) => `-${stem(first)}/${part}`),
  ]);
  apply(state, change);
  expect(keysOf(missingPuts(swarmWith(undefined), state))).toEqual([`-${stem(second)}/0`]);
});
