/**
 * Hello, report, health and the time between structs and CBOR values: see `board-messages.ts` for the arrays. Used on boards and hosts,
 * each with its own CBOR codec. Every `...FromWire` throws `ShapeError` for what does not fit.
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { programLimits } from "../pipeline/program.ts";
import { contactLimits } from "../provisioning/contact.ts";
import { limits } from "../raft/types.ts";
import { blockFromWire, blockToWire, type MetricBlock } from "../series/block.ts";
import { releaseLimits } from "../update/release.ts";
import {
  type DeviceHealth,
  type FirmwareHealth,
  type FirmwareStage,
  type Health,
  type Hello,
  messageLimits,
  messageVersion,
  type OutputCause,
  type OutputState,
  type Quality,
  type Reading,
  type Report,
  type TimeAnswer,
} from "./board-messages.ts";

export function helloToWire(hello: Hello): CborValue {
  const { memberId, model, firmware, term, lastIndex, appliedIndex, startId } = hello;
  return [messageVersion, memberId, model, firmware, term, lastIndex, appliedIndex, startId];
}

export function helloFromWire(value: CborValue): Hello {
  const items = new ItemReader(value, "hello", "", 8);
  items.version(messageVersion);
  const memberId = items.text("memberId", limits.memberIdBytesMax);
  const dot = memberId.lastIndexOf(".");
  if (dot < 1 || dot === memberId.length - 1) {
    throw new ShapeError("hello", "memberId", "a name, a dot and an incarnation", memberId);
  }
  return {
    memberId,
    model: items.text("model", nameBytesMax),
    firmware: items.text("firmware", nameBytesMax),
    term: items.integer("term", 0, integerMax),
    lastIndex: items.integer("lastIndex", 0, integerMax),
    appliedIndex: items.integer("appliedIndex", 0, integerMax),
    startId: items.integer("startId", 0, 0xffff_ffff),
  };
}

/** The payload of a board's last will, published by the broker on `gone`. Array: [version, memberId]. */
export function goneToWire(memberId: string): CborValue {
  return [messageVersion, memberId];
}

export function reportToWire(report: Report): CborValue {
  const readings: CborValue[] = [];
  for (const { metric, takenMs, value, quality } of report.readings) {
    readings.push([metric, takenMs, value, quality]);
  }
  return [messageVersion, report.sentMs, report.sequence, readings, report.blocks.map(blockToWire)];
}

export function reportFromWire(value: CborValue): Report {
  const items = new ItemReader(value, "report", "", 5);
  items.version(messageVersion);
  const sentMs = items.integer("sentMs", 0, integerMax);
  const sequence = items.integer("sequence", 0, integerMax);
  const readings: Reading[] = [];
  for (const reading of items.array("the readings", messageLimits.readingsMax)) {
    readings.push(readingFromWire(reading, readings.length));
  }
  const blocks: MetricBlock[] = [];
  for (const block of items.array("the blocks", messageLimits.blocksMax)) {
    blocks.push(blockFromWire(block, `block ${blocks.length}`));
  }
  return { sentMs, sequence, readings, blocks };
}

export function healthToWire(health: Health): CborValue {
  const outputs: CborValue[] = [];
  for (const { name, value, cause } of health.outputs) outputs.push([name, value, causes.indexOf(cause)]);
  const items: CborValue[] = [
    messageVersion,
    health.sentMs,
    health.uptimeMs,
    health.term,
    health.lastIndex,
    health.commitIndex,
    health.appliedIndex,
    health.heapUsedBytes,
    health.heapPeakBytes,
    health.arenaBytes,
    health.samplesIn,
    health.reportsOut,
    health.readingsDropped,
    health.reconnects,
    outputs,
  ];
  const { wallMs, timeBoundMs, device, firmware, contact } = health;
  items.push(
    wallMs ?? null,
    timeBoundMs ?? null,
    device === undefined ? null : deviceToWire(device),
    firmware === undefined ? null : firmwareToWire(firmware),
    contact ?? null,
  );
  while (items[items.length - 1] === null) items.pop();
  return items;
}

export function healthFromWire(value: CborValue): Health {
  const items = new ItemReader(value, "health message", "", 15);
  items.version(messageVersion);
  return {
    sentMs: items.integer("sentMs", 0, integerMax),
    uptimeMs: items.integer("uptimeMs", 0, integerMax),
    term: items.integer("term", 0, integerMax),
    lastIndex: items.integer("lastIndex", 0, integerMax),
    commitIndex: items.integer("commitIndex", 0, integerMax),
    appliedIndex: items.integer("appliedIndex", 0, integerMax),
    heapUsedBytes: items.integer("heapUsedBytes", 0, integerMax),
    heapPeakBytes: items.integer("heapPeakBytes", 0, integerMax),
    arenaBytes: items.integer("arenaBytes", 0, integerMax),
    samplesIn: items.integer("samplesIn", 0, integerMax),
    reportsOut: items.integer("reportsOut", 0, integerMax),
    readingsDropped: items.integer("readingsDropped", 0, integerMax),
    reconnects: items.integer("reconnects", 0, integerMax),
    outputs: outputsFromWire(items.array("the outputs", messageLimits.outputsMax)),
    wallMs: items.integerOrNone("wallMs", 0, integerMax),
    timeBoundMs: items.integerOrNone("timeBoundMs", 0, integerMax),
    device: deviceFromWire(items.any()),
    firmware: firmwareFromWire(items.any()),
    contact: items.integerOrNone("contact", 0, contactLimits.numberMax),
  };
}

export function timeAnswerToWire({ askedMs, toldMs }: TimeAnswer): CborValue {
  return [messageVersion, askedMs, toldMs];
}

export function timeAnswerFromWire(value: CborValue): TimeAnswer {
  const items = new ItemReader(value, "time answer", "", 3);
  items.version(messageVersion);
  return { askedMs: items.integer("askedMs", 0, integerMax), toldMs: items.integer("toldMs", 0, integerMax) };
}

function deviceToWire(device: DeviceHealth): CborValue {
  const { isSafe, crashes, loopDelayMs, sectorErases, sectors } = device;
  const { checkpointsRefused, stackPeakSlots, recordsRefused } = device;
  return [
    isSafe,
    crashes,
    loopDelayMs,
    sectorErases,
    sectors,
    checkpointsRefused,
    stackPeakSlots,
    recordsRefused,
  ];
}

function deviceFromWire(value: CborValue | undefined): DeviceHealth | undefined {
  if (value === undefined || value === null) return undefined;
  const items = new ItemReader(value, "health message", "the device", 8);
  return {
    isSafe: items.any() === true,
    crashes: items.integer("crashes", 0, integerMax),
    loopDelayMs: items.integer("loopDelayMs", 0, integerMax),
    sectorErases: items.integer("sectorErases", 0, integerMax),
    sectors: items.integer("sectors", 0, integerMax),
    checkpointsRefused: items.integer("checkpointsRefused", 0, integerMax),
    stackPeakSlots: items.integer("stackPeakSlots", 0, integerMax),
    recordsRefused: items.integer("recordsRefused", 0, integerMax),
  };
}

function firmwareToWire({ sequence, target, stage, percent, reason }: FirmwareHealth): CborValue {
  return [sequence, target, stages.indexOf(stage), percent, reason ?? null];
}

function firmwareFromWire(value: CborValue | undefined): FirmwareHealth | undefined {
  if (value === undefined || value === null) return undefined;
  const items = new ItemReader(value, "health message", "the firmware", 5);
  return {
    sequence: items.integer("sequence", 0, releaseLimits.sequenceMax),
    target: items.integer("target", 0, releaseLimits.sequenceMax),
    stage: stages[items.integer("stage", 0, stages.length - 1)]!,
    percent: items.integer("percent", 0, 100),
    reason: items.isNone() ? undefined : items.text("reason", messageLimits.reasonBytesMax),
  };
}

const integerMax = Number.MAX_SAFE_INTEGER;

/** UTF-8 bytes of a board's model and of a firmware's version. */
const nameBytesMax = 32;

/** The place of a cause is its number on the wire. */
const causes: readonly OutputCause[] = Object.freeze([
  "safe",
  "setting",
  "rule",
  "schedule",
  "action",
] as const);

/** The place of a stage is its number on the wire. */
const stages: readonly FirmwareStage[] = Object.freeze([
  "steady",
  "fetching",
  "ready",
  "trial",
  "rolled-back",
  "refused",
] as const);

function readingFromWire(value: CborValue, at: number): Reading {
  const items = new ItemReader(value, "report", `reading ${at}`, 4);
  return {
    metric: items.text("metric", programLimits.nameLengthMax),
    takenMs: items.integer("takenMs", 0, integerMax),
    value: items.anyNumber("value"),
    quality: items.integer("quality", 0, 4) as Quality,
  };
}

function outputsFromWire(values: readonly CborValue[]): OutputState[] {
  const outputs: OutputState[] = [];
  for (const value of values) {
    const items = new ItemReader(value, "health message", `output ${outputs.length}`, 3);
    outputs.push({
      name: items.text("name", programLimits.nameLengthMax),
      value: items.number("value", 0, 100),
      cause: causes[items.integer("cause", 0, causes.length - 1)]!,
    });
  }
  return outputs;
}
