import { Nameless } from "../improv/nameless.ts";
import type { Ports } from "../platform/ports.ts";
import { BoardStore } from "../storage/board-store.ts";
import { Board } from "./board.ts";
import { BoardLog } from "./board-log.ts";
import { noteCrash } from "./crash-note.ts";

/**
 * Boots a board: recovers what its flash holds and who it is, makes the board on it, and starts it. A crash on the way counts as
 * one that comes later, so that it can't go on for ever unnoticed; then the board asks for a restart, and undefined is given.
 *
 * A board without an identity, whose config has no name, waits for one, and undefined is given.
 *
 * Throws what recovering throws that is no damage: until the flash is recovered there is nowhere to count.
 */
export function bootBoard(ports: Ports): Board | undefined {
  const { ciphers, flash, random, system } = ports;
  const { swarm, board: name } = system.config;
  if (name === "") {
    new Nameless(ports).start();
    return undefined;
  }
  const log = new BoardLog(system);
  const store = new BoardStore(flash, { swarm, board: name }, random, (bytes) => ciphers.sha256(bytes));
  logRecovery(store, log);
  try {
    const board = new Board(ports, store);
    board.start();
    return board;
  } catch (error) {
    system.restart(noteCrash(error, store, log));
    return undefined;
  }
}

function logRecovery({ recovery, memberId, size, appliedIndex }: BoardStore, log: BoardLog): void {
  switch (recovery.kind) {
    case "recovered":
      log.write("info", "recovered", "member", memberId, "applied", appliedIndex, "keys", size);
      break;
    case "formatted":
      log.write("info", "formatted", "member", memberId);
      break;
    case "foreign":
      log.write("warn", "flash-of-another-board", "owner", recovery.owner, "member", memberId);
      break;
    case "damaged":
      log.write("error", "flash-damaged", "what", recovery.what, "member", memberId);
  }
}
