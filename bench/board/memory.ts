import { loadBoards } from "../../host-tools/boards/boards.ts";
import type { BoardMemory } from "./measured-board.ts";

/** An ESP32-C3 board's, as `boards/` describes it and the SDK lays it out. */
export function chipMemory(): BoardMemory {
  const { arenaBytes, stackSlots } = loadBoards().get("esp32c3-devkit")!;
  return { arenaBytes, stackSlots };
}

/** So much that nothing is ever collected: the work alone, and every byte that it allocates. */
export const ampleMemory: BoardMemory = {
  arenaBytes: 64 * 1024 * 1024,
  stackSlots: 800,
  growth: { chunkBytes: 16 * 1024 * 1024, chunkStepBytes: 65_536, slots: 1_000_000, slotsStep: 65_536 },
};
