/** Registers: what the agreed state says of them, what members say to each other and to their leader, and what a board's flash holds. */
import {
  historyFromWire,
  historyToWire,
  newHistory,
  withChange,
} from "../../../host-tools/leader/registers/history.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Acceptor, readAcceptor } from "../../../protocols/paxos/acceptor.ts";
import { copiedRegister, copyFromWire, copyToWire } from "../../../protocols/paxos/copy.ts";
import { groupFromWire, groupToWire } from "../../../protocols/paxos/group.ts";
import { memberFromBytes, memberToBytes } from "../../../protocols/paxos/kept.ts";
import {
  type PaxosMessage,
  paxosMessageFromWire,
  paxosMessageToWire,
} from "../../../protocols/paxos/messages.ts";
import {
  chosenToWire,
  type RegisterOrder,
  type RegisterReport,
  readChosen,
  registerOrderFromWire,
  registerOrderToWire,
  registerReportFromWire,
  registerReportToWire,
} from "../../../protocols/paxos/report.ts";
import { readState, readValue, stateToWire } from "../../../protocols/paxos/state-codec.ts";
import type { Group } from "../../../protocols/paxos/types.ts";
import { Untold } from "../../../protocols/paxos/untold.ts";
import type { Target } from "../target.ts";

const folder = "protocols/paxos";
const errors = [CborError, ShapeError];
const state = { version: 7, value: 21.5, by: "north-1", request: 99, atMs: 1_800_000_000_000 };
const chosen = { register: "setpoint", epoch: 3, state };
const group: Group = {
  ...{ epoch: 3, isClosing: false, members: ["north-1.5f3a90c2", "north-2.1", "south.1"] },
  registers: [
    { name: "setpoint", kind: "number", min: 5, max: 35 },
    { name: "emergency", kind: "flag", min: 0, max: 0 },
    { name: "lead", kind: "coordinator", min: 0, max: 0 },
  ],
  base: [state, { ...state, value: false }, { ...state, value: "south", by: "" }],
};
const at = { epoch: 3, register: 1 };
const held = { accepted: 17, isChosen: true, state };
const messages: readonly PaxosMessage[] = [
  { kind: "prepare", ...at, ballot: 25 },
  { kind: "promise", ...at, ballot: 25, ...held },
  { kind: "accept", ...at, ballot: 25, state },
  { kind: "accepted", ...at, ballot: 25 },
  { kind: "refused", ...at, ballot: 25, promised: 33 },
  { kind: "decided", ...at, ballot: 25, state: { ...state, value: "north" } },
  { kind: "look", ...at, request: 5 },
  { kind: "seen", ...at, request: 5, ...held },
  { kind: "digest", epoch: 3, versions: [7, 0, 2] },
];
const reports: readonly RegisterReport[] = [
  { kind: "chosen", chosen: [chosen, { ...chosen, epoch: 4 }], lost: 2 },
  { kind: "closed", member: "north-2.1", epoch: 3, accepted: [{ ballot: 17, state }] },
  { kind: "answer", request: 5, outcome: "conflict", state },
  { kind: "answer", request: 5, outcome: "unknown", state: undefined },
];
const orders: readonly RegisterOrder[] = [
  { kind: "ask", request: 5, register: "setpoint", value: 22, ifVersion: 7, timeoutMs: 5_000 },
  { kind: "ask", request: 6, register: "setpoint", value: undefined, ifVersion: undefined, timeoutMs: 1 },
  { kind: "recorded", states: [{ register: "setpoint", epoch: 3, version: 7 }] },
];
const acceptor = new Acceptor(3, group.base);

export const registerTargets: readonly Target[] = [
  of("group of registers", ["group.ts groupFromWire"], [groupToWire(group)], groupFromWire),
  of(
    "register message",
    ["messages.ts paxosMessageFromWire"],
    messages.map(paxosMessageToWire),
    paxosMessageFromWire,
  ),
  of(
    "register report",
    ["report.ts registerReportFromWire"],
    reports.map(registerReportToWire),
    registerReportFromWire,
  ),
  of(
    "register order",
    ["report.ts registerOrderFromWire"],
    orders.map(registerOrderToWire),
    registerOrderFromWire,
  ),
  of("chosen state", ["report.ts readChosen"], [chosenToWire(chosen)], readChosen),
  of("copy of a register", ["copy.ts copyFromWire"], [copyToWire({ epoch: 3, ...state })], copyFromWire),
  of("register's state", ["state-codec.ts readState"], [[stateToWire(state)]], (value) =>
    readState(new ItemReader(value, "state", "", 1), "state"),
  ),
  of("register's value", ["state-codec.ts readValue"], [[true], ["north"], [0.5]], (value) =>
    readValue(new ItemReader(value, "value", "", 1), "value"),
  ),
  {
    name: "history of a register",
    covers: ["host-tools/leader/registers/history.ts historyFromWire"],
    seeds: [encodeCbor(historyToWire(withChange(newHistory(3, state), { ...state, version: 9 })))],
    errors,
    decode: (bytes) => historyFromWire(decodeCbor(bytes)),
  },
  of("kept acceptor", ["acceptor.ts readAcceptor"], [acceptor.toWire()], readAcceptor),
  {
    name: "kept registers",
    covers: [`${folder}/kept.ts memberFromBytes`],
    seeds: [memberToBytes("north-1.1", 3, acceptor, new Untold([chosen], 1))],
    errors: [],
    decode: (bytes) => [memberFromBytes(bytes), copiedRegister(String(bytes[0]))],
  },
];

function of(
  name: string,
  covers: readonly string[],
  seeds: readonly CborValue[],
  decode: (value: CborValue) => unknown,
): Target {
  return {
    ...{ name, errors },
    covers: covers.map((one) => `${folder}/${one}`),
    seeds: seeds.map((seed) => encodeCbor(seed)),
    decode: (bytes) => decode(decodeCbor(bytes)),
  };
}
