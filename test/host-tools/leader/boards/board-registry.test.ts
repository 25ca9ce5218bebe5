/** What another host may say of a board. */
import { expect, test } from "vitest";
import { BoardRegistry } from "../../../../host-tools/leader/boards/board-registry.ts";
import { ProtocolRefused } from "../../../../host-tools/leader/broker/broker-refusals.ts";
import type { BoardLink } from "../../../../host-tools/leader/broker/broker-types.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import { CloneWatch } from "../../../../host-tools/leader/trust/clone-watch.ts";
import { Violations } from "../../../../host-tools/leader/violations.ts";
import { encodeCbor } from "../../../../protocols/cbor/encode.ts";
import { helloToWire, reportToWire } from "../../../../protocols/messages/codec.ts";
import { definition } from "../leader-under-test.ts";

function registry() {
  const log = createLog("error", () => {});
  const readings: number[] = [];
  const boards = new BoardRegistry({
    ...{ definition, hostName: "a", log },
    violations: new Violations(log),
    clones: new CloneWatch(() => {}),
    now: Date.now,
    onReading: ({ value }) => readings.push(value),
    onMember: () => {},
    onMemberLost: () => {},
    onMessage: () => {},
    onWant: () => {},
    onClaim: () => {},
    onTurn: () => {},
    taskMetric: (_board, told) => (told === "gateway#7" ? { metric: "gateway", unit: "°C" } : undefined),
    tellHosts: () => {},
    onAnswer: () => {},
    onChange: () => {},
  });
  return { boards, readings };
}

function hello(memberId: string): Uint8Array {
  const about = { model: "esp32c3-devkit", firmware: "0.1.0", term: 0, lastIndex: 0, appliedIndex: 0 };
  return encodeCbor(helloToWire({ memberId, ...about, startId: 1 }));
}

function report(sequence: number, value: number, metric = "temperature"): Uint8Array {
  const reading = { metric, takenMs: 5, value, quality: 0 } as const;
  return encodeCbor(reportToWire({ sentMs: 6, sequence, readings: [reading], blocks: [] }));
}

test("another host tells what a board measures only of a board that it says is there", () => {
  const { boards, readings } = registry();
  const telemetry = { kind: "telemetry", board: "north-2", channel: "report" } as const;
  boards.receiveFromHost("b", { ...telemetry, payload: report(0, 1) });
  expect(readings).toEqual([]);
  boards.receiveFromHost("b", { kind: "board", board: "north-2", hello: hello("north-2.0000000a") });
  boards.receiveFromHost("b", { ...telemetry, payload: report(0, 2) });
  boards.receiveFromHost("c", { ...telemetry, payload: report(1, 3) });
  boards.receiveFromHost("b", { kind: "gone", board: "north-2" });
  boards.receiveFromHost("b", { ...telemetry, payload: report(1, 4) });
  expect(readings).toEqual([2]);
});

test("a board can't write into the operator's terminal by what it calls itself", () => {
  const { boards } = registry();
  const link: BoardLink = { board: "north-1", send: () => true, close: () => {} };
  for (const end of ["\u001b[2J", "a b", "\n", "\u009b2J"]) {
    expect(() => boards.receive(link, "hello", hello(`north-1.${end}`)), end).toThrow(ProtocolRefused);
  }
});

test("a board that is here is so under whichever id: nobody else votes for what it was before", () => {
  const { boards } = registry();
  const link: BoardLink = { board: "north-1", send: () => true, close: () => {} };
  expect(boards.isHere("north-1.0000000a")).toBe(false);
  boards.receive(link, "hello", hello("north-1.0000000b"));
  expect(["north-1.0000000a", "north-1.0000000b", "north-2.0000000a"].map((id) => boards.isHere(id))).toEqual(
    [true, true, false],
  );
});

test("a task's reading counts only under the token of who holds it", () => {
  const { boards, readings } = registry();
  const telemetry = { kind: "telemetry", board: "north-2", channel: "report" } as const;
  boards.receiveFromHost("b", { kind: "board", board: "north-2", hello: hello("north-2.0000000a") });
  boards.receiveFromHost("b", { ...telemetry, payload: report(0, 1, "gateway#7") });
  boards.receiveFromHost("b", { ...telemetry, payload: report(1, 2, "gateway#6") });
  expect(readings).toEqual([1]);
  const status = boards.status(() => false).find(({ id }) => id === "north-2")!;
  expect(status.readings).toMatchObject([{ metric: "gateway", unit: "°C", value: 1 }]);
  expect(status.readingsFenced).toBe(1);
});
