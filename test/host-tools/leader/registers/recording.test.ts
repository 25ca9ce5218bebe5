import { describe, expect, it, test } from "vitest";
import type { RegisterHistory } from "../../../../host-tools/leader/registers/history.ts";
import { recordingOf } from "../../../../host-tools/leader/registers/recording.ts";

const told = { value: 22, by: "a", atMs: 0 };
const history: RegisterHistory = {
  ...{ begun: 4, floor: 2 },
  changes: [3, 5, 7].map((version) => ({ version, ...told })),
};
const copy = { epoch: 4, version: 7, ...told };

function chosen(epoch: number, version: number) {
  return { register: "setpoint", epoch, state: { version, ...told, request: 5 } };
}

describe("what a board says is chosen", () => {
  it.each([
    ["written, and becomes the copy, when it is the latest", 4, 8, [3, 5, 7, 8], 8],
    ["written, and leaves the copy, when it is told late", 4, 6, [3, 5, 6, 7], undefined],
  ] as const)("is %s", (_what, epoch, version, versions, copied) => {
    const recording = recordingOf(chosen(epoch, version), history, copy)!;
    expect(recording.history.changes.map((change) => change.version)).toEqual(versions);
    expect(recording.copy?.version).toBe(copied);
  });

  it.each([
    ["is there", 4, 7],
    ["is what the next epoch began with", 5, 7],
    ["is so old that nothing is kept of it", 4, 2],
    ["is of a register that had the name before", 3, 9],
  ] as const)("is not written when it %s", (_what, epoch, version) => {
    expect(recordingOf(chosen(epoch, version), history, copy)).toBeUndefined();
  });
});

test("a register that begins has its first state as the copy, and no change", () => {
  expect(recordingOf(chosen(4, 0), undefined, undefined)).toEqual({
    history: { begun: 4, floor: 0, changes: [] },
    copy: { epoch: 4, version: 0, ...told },
  });
});
