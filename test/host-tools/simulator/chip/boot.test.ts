/** The bootloader's choice, case by case as `bootloader_utility.c` makes it, and with the power cut at every byte. */
import { describe, expect, it } from "vitest";
import { type OtaState, readOtaRecord, writeOtaRecord } from "../../../../host-tools/images/ota-data.ts";
import { boot, markValid, selectNext } from "../../../../host-tools/simulator/chip/boot.ts";
import { FlashModel, PowerCut } from "../../../firmware/storage/flash-model.ts";

type Record = readonly [sequence: number, state: OtaState] | "erased" | "damaged";

function flashed(first: Record, second: Record): FlashModel {
  const flash = FlashModel.blank(2, 4096);
  for (const [sector, record] of [first, second].entries()) {
    if (record === "erased") continue;
    const bytes = record === "damaged" ? writeOtaRecord(9, "valid") : writeOtaRecord(...record);
    if (record === "damaged") bytes[28]! ^= 1;
    flash.bytes.set(bytes, sector * 4096);
  }
  return flash;
}

function told(flash: FlashModel): string {
  return [0, 1]
    .map((sector) => readOtaRecord(flash.read(sector * 4096, 32)))
    .map(({ sequence, state, isSound }) =>
      sequence === 0xffff_ffff ? "erased" : isSound ? `${sequence} ${state}` : "damaged",
    )
    .join(", ");
}

const valid = (sequence: number) => [sequence, "valid"] as const;

describe("the boot ROM", () => {
  it.each<[string, Record, Record, boolean[], string, string]>([
    ["a new board", "erased", "erased", [true, false], "0", "1 valid, erased"],
    [
      "a new board with an app in the second slot only",
      "erased",
      "erased",
      [false, true],
      "1",
      "2 valid, erased",
    ],
    ["a board with nothing to run", "erased", "erased", [false, false], "none", "erased, erased"],
    ["one that runs its first slot", valid(1), "erased", [true, true], "0", "1 valid, erased"],
    ["one that updated itself", valid(1), valid(2), [true, true], "1", "1 valid, 2 valid"],
    [
      "an update that was just selected",
      valid(1),
      [2, "new"],
      [true, true],
      "1 on trial",
      "1 valid, 2 pending-verify",
    ],
    [
      "an update that did not say that it works",
      valid(1),
      [2, "pending-verify"],
      [true, true],
      "0",
      "1 valid, 2 aborted",
    ],
    ["an update that was given up before", valid(3), [2, "aborted"], [true, true], "0", "3 valid, 2 aborted"],
    ["an update that was found invalid", [3, "invalid"], valid(2), [true, true], "1", "3 invalid, 2 valid"],
    [
      "a selection without trial, as a flasher writes it",
      [1, "undefined"],
      "erased",
      [true, true],
      "0",
      "1 undefined, erased",
    ],
    [
      "a selected slot whose image is torn",
      valid(1),
      [2, "new"],
      [true, false],
      "0",
      "1 valid, 2 pending-verify",
    ],
    ["one whose running slot was torn", valid(1), "erased", [false, true], "1", "1 valid, erased"],
    [
      "a given up update that is all there is",
      [2, "aborted"],
      "erased",
      [false, true],
      "1",
      "2 aborted, erased",
    ],
    ["a record that is damaged", "damaged", valid(2), [true, true], "1", "damaged, 2 valid"],
    ["two records that are damaged", "damaged", "damaged", [true, true], "0", "1 valid, damaged"],
  ])("%s", (_what, first, second, sound, starts, left) => {
    const flash = flashed(first, second);
    const booted = boot(flash, 2, (slot) => sound[slot]!);
    expect(booted ? `${booted.slot}${booted.isOnTrial ? " on trial" : ""}` : "none").toBe(starts);
    expect(told(flash)).toBe(left);
  });

  it("an update that proves to work stays; its successor goes to the other slot", () => {
    const flash = FlashModel.blank(2, 4096);
    const both = () => true;
    expect(boot(flash, 2, both)).toEqual({ slot: 0, isOnTrial: false });
    selectNext(flash, 1, 2);
    expect(boot(flash, 2, both)).toEqual({ slot: 1, isOnTrial: true });
    markValid(flash);
    expect(boot(flash, 2, both)).toEqual({ slot: 1, isOnTrial: false });
    selectNext(flash, 0, 2);
    expect(boot(flash, 2, both)).toEqual({ slot: 0, isOnTrial: true });
    expect(boot(flash, 2, both)).toEqual({ slot: 1, isOnTrial: false });
    expect(told(flash)).toBe("3 aborted, 2 valid");
    selectNext(flash, 0, 2);
    expect(boot(flash, 2, both)).toEqual({ slot: 0, isOnTrial: true });
  });

  it("wherever the power is cut, a firmware that proved to work starts, or the selected one on trial", () => {
    const both = () => true;
    const script = (flash: FlashModel) => {
      boot(flash, 2, both);
      selectNext(flash, 1, 2);
      boot(flash, 2, both);
      markValid(flash);
      boot(flash, 2, both);
    };
    const whole = FlashModel.blank(2, 4096);
    script(whole);
    for (let power = 0; power < whole.spent; power++) {
      const flash = FlashModel.blank(2, 4096);
      flash.power = power;
      expect(() => script(flash)).toThrow(PowerCut);
      const after = flash.reboot();
      const booted = boot(after, 2, both)!;
      // Slot 1 without a trial only once it has said that it works.
      if (booted.slot === 1 && !booted.isOnTrial) expect(told(after)).toContain("2 valid");
      expect(boot(after, 2, both)).toBeDefined();
    }
    expect(whole.spent).toBeGreaterThan(100);
  });
});
