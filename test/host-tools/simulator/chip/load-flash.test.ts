import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBoards, partitionTable } from "../../../../host-tools/boards/boards.ts";
import { mergePieces } from "../../../../host-tools/images/merge.ts";
import { parsePartitionCsv } from "../../../../host-tools/images/partition-csv.ts";
import { writePartitionTable } from "../../../../host-tools/images/partition-table.ts";
import { FlashUnsuitable, loadFlash } from "../../../../host-tools/simulator/chip/load-flash.ts";

const boards = loadBoards();
const board = boards.get("esp32c3-devkit")!;
let folder: string;

beforeEach(() => {
  folder = join(fs.mkdtempSync(join(tmpdir(), "covey-load-")), "north-1");
});
afterEach(() => fs.rmSync(join(folder, ".."), { recursive: true }));

function flashOf(model: string, app: Uint8Array): Uint8Array {
  const partitions = parsePartitionCsv(partitionTable(boards.get(model)!));
  const at = (name: string) => partitions.find((each) => each.name === name)!.offsetBytes;
  return mergePieces([
    { name: "partition table", offsetBytes: 0x8000, bytes: writePartitionTable(partitions) },
    { name: "nvs", offsetBytes: at("nvs"), bytes: Uint8Array.of(1) },
    { name: "ota_0", offsetBytes: at("ota_0"), bytes: app },
  ]);
}

describe("a whole flash", () => {
  it("is taken apart into the partitions that hold something, in whole sectors, also where the file ends early", () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, "log"), "what was there before");
    loadFlash(folder, board, flashOf("esp32c3-devkit", new Uint8Array(5000).fill(7)));
    expect(fs.readdirSync(folder).sort()).toEqual(["nvs", "ota_0"]);
    const app = fs.readFileSync(join(folder, "ota_0"));
    expect(app).toHaveLength(8192);
    expect([app[4999], app[5000]]).toEqual([7, 0xff]);
    expect(fs.statSync(join(folder, "nvs")).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["without a partition table", new Uint8Array(0x9000).fill(0xff), "can't be read"],
    ["that ends before it", Uint8Array.of(0xe9), "it has no end"],
    ["of another kind of board", flashOf("m5stack-core2", Uint8Array.of(1)), "has another"],
  ])("%s is refused, and nothing changes", (_what, flash, problem) => {
    fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, "log"), "what was there before");
    expect(() => loadFlash(folder, board, flash)).toThrow(FlashUnsuitable);
    expect(() => loadFlash(folder, board, flash)).toThrow(problem);
    expect(fs.readdirSync(folder)).toEqual(["log"]);
  });
});
