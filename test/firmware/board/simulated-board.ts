/** A whole board on the virtual platform, and time that a test moves. */
import { VirtualBoard } from "../../../firmware/platform/virtual/virtual-board.ts";
import { SimulatedSurroundings } from "./surroundings.ts";

export class SimulatedBoard extends SimulatedSurroundings {
  readonly board = new VirtualBoard(this.world, () => {});

  /** Moves time on, turn by turn, leader and board in step. */
  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (; this.nowMs <= endMs; this.nowMs += 10) {
      this.leader.tick(this.nowMs);
      // What the leader answers within a turn arrives in the next one, at the same moment.
      for (let turns = 0; this.board.nextDeadlineMs <= this.nowMs; turns++) {
        if (turns > 1000)
          throw new Error(`The board never comes to rest: ${this.lines.slice(-5).join("; ")}`);
        this.board.turn(this.nowMs);
      }
    }
  }

  /** The power fails and comes back: another board on the same flash. */
  reboot(): SimulatedBoard {
    this.board.powerOff();
    this.leader.cut();
    return new SimulatedBoard(
      this.leader,
      this.flash.reboot(),
      this.nowMs,
      this.config,
      this.keeping?.reboot(),
    );
  }
}
