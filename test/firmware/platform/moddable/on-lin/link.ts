/** Every kind of board's image, and one with sensors, linked for its chip as far as that goes without ESP-IDF. */
import { join } from "node:path";
import { type BoardDescription, loadBoards } from "../../../../../host-tools/boards/boards.ts";
import { buildBoard } from "../../../../../host-tools/builder/build-board.ts";
import type { ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import type { Seen } from "./prove.ts";

/** Throws what the build throws, also when the linker warns. */
export async function proveLink(_: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  const boards = loadBoards();
  for (const board of boards.values()) await link(board.name, board, folder, seen);
  const sensors = ["si7020", "bmp280", "bme280", "scd4x"].map((driver, i) => {
    return { name: driver, driver, bus: "i2c", ...(i === 1 ? { address: 0x77 } : {}) } as const;
  });
  await link("with-sensors", { ...boards.get("esp32c3-devkit")!, sensors }, folder, seen);
}

async function link(name: string, board: BoardDescription, folder: string, seen: Seen): Promise<void> {
  const { IDF_PATH: _, ...environment } = process.env;
  let found: string | undefined;
  await buildBoard({
    board,
    swarmFile: undefined,
    platform: "chip",
    tls: false,
    bluetooth: false,
    folder: join(folder, name),
    environment,
    onProgress: () => {},
    onStep: (step, what) => {
      if (step === "link") found = what;
    },
  });
  if (found === undefined) throw new Error(`${name} was not linked.`);
  seen(`${name} (${board.moddableTarget}): ${found}`);
}
