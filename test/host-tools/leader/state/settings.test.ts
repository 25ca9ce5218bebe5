import { expect, test } from "vitest";
import { checkSetting, SettingRefused } from "../../../../host-tools/leader/state/settings.ts";
import type { SettingDefinition } from "../../../../host-tools/swarm-file/definition.ts";

const definitions: Record<string, SettingDefinition> = {
  "fan.duty": { type: "number", unit: "%", min: 0, max: 100, initial: 20 },
  gain: { type: "number", unit: "", min: -1, max: 1, initial: 0 },
  "door.lamp": { type: "boolean", initial: false },
  "door.text": { type: "text", lengthMax: 100, initial: "" },
};

const accepted: [string, unknown][] = [
  ["fan.duty", 0],
  ["fan.duty", 100],
  ["fan.duty", 33.5],
  ["gain", -1],
  ["door.lamp", true],
  ["door.text", ""],
  ["door.text", "a".repeat(100)],
];

test.each(accepted)("%s takes %j", (key, value) => {
  expect(checkSetting(definitions, key, value)).toBe(value);
});

const refused: [string, unknown, string, string][] = [
  ["fan.duty", 140, "out-of-limits", "fan.duty takes 0 to 100 %; 140 is too high."],
  ["fan.duty", -1, "out-of-limits", "fan.duty takes 0 to 100 %; -1 is too low."],
  ["gain", 2, "out-of-limits", "gain takes -1 to 1; 2 is too high."],
  ["fan.duty", "40", "bad-request", 'fan.duty takes 0 to 100 %; "40" is not that.'],
  ["fan.duty", Number.NaN, "bad-request", "fan.duty takes 0 to 100 %; null is not that."],
  ["fan.duty", undefined, "bad-request", "fan.duty takes 0 to 100 %; nothing is not that."],
  ["door.lamp", 1, "bad-request", "door.lamp takes true or false; 1 is not that."],
  [
    "door.text",
    "b".repeat(101),
    "out-of-limits",
    "door.text takes text of at most 100 characters; this has 101.",
  ],
  [
    "door.text",
    "ü".repeat(65),
    "out-of-limits",
    "door.text takes text of at most 128 bytes in UTF-8; this has 130.",
  ],
  [
    "door.bell",
    1,
    "not-found",
    "There is no setting door.bell: it has fan.duty, gain, door.lamp, door.text.",
  ],
  [
    "constructor",
    1,
    "not-found",
    "There is no setting constructor: it has fan.duty, gain, door.lamp, door.text.",
  ],
];

test.each(refused)("%s refuses %j", (key, value, code, message) => {
  const attempt = () => checkSetting(definitions, key, value);
  expect(attempt).toThrow(SettingRefused);
  expect(attempt).toThrow(expect.objectContaining({ code, message }));
});
