import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FlashFile, FlashFileError, nor } from "../../../../host-tools/simulator/chip/flash-file.ts";

const geometry = { sizeBytes: 4 * nor.sectorBytes, ...nor };
let folder: string;
let path: string;
const opened: FlashFile[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-flash-"));
  path = join(folder, "north-1.flash");
});

afterEach(() => {
  for (const flash of opened.splice(0)) flash.close();
  fs.rmSync(folder, { recursive: true });
});

function open(): FlashFile {
  const { flash } = FlashFile.open(path, geometry);
  opened.push(flash);
  return flash;
}

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

describe("a simulated board's flash", () => {
  it("is erased when it is new", () => {
    const { flash, warning } = FlashFile.open(path, geometry);
    opened.push(flash);
    expect({ untouched: flash.isUntouched, warning }).toEqual({ untouched: true, warning: undefined });
    expect(flash.read(0, geometry.sizeBytes)).toEqual(bytes(geometry.sizeBytes, 0xff));
    flash.eraseSector(1);
    expect(fs.existsSync(path)).toBe(false);
  });

  it("keeps what was written when it is opened again", () => {
    open().write(32, bytes(16, 0x5a));
    const again = FlashFile.open(path, geometry);
    opened.push(again.flash);
    expect(again.flash.isUntouched).toBe(false);
    expect(fs.statSync(path).size).toBe(4096);
    expect(again.flash.read(32, 16)).toEqual(bytes(16, 0x5a));
  });

  it("only clears bits, and counts a write to bytes that were not erased", () => {
    const flash = open();
    flash.write(0, bytes(16, 0xf0));
    expect(flash.wornWrites).toBe(0);
    flash.write(0, bytes(16, 0x3c));
    expect(flash.read(0, 16)).toEqual(bytes(16, 0x30));
    expect(flash.wornWrites).toBe(1);
  });

  it("erases one sector and no other", () => {
    const flash = open();
    for (const sector of [0, 1, 2]) flash.write(sector * 4096, bytes(4096, 0));
    flash.eraseSector(1);
    expect(flash.read(0, 4096)).toEqual(bytes(4096, 0));
    expect(flash.read(4096, 4096)).toEqual(bytes(4096, 0xff));
    expect(flash.read(8192, 4096)).toEqual(bytes(4096, 0));
  });

  it.each([
    ["a write off alignment", (flash: FlashFile) => flash.write(8, bytes(16, 0))],
    ["a write of a length off alignment", (flash: FlashFile) => flash.write(0, bytes(15, 0))],
    ["a write beyond the end", (flash: FlashFile) => flash.write(geometry.sizeBytes - 16, bytes(32, 0))],
    ["a read before the start", (flash: FlashFile) => flash.read(-16, 16)],
    ["a read of half a byte", (flash: FlashFile) => flash.read(0.5, 16)],
    ["an erase of a sector that is not there", (flash: FlashFile) => flash.eraseSector(4)],
  ])("refuses %s and changes nothing", (_what, act) => {
    const flash = open();
    expect(() => act(flash)).toThrow(RangeError);
    expect(flash.read(0, geometry.sizeBytes)).toEqual(bytes(geometry.sizeBytes, 0xff));
  });

  it("agrees with the plainest model of NOR flash on any run of writes and erases", () => {
    const step = fc.oneof(
      fc.record({ erase: fc.integer({ min: 0, max: 3 }) }),
      fc.record({
        at: fc.integer({ min: 0, max: geometry.sizeBytes / 16 - 4 }),
        data: fc.uint8Array({ minLength: 16, maxLength: 64 }).map((data) => data.slice(0, data.length & ~15)),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        fs.rmSync(path, { force: true });
        const flash = open();
        const model = bytes(geometry.sizeBytes, 0xff);
        for (const each of steps) {
          if ("erase" in each) {
            flash.eraseSector(each.erase);
            model.fill(0xff, each.erase * 4096, (each.erase + 1) * 4096);
          } else {
            flash.write(each.at * 16, each.data);
            each.data.forEach((value, i) => {
              model[each.at * 16 + i]! &= value;
            });
          }
        }
        expect(flash.read(0, geometry.sizeBytes)).toEqual(model);
        flash.close();
      }),
      { numRuns: 50 },
    );
  });

  it("keeps a damaged file aside and says so", () => {
    fs.writeFileSync(path, "three");
    const { flash, warning } = FlashFile.open(path, geometry, false, new Date(0));
    opened.push(flash);
    const aside = `${path}.damaged-1970-01-01T00-00-00-000Z`;
    expect(warning).toContain("it holds 5 bytes instead of whole sectors, 16384 at most");
    expect(warning).toContain(aside);
    expect(fs.readFileSync(aside, "utf8")).toBe("three");
    expect(flash.read(0, 16)).toEqual(bytes(16, 0xff));
  });

  it("says which file it was when nothing can be done", () => {
    const nowhere = join(folder, "absent", "north-1.flash");
    const { flash } = FlashFile.open(nowhere, geometry);
    expect(() => flash.write(0, bytes(16, 0))).toThrow(FlashFileError);
    expect(() => flash.write(0, bytes(16, 0))).toThrow(nowhere);
  });
});
