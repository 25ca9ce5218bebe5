/** The whole flash of a chip, as `covey flash --backup` saves it or an emulated chip holds it, taken apart into the partitions of a simulated one. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BoardDescription, partitionTable } from "../../boards/boards.ts";
import { ImageError } from "../../images/image-error.ts";
import { parsePartitionCsv } from "../../images/partition-csv.ts";
import {
  type Partition,
  partitionTableBytes,
  partitionTableOffset,
  readPartitionTable,
} from "../../images/partition-table.ts";
import { SimulationError } from "../simulation-error.ts";
import { nor } from "./flash-file.ts";

/** The bytes are no flash of this kind of board. */
export class FlashUnsuitable extends SimulationError {
  constructor(model: string, problem: string) {
    super(
      `This is no flash of the kind ${model}: ${problem}; make one with covey image merge, or save a board's with covey flash --backup.`,
    );
  }
}

/** Replaces what the chip in `folder` held. @throws {FlashUnsuitable} */
export function loadFlash(folder: string, board: BoardDescription, flash: Uint8Array): void {
  const partitions = partitionsIn(flash, board);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const { name, offsetBytes, sizeBytes } of partitions) {
    const bytes = flash.subarray(offsetBytes, offsetBytes + sizeBytes);
    const writtenBytes = bytes.findLastIndex((byte) => byte !== 0xff) + 1;
    if (writtenBytes === 0) continue;
    // What a file ends before is erased, as what nobody wrote.
    const sectors = new Uint8Array(Math.ceil(writtenBytes / nor.sectorBytes) * nor.sectorBytes).fill(0xff);
    sectors.set(bytes.subarray(0, writtenBytes));
    writeFileSync(join(folder, name), sectors, { mode: 0o600 });
  }
}

/** The bootloader goes by the table that lies in the flash; a simulated chip has that of its board. */
function partitionsIn(flash: Uint8Array, board: BoardDescription): readonly Partition[] {
  const table = flash.subarray(partitionTableOffset, partitionTableOffset + partitionTableBytes);
  try {
    const found = readPartitionTable(table);
    const expected = parsePartitionCsv(partitionTable(board));
    const differing = expected.find((wanted) => !found.some((each) => isSame(each, wanted)));
    if (differing !== undefined)
      throw new FlashUnsuitable(board.name, `its partition table has another ${differing.name}`);
    return expected;
  } catch (error) {
    if (error instanceof ImageError)
      throw new FlashUnsuitable(board.name, `its partition table can't be read, ${error.problem}`);
    throw error;
  }
}

function isSame(left: Partition, right: Partition): boolean {
  const facts = ({ name, type, subtype, offsetBytes, sizeBytes }: Partition) =>
    [name, type, subtype, offsetBytes, sizeBytes].join();
  return facts(left) === facts(right);
}
